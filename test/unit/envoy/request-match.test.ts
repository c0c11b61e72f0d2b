import assert from 'node:assert/strict';
import { routeTaken } from '../../../src/envoy/request-match.ts';
import type { AskedRequest } from '../../../src/model/inspection.ts';

const ask = (path: string, headers: AskedRequest['headers'] = [], method = 'GET'): AskedRequest => ({
  method,
  path,
  headers,
});

describe('the route that a request takes', () => {
  const takes = (match: object, request: AskedRequest): boolean =>
    routeTaken([{ match }], request, 'reviews.shop') === 0;

  it('is the first one that matches', () => {
    const routes = [{ match: { path: '/x' } }, { match: { prefix: '/' } }, { match: { path: '/y' } }];
    assert.deepEqual(
      ['/x', '/y'].map((path) => routeTaken(routes, ask(path), 'h')),
      [0, 1],
    );
    assert.equal(routeTaken([{ match: { path: '/x' } }], ask('/y'), 'h'), -1);
  });

  it('goes by the path, without its query', () => {
    assert.ok(takes({ path: '/x' }, ask('/x?a=b')));
    for (const [path, is] of [
      ['/api', true],
      ['/api/x', true],
      ['/apix', false],
    ] as const)
      assert.equal(takes({ path_separated_prefix: '/api' }, ask(path)), is, path);
    assert.ok(takes({ safe_regex: { regex: '/v[0-9]+/.*' } }, ask('/v12/x')));
    assert.ok(!takes({ safe_regex: { regex: '/v[0-9]' } }, ask('/v12')), 'the whole path');
  });

  it('goes by the first characters of a path, and by its letters whatever their case, where it is asked to', () => {
    assert.ok(takes({ prefix: '/api' }, ask('/apix')));
    assert.ok(!takes({ prefix: '/api' }, ask('/API')));
    assert.ok(takes({ prefix: '/API', case_sensitive: false }, ask('/apiX')));
    assert.ok(takes({ path: '/One', case_sensitive: false }, ask('/oNE')));
    assert.ok(!takes({ path: '/One', case_sensitive: false }, ask('/oNE/x')));
  });

  it('goes by what a header is not', () => {
    const not = { string_match: { exact: 'a' }, invert_match: true, treat_missing_header_as_empty: true };
    const match = { prefix: '/', headers: [{ name: 'x-a', ...not }] };
    assert.ok(takes(match, ask('/')));
    assert.ok(takes(match, ask('/', [['x-a', 'b']])));
    assert.ok(!takes(match, ask('/', [['x-a', 'a']])));
  });

  it('goes by method, host, headers and query parameters, all of them', () => {
    const match = {
      prefix: '/',
      headers: [
        { name: ':method', string_match: { safe_regex: { regex: 'GET|HEAD' } } },
        { name: ':authority', string_match: { exact: 'reviews.shop' } },
        { name: 'x-group', string_match: { prefix: 'be' } },
        { name: 'x-no', present_match: true, invert_match: true },
      ],
      query_parameters: [{ name: 'lang', string_match: { exact: 'en' } }],
    };
    assert.ok(takes(match, ask('/?lang=en', [['X-Group', 'beta']])));
    assert.ok(!takes(match, ask('/?lang=en', [['X-Group', 'beta']], 'POST')));
    assert.ok(!takes(match, ask('/?lang=de', [['X-Group', 'beta']])));
    assert.ok(!takes(match, ask('/?lang=en')));
    assert.ok(
      !takes(
        match,
        ask('/?lang=en', [
          ['X-Group', 'beta'],
          ['x-no', ''],
        ]),
      ),
    );
    assert.ok(
      !takes(
        match,
        ask('/?lang=en', [
          ['X-Group', 'beta'],
          ['host', 'other'],
        ]),
      ),
    );
  });

  it('is CONNECT’s own, and no other request’s', () => {
    const match = { connect_matcher: {} };
    assert.ok(takes(match, ask('/', [], 'CONNECT')));
    assert.ok(!takes(match, ask('/')));
    assert.ok(!takes({ prefix: '/' }, ask('/', [], 'CONNECT')));
  });
});
