import assert from 'node:assert/strict';
import type { RouteId } from '../../../src/gateway-api/route.ts';
import { parentVerdicts } from '../../../src/gateway-api/verdicts.ts';
import type { RuleRoute } from '../../../src/model/rule.ts';
import { GatewayScene, target } from '../../support/gateway-objects.ts';

/** What a route leads to: `reviews-v1:80*70, 500*30`. */
function leads({ backends, redirect }: RuleRoute): string {
  if (redirect !== undefined) return `redirect ${redirect.statusCode}`;
  return backends
    .map(({ service, weight, refused }) =>
      refused === undefined ? `${service?.namespace}/${service?.name}:${service?.port}*${weight}` : `refused*${weight}`,
    )
    .join(', ');
}

function shown(routes: readonly RuleRoute[] | undefined): unknown {
  return routes?.map((route) => [
    route.matches
      .map(({ path, headers, source }) =>
        [
          path === undefined ? '/' : `${path.kind} ${path.value}`,
          ...headers.map(({ name }) => name),
          ...(source === undefined
            ? []
            : [source.namespace === '' ? `not ${source.notNamespaces?.join(' ')}` : `from ${source.namespace}`]),
        ].join(' '),
      )
      .join(' | '),
    leads(route),
    ...(route.ports === undefined ? [] : [route.ports.join(' ')]),
  ]);
}

const parent = '{group: "", kind: Service, name: reviews}';
const to = (name: string, weight = 1): string => `{name: ${name}, port: 80, weight: ${weight}}`;

function scene(): GatewayScene {
  return new GatewayScene()
    .service('shop/reviews', '80 requests http', '8080 requests alt', '6379 connections redis')
    .service('shop/v1')
    .service('shop/v2');
}

describe('routes of the Gateway API, compiled', () => {
  it('takes the group core for "", as others write it, and says the parent as it was written', () => {
    const one = scene().service('other/far');
    one.apply(`
kind: HTTPRoute
metadata: {name: written, namespace: shop}
spec:
  parentRefs: [{group: core, kind: Service, name: reviews, port: 80}]
  rules:
  - backendRefs:
    - {group: core, kind: Service, name: v1, port: 80}
    - {group: core, kind: Service, name: far, namespace: other, port: 80}
---
kind: ReferenceGrant
metadata: {name: shop, namespace: other}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: core, kind: Service}]}
`);
    assert.deepEqual(shown(one.rule()?.routes), [['', 'shop/v1:80*1, other/far:80*1', '80']]);
    const { parent: reference, problems } = one.outcome('HTTPRoute shop/written');
    assert.deepEqual(problems, []);
    assert.deepEqual(reference.given, { group: 'core', kind: 'Service', name: 'reviews', port: 80 });
  });

  it('sends to other services by weight; a backend that is missing is refused', () => {
    const one = scene();
    one.apply(`
kind: HTTPRoute
metadata: {name: split, namespace: shop}
spec:
  parentRefs: [${parent}]
  rules: [{backendRefs: [${to('v1', 90)}, ${to('v2', 8)}, ${to('gone', 2)}]}]
`);
    assert.deepEqual(shown(one.rule()?.routes), [['', 'shop/v1:80*90, shop/v2:80*8, refused*2']]);
    assert.deepEqual(one.rule()?.routes[0]?.takes, 'requests');
    const { problems, ports } = one.outcome('HTTPRoute shop/split');
    assert.deepEqual(ports, [80, 8080]);
    assert.deepEqual(
      problems.map(({ reason, message }) => [reason, message]),
      [['BackendNotFound', 'no cluster has a Service shop/gone']],
    );
    // It comes, and everything follows.
    one.service('shop/gone');
    assert.deepEqual([...one.table.update()], ['shop/reviews']);
    assert.deepEqual(shown(one.rule()?.routes), [['', 'shop/v1:80*90, shop/v2:80*8, shop/gone:80*2']]);
  });

  it('orders matches of several routes as the standard says', () => {
    const one = scene();
    one.apply(`
kind: HTTPRoute
metadata: {name: b, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  parentRefs: [${parent}]
  rules:
  - matches: [{path: {value: /}}, {headers: [{name: version, value: one}]}]
    backendRefs: [${to('v1')}]
  - matches: [{path: {value: /v2/}}, {headers: [{name: Version, value: two}]}, {path: {type: Exact, value: /v2/x}}, {path: {type: RegularExpression, value: /r.*}}]
    backendRefs: [${to('v2')}]
---
kind: HTTPRoute
metadata: {name: a, namespace: shop, creationTimestamp: "2025-01-01T00:00:00Z"}
spec:
  parentRefs: [${parent}]
  rules:
  - matches: [{path: {value: /v2}}]
    backendRefs: [${to('v1')}]
`);
    assert.deepEqual(shown(one.rule()?.routes), [
      ['exact /v2/x | regex /r.*', 'shop/v2:80*1'],
      ['prefix /v2', 'shop/v1:80*1'],
      ['prefix /v2', 'shop/v2:80*1'],
      ['/ version', 'shop/v1:80*1'],
      ['/ version', 'shop/v2:80*1'],
      ['', 'shop/v1:80*1'],
    ]);
    const names = one.rule()?.routes.map(({ name }) => name) ?? [];
    assert.equal(new Set(names).size, names.length);
    assert.equal(names[0], 'httproute/shop/b/1');
  });

  it('keeps to the ports that are named', () => {
    const one = scene();
    one.apply(`
kind: HTTPRoute
metadata: {name: one, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: reviews, port: 80}]
  rules: [{backendRefs: [${to('v1')}]}]
`);
    assert.deepEqual(shown(one.rule()?.routes), [['', 'shop/v1:80*1', '80']]);
    one.apply(`
kind: HTTPRoute
metadata: {name: one, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: reviews, sectionName: alt}]
  rules: [{backendRefs: [${to('v1')}]}]
`);
    assert.deepEqual(shown(one.rule()?.routes), [['', 'shop/v1:80*1', '8080']]);
    one.apply(`
kind: HTTPRoute
metadata: {name: one, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: reviews, port: 81}, {group: "", kind: Service, name: reviews, port: 6379}, {group: "", kind: Service, name: gone}]
  rules: [{backendRefs: [${to('v1')}]}]
`);
    assert.equal(one.rule(), undefined);
    const refusals = [0, 1, 2].map((index) => one.outcome('HTTPRoute shop/one', index).refusal);
    assert.deepEqual(
      refusals.map((refusal) => refusal?.reason),
      ['NoMatchingParent', 'NoMatchingParent', 'NoMatchingParent'],
    );
    assert.match(
      refusals[0]?.message ?? '',
      /has no TCP port with number 81; it has 80 \(http\), 8080 \(alt\), 6379 \(redis\)/,
    );
    assert.match(refusals[1]?.message ?? '', /is carried as TCP/);
    assert.match(refusals[2]?.message ?? '', /no cluster has a Service shop\/gone/);
  });

  it('shows a consumer’s route to the proxies of its namespace alone, in the place of the producer’s', () => {
    const one = scene();
    const consumer = `
kind: HTTPRoute
metadata: {name: mine, namespace: web}
spec:
  parentRefs: [{group: "", kind: Service, name: reviews, namespace: shop, port: 80}]
  rules: [{backendRefs: [{name: reviews, namespace: shop, port: 80}]}]
`;
    one.apply(consumer);
    // No grant is needed to the very service that it is for. All others, and other ports, go on as without it.
    assert.deepEqual(shown(one.rule()?.routes), [
      ['/ from web', 'shop/reviews:80*1', '80'],
      ['/ not web', 'undefined/undefined:undefined*1', '80'],
    ]);
    one.apply(`
kind: HTTPRoute
metadata: {name: ours, namespace: shop}
spec:
  parentRefs: [${parent}]
  rules: [{backendRefs: [${to('v1')}]}]
`);
    assert.deepEqual(shown(one.rule()?.routes), [
      ['/ from web', 'shop/reviews:80*1', '80'],
      ['/ not web', 'shop/v1:80*1', '80'],
      ['', 'shop/v1:80*1', '8080'],
    ]);
  });

  it('asks for a grant to other namespaces, and follows it', () => {
    const one = scene().service('other/v3');
    one.apply(`
kind: HTTPRoute
metadata: {name: far, namespace: shop}
spec:
  parentRefs: [${parent}]
  rules: [{backendRefs: [{name: v3, namespace: other, port: 80}]}]
`);
    assert.deepEqual(shown(one.rule()?.routes), [['', 'refused*1']]);
    assert.equal(one.outcome('HTTPRoute shop/far').problems[0]?.reason, 'RefNotPermitted');
    const grant = (kind: string, name = ''): string => `
kind: ReferenceGrant
metadata: {name: shop, namespace: other}
spec: {from: [{group: gateway.networking.k8s.io, kind: ${kind}, namespace: shop}], to: [{group: "", kind: Service${name}}]}
`;
    for (const [text, works] of [
      [grant('GRPCRoute'), false],
      [grant('HTTPRoute', ', name: v4'), false],
      [grant('HTTPRoute', ', name: v3'), true],
      [grant('HTTPRoute'), true],
    ] as const) {
      one.apply(text);
      assert.deepEqual(shown(one.rule()?.routes), [['', works ? 'other/v3:80*1' : 'refused*1']], text);
    }
    assert.deepEqual([...one.delete('ReferenceGrant other/shop')], ['shop/reviews']);
    assert.deepEqual(shown(one.rule()?.routes), [['', 'refused*1']]);
  });

  it('takes one kind of route per port, and says which goes first', () => {
    const one = scene();
    one.apply(`
kind: HTTPRoute
metadata: {name: http, namespace: shop}
spec: {parentRefs: [${parent}], rules: [{backendRefs: [${to('v1')}]}]}
---
kind: GRPCRoute
metadata: {name: grpc, namespace: shop}
spec: {parentRefs: [{group: "", kind: Service, name: reviews, port: 8080}], rules: [{backendRefs: [${to('v2')}]}]}
---
kind: TCPRoute
metadata: {name: tcp, namespace: shop}
spec: {parentRefs: [${parent}], rules: [{backendRefs: [${to('v1')}]}]}
---
kind: TLSRoute
metadata: {name: tls, namespace: shop}
spec: {parentRefs: [${parent}], hostnames: [a.example], rules: [{backendRefs: [${to('v2')}]}]}
`);
    assert.deepEqual(shown(one.rule()?.routes), [
      ['', 'shop/v1:80*1', '80'],
      ['', 'shop/v2:80*1', '8080'],
      ['', 'shop/v2:80*1'],
    ]);
    assert.equal(one.outcome('HTTPRoute shop/http').note, 'GRPCRoute shop/grpc goes first for port 8080');
    assert.equal(one.outcome('TCPRoute shop/tcp').refusal?.reason, 'Conflicted');
    one.delete('TLSRoute shop/tls');
    assert.deepEqual(one.rule()?.routes.at(-1)?.takes, 'connections');
    assert.equal(one.outcome('TCPRoute shop/tcp').refusal, undefined);
  });

  it('takes a TLSRoute of v1alpha2 without server names for what no other takes, and of its rules the first', () => {
    const one = scene();
    const tls = (name: string, spec: string): string => `
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TLSRoute
metadata: {name: ${name}, namespace: shop, creationTimestamp: "2024-01-01T00:00:00Z"}
spec: {parentRefs: [${parent}], ${spec}}
`;
    one.apply(tls('all', `rules: [{backendRefs: [${to('v1')}]}, {backendRefs: [${to('gone')}]}]`));
    one.apply(tls('some', `hostnames: [a.example], rules: [{backendRefs: [${to('v2')}]}]`));
    assert.deepEqual(
      one.rule()?.routes.map((route) => [route.sni, leads(route)]),
      [
        [['a.example'], 'shop/v2:80*1'],
        [undefined, 'shop/v1:80*1'],
      ],
    );
    one.apply(tls('younger', `rules: [{backendRefs: [${to('v2')}]}]`));
    assert.deepEqual(one.outcome('TLSRoute shop/younger').ports, []);
    assert.match(one.outcome('TLSRoute shop/younger').note ?? '', /TLSRoute shop\/all goes first for port 6379/);
  });

  it('takes several TCPRoutes and TLSRoutes for a port as they are, and goes by the oldest', () => {
    const one = scene();
    const tcp = (name: string, to_: string, second: number, ports = ''): string => `
kind: TCPRoute
metadata: {name: ${name}, namespace: shop, creationTimestamp: "2026-01-01T00:00:0${second}Z"}
spec: {parentRefs: [{group: "", kind: Service, name: reviews${ports}}], rules: [{backendRefs: [${to(to_)}]}]}
`;
    one.apply(`${tcp('b', 'v1', 1)}---${tcp('a', 'v2', 2)}`);
    assert.deepEqual(shown(one.rule()?.routes), [['', 'shop/v1:80*1']]);
    const told = (id: RouteId): unknown => {
      const outcome = one.outcome(id);
      const [[, accepted] = []] = parentVerdicts(outcome, undefined);
      return [outcome.ports, accepted?.status, accepted?.message];
    };
    assert.deepEqual(told('TCPRoute shop/b'), [[6379], 'True', 'the route is in force']);
    const message = 'the route is valid, and nothing goes by it: TCPRoute shop/b goes first for port 6379, being older';
    assert.deepEqual(told('TCPRoute shop/a'), [[], 'True', message]);
    one.delete('TCPRoute shop/b');
    assert.deepEqual(told('TCPRoute shop/a'), [[6379], 'True', 'the route is in force']);
    one.delete('TCPRoute shop/a');
    const tls = (name: string, names: string, second: number): string => `
kind: TLSRoute
metadata: {name: ${name}, namespace: shop, creationTimestamp: "2026-01-01T00:00:0${second}Z"}
spec: {parentRefs: [${parent}], hostnames: [${names}], rules: [{backendRefs: [${to('v1')}]}]}
`;
    one.apply(
      `${tls('y', 'a.example, b.example', 1)}---${tls('x', 'b.example, c.example', 2)}---${tls('w', 'a.example', 3)}`,
    );
    assert.deepEqual(
      one.rule()?.routes.map(({ name, sni }) => [name, sni]),
      [
        ['tlsroute/shop/y/0', ['a.example', 'b.example']],
        ['tlsroute/shop/x/0', ['c.example']],
      ],
    );
    assert.deepEqual(told('TLSRoute shop/x'), [
      [6379],
      'True',
      'the route is in force; TLSRoute shop/y goes first for b.example, being older',
    ]);
    assert.deepEqual(told('TLSRoute shop/w'), [
      [],
      'True',
      'the route is valid, and nothing goes by it: TLSRoute shop/y goes first for a.example, being older',
    ]);
  });

  it('answers for a rule that asks for what is not supported, and passes over nothing', () => {
    const one = scene();
    one.apply(`
kind: HTTPRoute
metadata: {name: half, namespace: shop}
spec:
  parentRefs: [${parent}]
  rules:
  - matches: [{path: {value: /guarded}}]
    filters: [{type: ExternalAuth, externalAuth: {protocol: GRPC}}]
    backendRefs: [${to('v1')}]
  - backendRefs: [${to('v2')}]
`);
    assert.deepEqual(shown(one.rule()?.routes), [
      ['prefix /guarded', 'refused*1'],
      ['', 'shop/v2:80*1'],
    ]);
  });

  it('means the clusterset by a ServiceImport, and the client’s own cluster by a Service, where only exported services merge', () => {
    const one = new GatewayScene('exported').service('shop/reviews').service('shop/v1').service('shop/v2');
    one.services.set('shop/v2', { ...target('80 requests'), isImported: false });
    one.apply(`
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [${parent}, {group: multicluster.x-k8s.io, kind: ServiceImport, name: v1}, {group: multicluster.x-k8s.io, kind: ServiceImport, name: v2}]
  rules:
  - backendRefs:
    - {name: v1, port: 80}
    - {group: multicluster.x-k8s.io, kind: ServiceImport, name: v1, port: 80}
    - {group: multicluster.x-k8s.io, kind: ServiceImport, name: v2, port: 80}
`);
    assert.deepEqual(
      one.rule()?.routes[0]?.backends.map(({ service, refused }) => service ?? refused),
      [
        { namespace: 'shop', name: 'v1', port: 80 },
        { namespace: 'clusterset:shop', name: 'v1', host: 'v1.shop.svc.clusterset.local', port: 80 },
        'no cluster exports shop/v2',
      ],
    );
    assert.notEqual(one.rule('shop/v1'), undefined);
    assert.equal(one.outcome('HTTPRoute shop/r', 2).refusal?.message, 'no cluster exports shop/v2');
  });

  it('gives copies to whom they may be given, and to no other', () => {
    const one = scene();
    const mirror = (name: string): string =>
      `{type: RequestMirror, requestMirror: {percent: 5, backendRef: {name: ${name}, port: 80}}}`;
    one.apply(`
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [${parent}]
  rules: [{filters: [${mirror('v2')}, ${mirror('gone')}], backendRefs: [${to('v1')}]}]
`);
    assert.deepEqual(
      one.rule()?.routes[0]?.mirrors?.map(({ service, percent }) => [service?.name, percent]),
      [['v2', 5]],
    );
    assert.equal(one.outcome('HTTPRoute shop/r').problems[0]?.reason, 'BackendNotFound');
  });

  it('refuses what is no backend for requests', () => {
    const one = scene().service('shop/tls', '443 connections https tls').service('shop/dns', '53 connections dns udp');
    one.services.set('shop/alias', { ...target('80 requests'), isAlias: true });
    const reasons = (ref: string, more = ''): unknown => {
      one.apply(`
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec: {parentRefs: [${parent}], rules: [{backendRefs: [${ref}]}]${more}}
`);
      return one.outcome('HTTPRoute shop/r').problems.map(({ reason }) => reason);
    };
    assert.deepEqual(reasons('{name: tls, port: 443}'), ['UnsupportedProtocol']);
    assert.deepEqual(reasons('{name: dns, port: 53}'), ['UnsupportedProtocol']);
    assert.deepEqual(reasons('{name: v1, port: 81}'), ['BackendNotFound']);
    assert.deepEqual(reasons('{name: alias, port: 80}'), ['InvalidKind']);
    assert.deepEqual(reasons('{group: a.b, kind: Bucket, name: v1}'), ['InvalidKind']);
    assert.deepEqual(reasons('{group: multicluster.x-k8s.io, kind: ServiceImport, name: v1}'), ['BackendNotFound']);
    // Plain TCP may be HTTP that nobody said anything of.
    assert.deepEqual(reasons('{name: reviews, port: 6379}'), []);
  });

  it('tries no request on an expression that no proxy takes, and lets none through for it', () => {
    const one = scene();
    const regexes = (...paths: readonly string[]): string => `
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [${parent}]
  rules: [{matches: [${paths.map((value) => `{path: {type: RegularExpression, value: "${value}"}}`).join()}], backendRefs: [${to('v1')}]}]
`;
    one.apply(regexes('(', '/a.*'));
    assert.deepEqual(shown(one.rule()?.routes), [['regex /a.*', 'refused*1']]);
    one.apply(regexes('('));
    assert.deepEqual(shown(one.rule()?.routes), [['', 'refused*1']]);
  });
});
