import assert from 'node:assert/strict';
import { redirectAction, rewriteAction } from '../../../src/envoy/route-path.ts';
import type { RouteMatch } from '../../../src/model/rule.ts';

function prefix(value: string): RouteMatch {
  return { path: { kind: 'prefix', value }, headers: [], queryParams: [] };
}

/** What becomes of a path, as Envoy rewrites it; the match is known to hold. */
function become(path: string, from: string | undefined, to: string): string {
  const match = from === undefined ? undefined : prefix(from);
  const action = rewriteAction({ path: { kind: 'prefix', value: to } }, match);
  const { prefix_rewrite, regex_rewrite } = action as {
    prefix_rewrite?: string;
    regex_rewrite?: { pattern: { regex: string }; substitution: string };
  };
  if (prefix_rewrite !== undefined) return prefix_rewrite + path.slice((from ?? '/').replace(/\/+$/, '').length || 1);
  if (regex_rewrite === undefined) return path;
  return path.replace(new RegExp(regex_rewrite.pattern.regex), regex_rewrite.substitution);
}

describe('the path of a rewrite or redirect', () => {
  // https://gateway-api.sigs.k8s.io/reference/spec/#httppathmodifier, and what it leaves open.
  for (const [path, from, to, wanted] of [
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '/', '/bar'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/foo//bar', '/foo', '/', '/bar'],
    ['/a.b/c', '/a.b', '/', '/c'],
    ['/', '/', '/xyz', '/xyz/'],
    ['/foo', '/', '/xyz', '/xyz/foo'],
    ['/foo', undefined, '/xyz', '/xyz/foo'],
    ['/foo', undefined, '/', '/foo'],
  ] as const) {
    it(`makes ${path} into ${wanted} where ${from ?? 'no path'} is matched and ${to} takes its place`, () => {
      assert.equal(become(path, from, to), wanted);
    });
  }

  it('takes the new path as it stands', () => {
    assert.deepEqual(rewriteAction({ path: { kind: 'full', value: '/a\\1' } }, undefined).regex_rewrite, {
      pattern: { regex: '^.*$' },
      substitution: '/a\\\\1',
    });
    const { path_redirect } = redirectAction({ path: { kind: 'full', value: '/a\\1' }, statusCode: 302 }, undefined);
    assert.equal(path_redirect, '/a\\1');
  });
});
