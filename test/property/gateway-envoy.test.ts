/**
 * Whatever route of the Gateway API is taken here, Envoy takes what it comes to; and no object, however odd, makes the parsers throw. Odd texts come
 * in wherever the CRDs allow them.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { ScopeResources } from '../../src/envoy/scope-resources.ts';
import { gatewayApiKinds } from '../../src/gateway-api/kinds.ts';
import { parseMeshFixture } from '../support/mesh-fixture.ts';
import { rawObject } from '../support/rules.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { staticBootstrap } from '../support/static-envoy.ts';

const oddText = fc.oneof(
  fc.constantFrom(
    '%',
    '%s',
    '%REQ(a)%',
    '\\1',
    '(',
    '.*',
    'ä',
    '😀',
    ' ',
    '\t',
    '\n',
    '"',
    "'",
    '$',
    '^',
    '/',
    '//',
    '..',
    '?a',
    '#b',
    '*',
    '\0',
  ),
  fc.string({ minLength: 1, maxLength: 8 }),
);
const headerName = fc.oneof(
  fc.constantFrom(
    'X-A',
    'Host',
    'host',
    'connection',
    'Content-Length',
    'cookie',
    "!#$%&'*+.^_`|~",
    'x-envoy-retry-on',
    'set-cookie',
    ':path',
  ),
  oddText,
);
const headers = fc.uniqueArray(fc.record({ name: headerName, value: oddText }), {
  maxLength: 3,
  selector: ({ name }) => name,
});
const modifier = fc.record({ set: headers, add: headers, remove: fc.uniqueArray(headerName, { maxLength: 2 }) });
const pathChange = fc.oneof(
  oddText.map((text) => ({ type: 'ReplaceFullPath', replaceFullPath: text })),
  oddText.map((text) => ({ type: 'ReplacePrefixMatch', replacePrefixMatch: text })),
);
const hostname = fc.constantFrom('a.example', 'b', '1.2.3.4', 'A.b', 'a_b');
const ref = fc.constantFrom(
  { name: 'reviews', port: 80 },
  { name: 'v2', port: 80 },
  { name: 'gone', port: 80 },
  { name: 'redis', port: 6379 },
);
const filters = fc.record(
  {
    request: modifier.map((requestHeaderModifier) => ({ type: 'RequestHeaderModifier', requestHeaderModifier })),
    response: modifier.map((responseHeaderModifier) => ({ type: 'ResponseHeaderModifier', responseHeaderModifier })),
    rewrite: fc
      .record({ hostname, path: pathChange }, { requiredKeys: [] })
      .map((urlRewrite) => ({ type: 'URLRewrite', urlRewrite })),
    mirror: fc
      .record({
        backendRef: ref,
        fraction: fc.record({ numerator: fc.nat(7), denominator: fc.integer({ min: 7, max: 9 }) }),
      })
      .map((requestMirror) => ({ type: 'RequestMirror', requestMirror })),
    cors: fc
      .record({
        allowOrigins: fc.uniqueArray(fc.constantFrom('https://*.a.b', 'http://c', 'https://*', 'https://a.b:443'), {
          maxLength: 3,
        }),
        allowMethods: fc.constantFrom([], ['*'], ['GET', 'PUT']),
        exposeHeaders: fc.uniqueArray(headerName, { maxLength: 2 }),
        allowCredentials: fc.boolean(),
        maxAge: fc.integer({ min: 1, max: 2_147_483_647 }),
      })
      .map((cors) => ({ type: 'CORS', cors })),
  },
  { requiredKeys: [] },
);
const redirect = fc
  .record(
    {
      scheme: fc.constantFrom('http', 'https'),
      hostname,
      path: pathChange,
      port: fc.constantFrom(1, 80, 443, 65_535),
      statusCode: fc.constantFrom(301, 302, 303, 307, 308),
    },
    { requiredKeys: [] },
  )
  .map((requestRedirect) => ({ type: 'RequestRedirect', requestRedirect }));
const match = fc.record(
  {
    path: fc.record({
      type: fc.constantFrom('Exact', 'PathPrefix', 'RegularExpression'),
      value: oddText.map((text) => `/${text}`),
    }),
    method: fc.constantFrom('GET', 'CONNECT', 'TRACE'),
    headers: fc.uniqueArray(
      fc.record({ name: headerName, value: oddText, type: fc.constantFrom('Exact', 'RegularExpression') }),
      { maxLength: 2, selector: ({ name }) => name },
    ),
    queryParams: fc.uniqueArray(
      fc.record({ name: headerName, value: oddText, type: fc.constantFrom('Exact', 'RegularExpression') }),
      { maxLength: 2, selector: ({ name }) => name },
    ),
  },
  { requiredKeys: [] },
);
const rule = fc.oneof(
  fc.record({ matches: fc.array(match, { minLength: 1, maxLength: 1 }), filters: redirect.map((one) => [one]) }),
  fc.record({
    matches: fc.array(match, { minLength: 1, maxLength: 1 }),
    filters: filters.map((some) => Object.values(some)),
    backendRefs: fc.array(
      fc
        .record({ to: ref, weight: fc.constantFrom(0, 1, 1_000_000), change: fc.option(modifier, { nil: undefined }) })
        .map(({ to, weight, change }) => ({
          ...to,
          weight,
          ...(change === undefined
            ? {}
            : { filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: change }] }),
        })),
      { maxLength: 3 },
    ),
    timeouts: fc.constantFrom({}, { request: '0s' }, { request: '99999h99999h', backendRequest: '1ms' }),
    retry: fc.constantFrom({}, { attempts: 2_000_000_000, codes: [599, 400], backoff: '0ms' }, { backoff: '99999h' }),
  }),
);

const httpRoute = (name: string, spec: object): object => ({
  kind: 'HTTPRoute',
  metadata: { name, namespace: 'shop' },
  spec: { parentRefs: [{ group: '', kind: 'Service', name: 'reviews' }], ...spec },
});

function isTaken(object: object): boolean {
  const { kind } = object as { readonly kind: string };
  const row = gatewayApiKinds.find((each) => each.kind === kind);
  const parsed = row?.parse(rawObject({ apiVersion: row.apiVersion, ...object }), { defaultNamespace: 'shop' });
  return parsed?.value !== undefined;
}

describe('routes of the Gateway API: anything that is taken', function () {
  this.timeout(60_000);

  it('and anything that is not, makes no parser throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...gatewayApiKinds), fc.jsonValue({ maxDepth: 6 }), rule, (row, value, one) => {
        for (const spec of [
          value,
          { parentRefs: value, rules: value, hostnames: value, from: value, to: value },
          { rules: [value, one] },
        ]) {
          const raw = rawObject({ apiVersion: row.apiVersion, kind: row.kind, metadata: { name: 'a' }, spec });
          row.parse(raw, { defaultNamespace: 'shop' });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is taken by Envoy', async function () {
    const found = await lookForEnvoy({ env: process.env, log: () => {} });
    if (found === undefined) return skip(this, noEnvoy);
    const dir = mkdtempSync(join(tmpdir(), 'fairway-gateway-'));
    const services = [
      {
        name: 'reviews',
        clusters: { east: { vips: ['10.1.0.5'], ports: ['80:http'], endpoints: [{ address: '10.10.0.1' }] } },
      },
      { name: 'v2', clusters: { east: { ports: ['80:http'], endpoints: [{ address: '10.10.0.2' }] } } },
      { name: 'redis', clusters: { east: { ports: ['6379:tcp'], endpoints: [{ address: '10.10.0.3' }] } } },
    ];
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(rule, { minLength: 40, maxLength: 120 }), async (rules) => {
          const routes = rules.map((one, i) => httpRoute(`r${i}`, { rules: [one] })).filter(isTaken);
          fc.pre(routes.length > 0);
          const { scope, mesh } = parseMeshFixture(JSON.stringify({ services, routes }));
          const scoped = new ScopeResources(scope);
          scoped.update(mesh, 'all');
          const file = join(dir, 'envoy.json');
          writeFileSync(file, JSON.stringify(staticBootstrap((url) => scoped.resources(url))));
          const args = ['-c', file, '--mode', 'validate', '--log-level', 'error'];
          const { stdout } = await promisify(execFile)(found.path, args);
          assert.match(stdout, /OK/);
        }),
        { numRuns: 12, endOnFailure: true },
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
