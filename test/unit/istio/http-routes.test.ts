/** HTTP routes of VirtualServices as routes of TrafficRules. */

import assert from 'node:assert/strict';
import { codes, convert, istioObject, routes, ruleRoutes, specOf, toReviews } from './istio-objects.ts';

const all = { takes: 'requests', backends: [{}] };

describe("a VirtualService's matches", () => {
  it('keeps the order, and what a prefix means', () => {
    assert.deepEqual(
      ruleRoutes(
        `{match: [{uri: {prefix: /api}}, {uri: {exact: /v1}}], ${toReviews}}`,
        `{match: [{uri: {regex: "/a.*"}}, {uri: {prefix: /}}], ${toReviews}}`,
        `{${toReviews}}`,
      ),
      [
        { matches: [{ path: { startsWith: '/api' } }, { path: { exact: '/v1' } }], backends: [{}] },
        { matches: [{ path: { regex: '/a.*' } }, {}], ...all },
        all,
      ],
    );
  });

  it('ignores case where it is told to', () => {
    const [route] = ruleRoutes(`{match: [{uri: {prefix: /A}, ignoreUriCase: true}], ${toReviews}}`);
    assert.deepEqual(route, { matches: [{ path: { startsWith: '/A', ignoreCase: true } }], backends: [{}] });
  });

  it('asks for headers, for their absence, for parameters, the host and the source', () => {
    const match = `{headers: {X-A: {exact: a}, x-b: {prefix: b}, x-c: {regex: "c+"}, x-d: {}},
      withoutHeaders: {x-e: {}, x-f: {exact: f}}, queryParams: {q: {exact: a}, r: {}}, authority: {prefix: www.},
      sourceNamespace: front, sourceLabels: {app: web}, method: {exact: PUT}}`;
    const [route] = ruleRoutes(`{match: [${match}], ${toReviews}}`) as readonly { matches: readonly unknown[] }[];
    assert.deepEqual(route?.matches, [
      {
        source: { namespace: 'front', labels: { app: 'web' } },
        method: 'PUT',
        headers: [
          { name: 'host', prefix: 'www.' },
          { name: 'x-a', value: 'a' },
          { name: 'x-b', prefix: 'b' },
          { name: 'x-c', regex: 'c+' },
          { name: 'x-d', present: true },
          { name: 'x-e', present: false },
          { name: 'x-f', value: 'f', not: true },
        ],
        queryParams: [
          { name: 'q', value: 'a' },
          { name: 'r', regex: '.*' },
        ],
      },
    ]);
  });

  it('refuses paths that no request can have, wherever they stand, and says how they are written', () => {
    for (const [rule, field, written] of [
      [`{match: [{uri: {exact: /a b}}], ${toReviews}}`, 'match[0].uri', '/a%20b'],
      [`{match: [{uri: {prefix: /ü}}], ${toReviews}}`, 'match[0].uri', '/%C3%BC'],
      [`{rewrite: {uri: /a b}, ${toReviews}}`, 'rewrite.uri', '/a%20b'],
      ['{redirect: {uri: /a b, authority: b.c}}', 'redirect.uri', '/a%20b'],
    ] as const) {
      const conversion = convert(routes(rule));
      assert.deepEqual(codes(conversion), [`error FW-ISTIO-005 spec.http[0].${field}`]);
      assert.equal(conversion.findings[0]?.hint, `Write it as requests do: ${written}`);
    }
  });

  it('makes several matches of one of two methods, and refuses one that it cannot name', () => {
    const [route] = ruleRoutes(`{match: [{method: {regex: "^(GET|PUT)$"}}], ${toReviews}}`);
    assert.deepEqual(route, { matches: [{ method: 'GET' }, { method: 'PUT' }], backends: [{}] });
    const refused = convert(routes(`{match: [{method: {prefix: P}}], ${toReviews}}`));
    assert.deepEqual(refused.objects, []);
    assert.deepEqual(codes(refused), ['error FW-ISTIO-005 spec.http[0].match[0].method']);
    assert.equal(refused.outcomes[0]?.outcome, 'refused');
  });

  it('makes several routes of matches for several ports', () => {
    assert.deepEqual(ruleRoutes(`{match: [{port: 80}, {port: 8080, uri: {exact: /a}}], ${toReviews}}`), [
      { ports: [80], ...all },
      { matches: [{ path: { exact: '/a' } }], ports: [8080], backends: [{}] },
    ]);
  });

  it('cuts a long list of matches, and names the parts apart', () => {
    const matches = Array.from({ length: 20 }, (_, i) => `{uri: {exact: /${i}}}`).join(', ');
    const found = ruleRoutes(`{name: Many Paths, match: [${matches}], ${toReviews}}`) as readonly {
      name: string;
      matches: readonly unknown[];
    }[];
    assert.deepEqual(
      found.map(({ name, matches: own }) => [name, own.length]),
      [
        ['many-paths', 16],
        ['many-paths-2', 4],
      ],
    );
  });

  it('leaves out what is for gateways, and what is never met in the mesh', () => {
    const conversion = convert(
      routes(
        `{match: [{gateways: [outer]}, {gateways: [outer, mesh], uri: {exact: /a}}], ${toReviews}}`,
        `{match: [{scheme: {exact: https}}], ${toReviews}}`,
        `{match: [{scheme: {exact: http}, uri: {exact: /b}}], ${toReviews}}`,
      ),
    );
    assert.deepEqual(specOf(conversion)['routes'], [
      { matches: [{ path: { exact: '/a' } }], backends: [{}] },
      { matches: [{ path: { exact: '/b' } }], backends: [{}] },
    ]);
    assert.deepEqual(codes(conversion), [
      'warning FW-ISTIO-007 spec.http[0].match[0].gateways[0]',
      'warning FW-ISTIO-007 spec.http[0].match[1].gateways[0]',
      'warning FW-ISTIO-004 spec.http[1].match[0].scheme',
    ]);
  });
});

describe("a VirtualService's routes", () => {
  it('does not take a subset whose labels are no mapping for all endpoints', () => {
    const subsets = istioObject('DestinationRule', 'reviews', '{host: reviews, subsets: [{name: v2, labels: v2}]}');
    const conversion = convert(routes('{route: [{destination: {host: reviews, subset: v2}}]}'), subsets);
    assert.ok(codes(conversion).includes('error FW-ISTIO-003 spec.subsets[0].labels'), codes(conversion).join());
    assert.doesNotMatch(JSON.stringify(specOf(conversion)), /backends":\[\{\}\]/);
  });

  it('leads to shares, subsets, other services and ports', () => {
    const rule = istioObject(
      'DestinationRule',
      'any',
      '{host: ratings, subsets: [{name: near, labels: {topology.istio.io/cluster: west}}]}',
    );
    const http = `{route: [
      {destination: {host: reviews, subset: v2, port: {number: 8080}}, weight: 60, headers: {response: {set: {x-v: "2"}}}},
      {destination: {host: ratings.shop.svc.cluster.local, subset: near, port: {number: 80}}, weight: 30},
      {destination: {host: far.other.svc.cluster.local}, weight: 10}]}`;
    const conversion = convert(routes(http), rule, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'far', namespace: 'other' },
      spec: { ports: [{ port: 9000 }] },
    });
    assert.deepEqual(specOf(conversion)['routes'], [
      {
        takes: 'requests',
        backends: [
          { port: 8080, version: 'v2', weight: 60, responseHeaders: { set: [{ name: 'x-v', value: '2' }] } },
          { service: 'ratings', port: 80, cluster: 'west', weight: 30 },
          { service: 'far', namespace: 'other', port: 9000, weight: 10 },
        ],
      },
    ]);
    assert.deepEqual(codes(conversion), ['warning FW-ISTIO-012 spec.http[0].route[0].destination.subset']);
    assert.equal(conversion.others, 1);
  });

  it('rewrites by how the path was matched', () => {
    assert.deepEqual(
      ruleRoutes(
        `{match: [{uri: {prefix: /a/}}, {uri: {exact: /b}}, {uri: {regex: /c+}}, {}], rewrite: {uri: /, authority: x.example.com}, ${toReviews}}`,
      ),
      [
        {
          matches: [{ path: { startsWith: '/a/' } }, { path: { startsWith: '/' } }],
          takes: 'requests',
          backends: [{}],
          rewrite: { hostname: 'x.example.com', path: { prefix: '/' } },
        },
        {
          matches: [{ path: { exact: '/b' } }],
          backends: [{}],
          rewrite: { hostname: 'x.example.com', path: { full: '/' } },
        },
        {
          matches: [{ path: { regex: '/c+' } }],
          backends: [{}],
          rewrite: { hostname: 'x.example.com', path: { full: '/' } },
        },
      ],
    );
  });

  it('redirects with 301 unless it is told otherwise, and leaves out the usual port', () => {
    assert.deepEqual(
      ruleRoutes(
        '{match: [{uri: {exact: /a}}], redirect: {uri: /b, authority: "www.example.com:8443"}}',
        '{match: [{uri: {exact: /b}}], redirect: {scheme: https, port: 443, redirectCode: 308}}',
        '{redirect: {prefixRewrite: /n}}',
      ),
      [
        {
          matches: [{ path: { exact: '/a' } }],
          redirect: { hostname: 'www.example.com', port: 8443, path: { full: '/b' }, statusCode: 301 },
        },
        { matches: [{ path: { exact: '/b' } }], redirect: { scheme: 'https', statusCode: 308 } },
        {
          matches: [{ path: { startsWith: '/' } }],
          takes: 'requests',
          redirect: { path: { prefix: '/n' }, statusCode: 301 },
        },
      ],
    );
  });

  it('times out, retries as Istio does by default, and answers by itself', () => {
    assert.deepEqual(
      ruleRoutes(
        `{match: [{uri: {exact: /a}}], timeout: 1.5s, retries: {attempts: 3, perTryTimeout: 0.25s, backoff: 50ms}, ${toReviews}}`,
        `{match: [{uri: {exact: /b}}], retries: {attempts: 0}, timeout: 0s, ${toReviews}}`,
        '{directResponse: {status: 503, body: {bytes: "c29ycnkK"}}}',
      ),
      [
        {
          matches: [{ path: { exact: '/a' } }],
          backends: [{}],
          timeouts: { request: '1s500ms', backendRequest: '250ms' },
          retry: {
            attempts: 3,
            on: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'],
            backoff: { base: '50ms' },
          },
        },
        { matches: [{ path: { exact: '/b' } }], backends: [{}], retry: { attempts: 0 } },
        { takes: 'requests', respond: { status: 503, body: 'sorry\n' } },
      ],
    );
  });

  it('makes faults and mirrors, and changes headers', () => {
    assert.deepEqual(
      ruleRoutes(
        `{fault: {delay: {percent: 5, fixedDelay: 2s}, abort: {grpcStatus: unavailable, percentage: {value: 0.1}}},
          mirror: {host: reviews, subset: v3}, mirrorPercentage: {value: 12.5}, mirrors: [{destination: {host: audit, port: {number: 80}}}],
          headers: {request: {set: {x-a: "50%%"}, add: {Host: other.example.com}, remove: [x-b]}}, ${toReviews}}`,
      ),
      [
        {
          takes: 'requests',
          backends: [{}],
          rewrite: { hostname: 'other.example.com' },
          mirrors: [
            { version: 'v3', percent: 12.5 },
            { service: 'audit', port: 80 },
          ],
          requestHeaders: { set: [{ name: 'x-a', value: '50%' }], remove: ['x-b'] },
          fault: { delay: { percent: 5, duration: '2s' }, abort: { percent: 0.1, grpcStatus: 14 } },
        },
      ],
    );
  });

  it('says of CORS what differs', () => {
    const conversion = convert(
      routes(
        `{corsPolicy: {allowOrigins: [{exact: "https://a.example.com"}, {regex: ".*"}, {prefix: "https://b"}], allowMethods: [get, PUT],
          maxAge: 24h, allowCredentials: true, unmatchedPreflights: IGNORE}, ${toReviews}}`,
      ),
    );
    const [route] = specOf(conversion)['routes'] as readonly { cors: unknown }[];
    assert.deepEqual(route?.cors, {
      allowOrigins: ['https://a.example.com', '*'],
      allowMethods: ['GET', 'PUT'],
      maxAge: '24h',
    });
    assert.deepEqual(codes(conversion), [
      'warning FW-ISTIO-004 spec.http[0].corsPolicy.allowOrigins[2]',
      'warning FW-ISTIO-004 spec.http[0].corsPolicy',
    ]);
  });

  it('takes connections, by port, by source and by server name', () => {
    const object = istioObject(
      'VirtualService',
      'db',
      `{hosts: [db], tls: [{match: [{sniHosts: [a.example.com, "*.b.example.com"], port: 443}], route: [{destination: {host: db, subset: v2}}]}],
        tcp: [{match: [{port: 5432, sourceLabels: {app: web}}], route: [{destination: {host: db, subset: v1}, weight: 3}, {destination: {host: db, subset: v2}, weight: 1}]},
              {route: [{destination: {host: db}}]}]}`,
    );
    assert.deepEqual(specOf(convert(object))['routes'], [
      { ports: [443], takes: 'connections', sni: ['a.example.com', '*.b.example.com'], backends: [{ version: 'v2' }] },
      {
        matches: [{ source: { labels: { app: 'web' } } }],
        ports: [5432],
        takes: 'connections',
        backends: [
          { version: 'v1', weight: 3 },
          { version: 'v2', weight: 1 },
        ],
      },
      { takes: 'connections', backends: [{}] },
    ]);
    const bySubnet = istioObject(
      'VirtualService',
      'db',
      '{hosts: [db], tcp: [{match: [{destinationSubnets: ["10.0.0.0/8"]}], route: [{destination: {host: db}}]}]}',
    );
    assert.deepEqual(codes(convert(bySubnet)), ['error FW-ISTIO-005 spec.tcp[0].match[0].destinationSubnets']);
  });
});
