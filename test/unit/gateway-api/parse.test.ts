import assert from 'node:assert/strict';
import { filter, grpc, head, http, parent, refusedObjects, takenObjects } from '../../support/gateway-cases.ts';
import { parseGatewayObjects, parseOne } from '../../support/gateway-objects.ts';

function codes(text: string): string[] {
  const [parsed] = parseGatewayObjects(text);
  return [...new Set((parsed?.findings ?? []).map(({ code, severity }) => `${severity} ${code}`))].sort();
}

describe('objects of the Gateway API: what the CRDs refuse', () => {
  for (const [what, text, code] of refusedObjects) it(what, () => assert.deepEqual(codes(text), [code]));
});

describe('objects of the Gateway API: what is taken', () => {
  it('takes what the CRDs take', () => {
    for (const text of takenObjects) {
      const [parsed] = parseGatewayObjects(text);
      assert.ok(parsed?.value !== undefined, `${text}${JSON.stringify(parsed?.findings)}`);
    }
  });

  it('fills in what the CRDs fill in', () => {
    const route = parseOne(http('{backendRefs: [{name: a, port: 80}]}, {}'));
    assert.deepEqual(
      route.rules.map(({ name, matches, backends }) => [name, matches.map(({ match }) => match), backends]),
      [
        [
          '0',
          [{ headers: [], queryParams: [] }],
          [
            {
              group: '',
              kind: 'Service',
              namespace: 'shop',
              name: 'a',
              port: 80,
              weight: 1,
              path: ['spec', 'rules', 0, 'backendRefs', 0],
            },
          ],
        ],
        ['1', [{ headers: [], queryParams: [] }], []],
      ],
    );
    assert.deepEqual(route.parents[0], {
      given: { group: '', kind: 'Service', name: 'reviews' },
      group: '',
      kind: 'Service',
      namespace: 'shop',
      name: 'reviews',
    });
  });

  it('warns of what has no meaning here', () => {
    assert.deepEqual(codes(`${http('{}')}  hostnames: [a.example]\n`), ['warning FW-GWAPI-020']);
    assert.deepEqual(codes(`${head('HTTPRoute')}  rules: [{}]\n`), ['warning FW-GWAPI-021']);
    assert.deepEqual(codes(http('{matches: [{headers: [{name: a, value: b}, {name: A, value: c}]}]}')), [
      'warning FW-GWAPI-026',
    ]);
    assert.deepEqual(codes(http('{retry: {backoff: 1s}}')), ['warning FW-GWAPI-027']);
    assert.deepEqual(codes(http('{matches: [{method: GET}], filters: [{type: CORS, cors: {}}]}')), [
      'warning FW-GWAPI-028',
    ]);
    assert.deepEqual(codes(`${head('HTTPRoute')}  parentRefs: [{name: edge}]\n  hostnames: [a.example]\n`), []);
    assert.deepEqual(codes(`${head('HTTPRoute')}  parentRefs: [{kind: Service, name: a}]\n`), ['warning FW-GWAPI-021']);
    assert.deepEqual(codes(`${head('GRPCRoute')}  parentRefs: [{group: a.b, kind: Service, name: a}]\n`), []);
    assert.deepEqual(codes(`${head('GRPCRoute')}  parentRefs: [{group: "", kind: ServiceImport, name: a}]\n`), [
      'warning FW-GWAPI-021',
    ]);
  });

  it('keeps what is not supported, with the reason', () => {
    const unsupported = (rule: string): string[] =>
      parseOne(http(rule)).rules.flatMap((one) => one.unsupported.map(({ message }) => message));
    for (const [rule, reason] of [
      [filter('ExternalAuth', 'externalAuth: {protocol: HTTP}'), /filter ExternalAuth is not supported/],
      [filter('Unheard', 'cors: {}').replace(', cors: {}', ''), /filter Unheard is not supported/],
      [filter('ExtensionRef', 'extensionRef: {group: a.b, kind: C, name: d}'), /filter ExtensionRef/],
      ['{sessionPersistence: {sessionName: a}}', /sessionPersistence/],
      ['{matches: [{headers: [{name: a, type: RegularExpression, value: "("}]}]}', /regular expression "\("/],
      [filter('RequestHeaderModifier', 'requestHeaderModifier: {set: [{name: Host, value: a}]}'), /use URLRewrite/],
      [filter('RequestHeaderModifier', 'requestHeaderModifier: {remove: [Connection]}'), /belongs to the connection/],
      [
        filter('RequestHeaderModifier', 'requestHeaderModifier: {add: [{name: a, value: "b\\nc"}]}'),
        /control characters/,
      ],
      [
        filter('URLRewrite', 'urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: "/a b"}}'),
        /the new path has characters that no request can have: write \/a%20b/,
      ],
      [filter('CORS', 'cors: {exposeHeaders: ["*"], allowCredentials: true}'), /allowCredentials/],
      [
        '{backendRefs: [{name: a, port: 1, filters: [{type: URLRewrite, urlRewrite: {hostname: b.c}}]}]}',
        /do more than change headers/,
      ],
    ] as const)
      assert.match(unsupported(rule).join(), reason, rule);
    assert.deepEqual(unsupported('{retry: {attempts: 2, codes: [500]}, timeouts: {request: 0s}}'), []);
  });

  it('reads filters, time limits and retries', () => {
    const { actions, mirrors } =
      parseOne(
        http(`{
        matches: [{path: {value: /a/}}],
        filters: [
          {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: a}, {name: x-a, value: b}], remove: [X-B, x-b]}},
          {type: URLRewrite, urlRewrite: {hostname: b.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: ""}}},
          {type: RequestMirror, requestMirror: {backendRef: {name: m, port: 1}, fraction: {numerator: 1, denominator: 3}}},
          {type: CORS, cors: {allowOrigins: ["https://*.example.com", "http://a.b:80", "https://*:8443"], allowMethods: ["*"], allowCredentials: true}}],
        timeouts: {request: 3s, backendRequest: 500ms},
        retry: {attempts: 4, codes: [503, 500], backoff: 100ms}}`),
      ).rules[0] ?? assert.fail();
    assert.deepEqual(actions.requestHeaders, { set: [{ name: 'x-a', value: 'a' }], add: [], remove: ['x-b'] });
    assert.deepEqual(actions.rewrite, { hostname: 'b.example', path: { kind: 'prefix', value: '/' } });
    assert.deepEqual(
      mirrors.map(({ name, percent }) => [name, percent]),
      [['m', 33.3333]],
    );
    assert.deepEqual(actions.cors?.allowOrigins, [
      { kind: 'regex', value: 'https://[^/:]+\\.example\\.com' },
      { kind: 'exact', value: 'http://a.b' },
      { kind: 'regex', value: 'https://[^/:]+:8443' },
    ]);
    assert.deepEqual(actions.cors?.allowMethods, ['*']);
    assert.equal(actions.cors?.maxAgeMs, 5000);
    assert.deepEqual([actions.requestTimeoutMs, actions.backendRequestTimeoutMs], [3000, 500]);
    assert.deepEqual(
      [actions.retry?.attempts, actions.retry?.statusCodes, actions.retry?.backoff],
      [4, [500, 503], { baseMs: 100, maxMs: 1000 }],
    );
  });

  it('takes several rules in v1alpha2 alone, and says that the first counts', () => {
    for (const kind of ['TCPRoute', 'TLSRoute']) {
      const more = (version: string): string =>
        `apiVersion: gateway.networking.k8s.io/${version}\n${head(kind)}${parent}  rules: [{backendRefs: [{name: a, port: 1}]}, {backendRefs: [{name: b, port: 1}]}]\n`;
      assert.deepEqual(codes(more('v1alpha2')), ['warning FW-GWAPI-029']);
      assert.ok(codes(more('v1')).includes('error FW-RULE-009'));
    }
  });

  it('takes no tries at all, as the standard does since v1.7', () => {
    assert.equal(parseOne(http('{retry: {attempts: 0}}')).rules[0]?.actions.retry?.attempts, 0);
  });

  it('reads the methods of gRPC', () => {
    const matched = (method: string): unknown =>
      parseOne(grpc(`{matches: [{method: ${method}}]}`)).rules[0]?.matches[0]?.match.path;
    assert.deepEqual(matched('{service: a.B, method: C}'), { kind: 'exact', value: '/a.B/C' });
    assert.deepEqual(matched('{service: a.B}'), { kind: 'prefix', value: '/a.B' });
    assert.deepEqual(matched('{method: C}'), { kind: 'regex', value: '/[^/]+/C' });
    assert.deepEqual(matched('{type: RegularExpression, service: "a.*"}'), {
      kind: 'regex',
      value: '/(?:a.*)/(?:[^/]+)',
    });
  });

  it('gives each rule a name of its own', () => {
    const names = parseOne(http('{name: a}, {}, {name: a}, {name: "1"}, {name: b}')).rules.map(({ name }) => name);
    assert.deepEqual(new Set(names).size, 5);
    assert.equal(names.at(-1), 'b');
  });
});
