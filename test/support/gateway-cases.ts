/** Objects of the Gateway API that its CRDs refuse, each for one reason, and some that they take. In YAML, without their apiVersion. */

export const head = (kind: string): string => `kind: ${kind}\nmetadata: {name: r, namespace: shop}\nspec:\n`;
export const parent = '  parentRefs: [{group: "", kind: Service, name: reviews}]\n';
export const http = (rules: string): string => `${head('HTTPRoute')}${parent}  rules: [${rules}]\n`;
export const grpc = (rules: string): string => `${head('GRPCRoute')}${parent}  rules: [${rules}]\n`;
const tls = (hosts: string, backends = '{name: a, port: 1}'): string =>
  `${head('TLSRoute')}${parent}  hostnames: [${hosts}]\n  rules: [{backendRefs: [${backends}]}]\n`;

export const filter = (type: string, more: string): string => `{filters: [{type: ${type}, ${more}}]}`;
const path = (value: string, type = 'PathPrefix'): string => `{matches: [{path: {type: ${type}, value: ${value}}}]}`;

/** What is wrong, the object, and what is said of it here. */
export const refusedObjects: readonly (readonly [string, string, string])[] = [
  ['a rule that is none', http('5'), 'error FW-RULE-007'],
  ['a field that there is not', http('{match: []}'), 'error FW-RULE-006'],
  ['a parent without a name', `${head('HTTPRoute')}  parentRefs: [{kind: Service}]\n`, 'error FW-RULE-008'],
  ['a namespace that is none', `${head('HTTPRoute')}  parentRefs: [{name: a, namespace: A}]\n`, 'error FW-GWAPI-001'],
  ['one parent twice', `${head('HTTPRoute')}  parentRefs: [{name: a}, {name: a}]\n`, 'error FW-GWAPI-002'],
  ['a relative path', http(path('x')), 'error FW-GWAPI-003'],
  ['two slashes', http(path('/a//b', 'Exact')), 'error FW-GWAPI-003'],
  ['an escaped slash', http(path('/a%2Fb')), 'error FW-GWAPI-003'],
  ['a path that goes up', http(path('/a/..')), 'error FW-GWAPI-003'],
  ['a space in a path', http(path('/a b', 'Exact')), 'error FW-GWAPI-003'],
  ['a query in a path', http(path('"/a?b"')), 'error FW-GWAPI-003'],
  ['an unknown type of path', http(path('/', 'Suffix')), 'error FW-GWAPI-005'],
  ['a method in small letters', http('{matches: [{method: get}]}'), 'error FW-GWAPI-005'],
  [
    'one header twice',
    http('{matches: [{headers: [{name: a, value: b}, {name: a, value: c}]}]}'),
    'error FW-GWAPI-010',
  ],
  ['a filter without what it does', http('{filters: [{type: URLRewrite}]}'), 'error FW-GWAPI-004'],
  ['a filter that says another', http(filter('CORS', 'urlRewrite: {}')), 'error FW-GWAPI-004'],
  [
    'a redirect and a rewrite',
    http('{filters: [{type: URLRewrite, urlRewrite: {}}, {type: RequestRedirect, requestRedirect: {}}]}'),
    'error FW-GWAPI-004',
  ],
  [
    'a filter twice',
    http('{filters: [{type: URLRewrite, urlRewrite: {}}, {type: URLRewrite, urlRewrite: {}}]}'),
    'error FW-GWAPI-004',
  ],
  [
    'a redirect with backends',
    http('{filters: [{type: RequestRedirect, requestRedirect: {}}], backendRefs: [{name: a, port: 1}]}'),
    'error FW-GWAPI-006',
  ],
  [
    'a prefix replaced that is not matched',
    http(
      `{matches: [{path: {type: Exact, value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}`,
    ),
    'error FW-GWAPI-007',
  ],
  [
    'a status that is no redirect',
    http(filter('RequestRedirect', 'requestRedirect: {statusCode: 300}')),
    'error FW-GWAPI-005',
  ],
  ['a bad duration', http('{timeouts: {request: 1.5s}}'), 'error FW-GWAPI-008'],
  ['tries longer than the request', http('{timeouts: {request: 1s, backendRequest: 2s}}'), 'error FW-GWAPI-008'],
  ['a Service without a port', http('{backendRefs: [{name: a}]}'), 'error FW-GWAPI-013'],
  ['a weight below 0', http('{backendRefs: [{name: a, port: 1, weight: -1}]}'), 'error FW-GWAPI-005'],
  [
    'percent and fraction',
    http(
      filter('RequestMirror', 'requestMirror: {backendRef: {name: a, port: 1}, percent: 1, fraction: {numerator: 1}}'),
    ),
    'error FW-GWAPI-014',
  ],
  ['* beside others', http(filter('CORS', 'cors: {allowMethods: [GET, "*"]}')), 'error FW-GWAPI-015'],
  ['an origin that is none', http(filter('CORS', 'cors: {allowOrigins: [example.com]}')), 'error FW-GWAPI-005'],
  [
    'too many matches',
    http(Array.from({ length: 3 }, () => `{matches: [${Array.from({ length: 43 }, () => '{}').join()}]}`).join()),
    'error FW-GWAPI-009',
  ],
  ['a call to nothing', grpc('{matches: [{method: {}}]}'), 'error FW-GWAPI-011'],
  ['a gRPC service that is none', grpc('{matches: [{method: {service: "a/b"}}]}'), 'error FW-GWAPI-011'],
  ['an address for a name', tls('10.0.0.1'), 'error FW-GWAPI-012'],
  ['no name', `${head('TLSRoute')}${parent}  rules: [{backendRefs: [{name: a, port: 1}]}]\n`, 'error FW-RULE-008'],
  ['no backends', `${head('TCPRoute')}${parent}  rules: [{backendRefs: []}]\n`, 'error FW-RULE-009'],
  [
    'a grant for nobody',
    `${head('ReferenceGrant')}  from: []\n  to: [{group: "", kind: Service}]\n`,
    'error FW-RULE-009',
  ],
];

export const takenObjects: readonly string[] = [
  http('{matches: null, filters: null, backendRefs: [{name: a, port: 80, weight: null}]}'),
  http(filter('RequestHeaderModifier', 'requestHeaderModifier: {set: null, add: null, remove: null}')),
  `${head('HTTPRoute')}${parent}  rules: null\n`,
  `${head('ReferenceGrant')}  from: [{group: a.b, kind: C, namespace: d}]\n  to: [{group: "", kind: Service, name: null}]\n`,
  http('{}'),
  http('{backendRefs: [{name: a, port: 80}]}'),
  http('{matches: [{path: {type: RegularExpression, value: "("}}]}'),
  http('{matches: [{headers: [{name: a, value: b}, {name: A, value: c}]}]}'),
  http('{backendRefs: [{group: a.b, kind: C, name: d}]}'),
  http(filter('ExternalAuth', 'externalAuth: {protocol: GRPC, backendRef: {name: a, port: 1}, grpc: {}}')),
  http(filter('RequestHeaderModifier', 'requestHeaderModifier: {set: [{name: Host, value: a}]}')),
  http(filter('CORS', 'cors: {allowOrigins: ["https://*.example.com"], allowHeaders: ["*"], allowCredentials: true}')),
  http('{retry: {attempts: 2, codes: [500], backoff: 1s}, timeouts: {request: 0s, backendRequest: 1s}}'),
  http('{sessionPersistence: {sessionName: a}}'),
  http(filter('URLRewrite', 'urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: ""}}')),
  `${head('HTTPRoute')}  parentRefs: [{name: a, port: 1}, {name: a, port: 2}]\n`,
  grpc('{matches: [{method: {service: a.B}}], backendRefs: [{name: a, port: 1}]}'),
  tls('"*.example.com"'),
  `${head('TCPRoute')}${parent}  rules: [{backendRefs: [{name: a, port: 1, weight: 0}]}]\n`,
  `${head('ReferenceGrant')}  from: [{group: a.b, kind: C, namespace: d}]\n  to: [{group: "", kind: Service}]\n`,
];
