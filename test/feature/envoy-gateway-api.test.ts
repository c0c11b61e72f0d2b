/**
 * Routes of the Gateway API bound to Services, through a whole pilot and real Envoys: what clients get. Skipped, and said so, where there is no
 * Envoy.
 */

import assert from 'node:assert/strict';
import { connect as connectH2 } from 'node:http2';
import { waitFor } from '../rig/wait.ts';
import { port } from '../support/fixtures.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { startHttpWorkload, type Workload } from './envoy-rig.ts';
import { GatewayRig } from './gateway-rig.ts';
import { type Sidecar, startSidecar, whenReady } from './vhds-rig.ts';

const parent = '{group: "", kind: Service, name: reviews, namespace: shop}';

function httpRoute(
  name: string,
  rules: string,
  more: { readonly parents?: string; readonly namespace?: string } = {},
): string {
  const { parents = parent, namespace = 'shop' } = more;
  return `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: ${name}, namespace: ${namespace}},
spec: {parentRefs: [${parents}], rules: [${rules}]}}`;
}

const to = (name: string, weight = 1): string => `{name: ${name}, port: 80, weight: ${weight}}`;

for (const config of ['eager', 'on-demand'] as const)
  describe(`routes of the Gateway API, with a real Envoy that holds its configuration ${config}`, function () {
    this.timeout(60_000);
    let rig: GatewayRig;
    let sidecar: Sidecar;
    let consumer: Sidecar;
    const workloads: Workload[] = [];

    before(async function () {
      rig = await GatewayRig.start();
      for (const name of ['reviews', 'v1', 'v2', 'far']) workloads.push(await startHttpWorkload(name));
      const [own, v1, v2, far] = workloads as [Workload, Workload, Workload, Workload];
      rig.service('reviews', [own], { ports: [port(80), port(8080, 'http', 'alt')] });
      rig.service('v1', [v1]);
      rig.service('v2', [v2]);
      rig.service('far', [far], { namespace: 'other' });
      const started = await startSidecar(rig.port, { config });
      if (started === undefined) return skip(this, noEnvoy);
      sidecar = started;
      consumer = (await startSidecar(rig.port, { config, namespace: 'web' })) as Sidecar;
      await whenReady(sidecar);
      await whenReady(consumer);
    });

    after(async () => {
      await sidecar?.stop();
      await consumer?.stop();
      await rig?.stop();
      for (const workload of workloads) await workload.stop();
    });

    afterEach(() => {
      for (const { kind, name, namespace } of rig.assembly.stages.flatMap((stage) => stage.reports()))
        rig.delete(kind, name, namespace);
      rig.delete('TrafficRule', 'reviews');
    });

    /** The names of those who answered `count` requests. */
    async function answers(count: number, path = '/', host = 'reviews.shop'): Promise<Map<string, number>> {
      const all = new Map<string, number>();
      for (let i = 0; i < count; i++) {
        const { status, said } = await sidecar.ask(host, { path });
        const who = status === 200 ? said.name : String(status);
        all.set(who, (all.get(who) ?? 0) + 1);
      }
      return all;
    }

    async function becomes(
      who: string,
      ask: Parameters<Sidecar['ask']>[1] = {},
      from = sidecar,
      host = 'reviews.shop',
    ): Promise<void> {
      let last = '';
      await waitFor(
        `${who} to answer`,
        async () => {
          const { status, said, body } = await from.ask(host, ask);
          last = `${status} ${body}`;
          return (status === 200 ? said.name : String(status)) === who;
        },
        {},
        () => last,
      );
    }

    it('splits between two services, as the weights say', async () => {
      await becomes('reviews');
      rig.apply(httpRoute('split', `{backendRefs: [${to('v1', 90)}, ${to('v2', 10)}]}`));
      await becomes('v1');
      await rig.settled();
      const shares = await answers(300);
      assert.deepEqual([...shares.keys()].sort(), ['v1', 'v2']);
      const v2 = shares.get('v2') ?? 0;
      assert.ok(v2 > 9 && v2 < 60, `${v2} of 300`);
      assert.deepEqual(rig.conditions('HTTPRoute', 'split'), [
        'Accepted True Accepted',
        'ResolvedRefs True ResolvedRefs',
        'Programmed True Programmed',
      ]);
    });

    it('matches headers and paths, and answers 404 to what no rule takes', async () => {
      rig.apply(
        httpRoute(
          'match',
          `{matches: [{path: {value: /v2}}, {headers: [{name: X-Group, value: beta}]}], backendRefs: [${to('v2')}]},
           {matches: [{path: {type: Exact, value: /one}}], backendRefs: [${to('v1')}]}`,
        ),
      );
      await becomes('v1', { path: '/one' });
      await becomes('v2', { path: '/v2/x' });
      await becomes('v2', { path: '/', headers: { 'x-group': 'beta' } });
      await becomes('404', { path: '/v2x' });
    });

    it('redirects with the port that the standard says', async () => {
      rig.apply(
        httpRoute(
          'redirect',
          `{matches: [{path: {value: /host}}], filters: [{type: RequestRedirect, requestRedirect: {hostname: www.example.com, statusCode: 301}}]},
           {matches: [{path: {value: /tls}}], filters: [{type: RequestRedirect, requestRedirect: {scheme: https, path: {type: ReplacePrefixMatch, replacePrefixMatch: /secure}}}]}`,
        ),
      );
      await becomes('301', { path: '/host/a' });
      const location = async (path: string, host = 'reviews.shop'): Promise<string | undefined> =>
        (await sidecar.ask(host, { path })).headers.location;
      assert.equal(await location('/host/a'), 'http://www.example.com/host/a');
      assert.equal(await location('/tls/a?b=c'), 'https://reviews.shop/secure/a?b=c');
      assert.equal(await location('/host/a', 'reviews.shop:8080'), 'http://www.example.com:8080/host/a');
      assert.equal(await location('/tls/a', 'reviews.shop:8080'), 'https://reviews.shop:443/secure/a');
    });

    it('changes headers for a rule, and for the share of one backend', async () => {
      rig.apply(
        httpRoute(
          'headers',
          `{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Rule, value: yes}]}}],
            backendRefs: [{name: v1, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {add: [{name: X-Who, value: one}]}}]}]}`,
        ),
      );
      await becomes('v1');
      const { headers, said } = await sidecar.ask('reviews.shop');
      assert.deepEqual([headers['x-rule'], said.headers['x-who']], ['yes', 'one']);
    });

    it('copies requests to another service', async () => {
      const copies: (string | undefined)[] = [];
      const shadow = await startMirrorTarget((path) => copies.push(path));
      workloads.push(shadow);
      rig.service('shadow', [shadow]);
      rig.apply(
        httpRoute(
          'mirror',
          `{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: shadow, port: 80}}}], backendRefs: [${to('v1')}]}`,
        ),
      );
      // On demand the first ones may be copied to an Envoy cluster that is not there yet.
      await waitFor('a copy', async () => {
        await becomes('v1', { path: '/copied' });
        return copies.length > 0;
      });
      assert.deepEqual([...new Set(copies)], ['/copied']);
    });

    it('shows a consumer’s route to its own namespace alone', async () => {
      rig.apply(
        httpRoute(
          'theirs',
          `{backendRefs: [{name: reviews, namespace: shop, port: 80}], filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-consumer, value: web}]}}]}`,
          { namespace: 'web' },
        ),
      );
      await waitFor(
        'the consumer’s route',
        async () => (await consumer.ask('reviews.shop')).headers['x-consumer'] === 'web',
      );
      await becomes('reviews');
      assert.equal((await sidecar.ask('reviews.shop')).headers['x-consumer'], undefined);
      rig.apply(httpRoute('ours', `{backendRefs: [${to('v1')}]}`));
      await becomes('v1');
      await becomes('reviews', {}, consumer);
    });

    it('follows grants to another namespace', async () => {
      rig.apply(httpRoute('far', `{backendRefs: [{name: far, namespace: other, port: 80}]}`));
      await becomes('500');
      assert.deepEqual(rig.conditions('HTTPRoute', 'far').slice(0, 2), [
        'Accepted True Accepted',
        'ResolvedRefs False RefNotPermitted',
      ]);
      rig.apply(`{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {name: shop, namespace: other},
        spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service}]}}`);
      await becomes('far');
      rig.delete('ReferenceGrant', 'shop', 'other');
      await becomes('500');
    });

    it('answers 500 for the share of a backend that is missing, until it comes', async () => {
      rig.apply(httpRoute('half', `{backendRefs: [${to('v1')}, ${to('late')}]}`));
      await becomes('v1');
      await becomes('500');
      await rig.settled();
      const shares = await answers(100);
      assert.deepEqual([...shares.keys()].sort(), ['500', 'v1']);
      assert.equal(rig.conditions('HTTPRoute', 'half')[1], 'ResolvedRefs False BackendNotFound');
      rig.service(
        'late',
        workloads.filter(({ name }) => name === 'v2'),
      );
      await becomes('v2');
      await rig.settled();
      assert.deepEqual([...(await answers(40)).keys()].sort(), ['v1', 'v2']);
      rig.removeService('late');
      await becomes('500');
    });

    it('keeps to the port that is named', async () => {
      rig.apply(httpRoute('port', `{backendRefs: [${to('v1')}]}`, { parents: parent.replace('}', ', port: 8080}') }));
      await becomes('v1', {}, sidecar, 'reviews.shop:8080');
      await becomes('reviews');
    });

    it('routes gRPC by its methods, and says UNAVAILABLE for what is not there', async () => {
      for (const name of ['calls', 'calls-v2']) {
        const workload = await startHttpWorkload(name, 'h2c');
        workloads.push(workload);
        rig.service(name, [workload], { ports: [port(9000, 'grpc')] });
      }
      rig.apply(`{apiVersion: gateway.networking.k8s.io/v1, kind: GRPCRoute, metadata: {name: calls, namespace: shop}, spec: {
        parentRefs: [{group: "", kind: Service, name: calls}], rules: [
        {matches: [{method: {service: a.Greeter, method: Hello}}], backendRefs: [{name: calls-v2, port: 9000}]},
        {matches: [{method: {service: a.Greeter}}], backendRefs: [{name: calls, port: 9000}, {name: gone, port: 9000, weight: 0}]},
        {matches: [{method: {service: a.Gone}}], backendRefs: [{name: gone, port: 9000}]},
        {matches: [{method: {service: a.Half}}], backendRefs: [{name: gone, port: 9000}, {name: calls, port: 9000, weight: 0}]}]}}`);
      const to = (path: string): Promise<string> => call(sidecar.proxyPort, 'calls.shop:9000', path);
      await waitFor('the route', async () => (await to('/a.Greeter/Hello')) === 'calls-v2');
      assert.equal(await to('/a.Greeter/Other'), 'calls');
      assert.equal(await to('/a.Gone/Hello'), 'status 14');
      assert.equal(await to('/a.Half/Hello'), 'status 14');
      // UNIMPLEMENTED, for no rule takes it.
      assert.equal(await to('/b.Greeter/Hello'), 'status 12');
    });

    it('names the route in the access log', async () => {
      rig.apply(httpRoute('logged', `{name: all, backendRefs: [${to('v1')}]}`));
      await becomes('v1', { path: '/logged' });
      await waitFor(
        'the line',
        () => sidecar.logTail().includes('"route":"httproute/shop/logged/all"'),
        {},
        () => sidecar.logTail(),
      );
    });

    it('goes behind a TrafficRule with routes, and beside one with a policy', async () => {
      rig.apply(httpRoute('behind', `{backendRefs: [${to('v1')}]}`));
      await becomes('v1');
      rig.apply(
        '{apiVersion: fairway.dev/v1alpha1, kind: TrafficRule, metadata: {name: reviews, namespace: shop}, spec: {service: reviews, routes: [{backends: [{}]}]}}',
      );
      await becomes('reviews');
      assert.equal(rig.conditions('HTTPRoute', 'behind')[0], 'Accepted False Conflicted');
      rig.apply(
        '{apiVersion: fairway.dev/v1alpha1, kind: TrafficRule, metadata: {name: reviews, namespace: shop}, spec: {service: reviews, loadBalancing: {policy: roundRobin}}}',
      );
      await becomes('v1');
      await rig.settled();
      assert.deepEqual(rig.conditions('HTTPRoute', 'behind'), [
        'Accepted True Accepted',
        'ResolvedRefs True ResolvedRefs',
        'Programmed True Programmed',
      ]);
    });
  });

/** A gRPC call; says who answered, or `status <grpc-status>`. */
async function call(proxyPort: number, authority: string, path: string): Promise<string> {
  const session = connectH2(`http://127.0.0.1:${proxyPort}`);
  try {
    return await new Promise<string>((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        ':authority': authority,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      let status: string | undefined;
      let body = '';
      stream.on('error', reject);
      stream.on('response', (headers) => {
        status = headers['grpc-status']?.toString();
      });
      stream.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      stream.on('end', () => resolve(status === undefined ? String(JSON.parse(body).name) : `status ${status}`));
      stream.end();
    });
  } finally {
    session.destroy();
  }
}

/** Says which path its first request had. */
async function startMirrorTarget(seen: (path: string | undefined) => void): Promise<Workload> {
  const { createServer } = await import('node:http');
  const server = createServer((incoming, response) => {
    seen(incoming.url);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    name: 'shadow',
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
