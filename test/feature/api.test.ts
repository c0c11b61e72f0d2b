/** The admin API over real HTTP. */

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { adminLimits, startAdminServer } from '../../src/api/admin-server.ts';
import { createMetrics } from '../../src/api/metrics.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { type AdminRig, type RigOptions, startRig } from './api-rig.ts';
import { sampleMesh } from './api-sample-mesh.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** node:http rather than fetch: it sends the Host and Origin headers that it is told. */
function call(url: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const rule = (version: string): string => `
apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: reviews, namespace: shop}
spec: {service: reviews, routes: [{backends: [{version: ${version}}]}]}
`;

const yaml = { 'content-type': 'application/yaml' };

describe('the admin API', () => {
  const rigs: AdminRig[] = [];
  const start = async (options?: RigOptions): Promise<AdminRig> => {
    const rig = await startRig(options);
    rigs.push(rig);
    return rig;
  };
  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.stop()));
  });

  it('answers health plainly and, when asked, check by check', async () => {
    const { url, mesh } = await start();
    assert.equal((await call(`${url}/livez`)).text, 'ok');
    assert.equal((await call(`${url}/readyz`)).text, 'ok');
    mesh.ready = false;
    const ready = await call(`${url}/readyz?verbose`);
    assert.equal(ready.status, 503);
    assert.equal(ready.text, '[+]ping ok\n[-]clusters-synced failed: west has not answered\nreadyz check failed\n');
    assert.equal((await call(`${url}/livez`)).status, 200, 'a pilot that waits for clusters is alive');
    assert.equal((await call(`${url}/healthz`)).status, 503);
  });

  it('lists every kind, filtered', async () => {
    const { url } = await start({ mesh: sampleMesh(Date.now()) });
    const names = async (path: string): Promise<unknown[]> => {
      const { items } = (await call(`${url}/api/v1/${path}`)).json() as {
        items: { name?: string; address?: string }[];
      };
      return items.map(({ name, address }) => name ?? address);
    };
    assert.deepEqual(await names('clusters'), ['east', 'west', 'west-2']);
    assert.deepEqual(await names('clusters?name=west'), ['west']);
    assert.deepEqual(await names('services?namespace=shop&cluster=west'), ['reviews']);
    assert.deepEqual(await names('services?namespace=other'), []);
    assert.deepEqual(await names('endpoints?name=reviews&cluster=west'), ['10.2.0.30', 'fd00:10:2::1f']);
    assert.deepEqual(await names('rules?name=reviews'), ['reviews']);
    assert.deepEqual((await call(`${url}/api/v1/proxies?name=web-1`)).json()['items'], [
      sampleProxy((await call(`${url}/api/v1/proxies`)).json(), 'web-1'),
    ]);
  });

  it('pages a list without repeating or losing anything', async () => {
    const { url, mesh } = await start({ mesh: sampleMesh(Date.now()) });
    const seen: unknown[] = [];
    let next = '';
    do {
      const page = (await call(`${url}/api/v1/endpoints?limit=1${next}`)).json();
      for (const { address } of page['items'] as { address: string }[]) seen.push(address);
      next = page['continue'] === undefined ? '' : `&continue=${encodeURIComponent(String(page['continue']))}`;
      // What was already shown goes away in between: the rest still comes, once.
      if (seen.length === 1) mesh.endpoints = mesh.endpoints.filter(({ address }) => address !== seen[0]);
    } while (next !== '');
    assert.deepEqual(seen, ['10.1.0.21', '10.1.0.22', '10.2.0.30', 'fd00:10:2::1f']);
  });

  it('says what is wrong with a request, always in one form', async () => {
    const { url } = await start();
    const wrong: [string, Call, number, string][] = [
      ['/api/v1/services?nmaespace=x', {}, 400, 'FW-API-006'],
      ['/api/v1/services?limit=0', {}, 400, 'FW-API-007'],
      ['/api/v1/services?limit=100000', {}, 400, 'FW-API-007'],
      ['/api/v2/services', {}, 404, 'FW-API-009'],
      ['/api/v1/apply', { method: 'POST', headers: yaml, body: ' ' }, 400, 'FW-API-014'],
      [
        '/api/v1/apply',
        { method: 'POST', headers: { 'content-type': 'text/plain' }, body: rule('v1') },
        415,
        'FW-API-011',
      ],
      ['/api/v1/apply', { method: 'POST', body: rule('v1') }, 415, 'FW-API-011'],
      ['/api/v1/apply?dryRun=maybe', { method: 'POST', headers: yaml, body: rule('v1') }, 400, 'FW-API-018'],
      [
        '/api/v1/apply',
        { method: 'POST', headers: yaml, body: 'x'.repeat(adminLimits.bodyBytes + 1) },
        413,
        'FW-API-010',
      ],
      ['/debug/config_dump', {}, 400, 'FW-API-015'],
      ['/debug/config_dump?node=nobody', {}, 404, 'FW-API-016'],
      ['/debug/log?level=loud', { method: 'PUT' }, 400, 'FW-API-017'],
    ];
    for (const [path, request, status, code] of wrong) {
      const answer = await call(url + path, request);
      assert.equal(answer.status, status, `${path}: ${answer.text}`);
      const body = answer.json();
      assert.deepEqual(Object.keys(body).sort(), ['code', 'hint', 'message', 'where'], path);
      assert.equal(body['code'], code, path);
    }
  });

  it('hides a failure of its own, and goes on', async () => {
    const rig = await start();
    Object.defineProperty(rig.mesh, 'clusters', {
      get: () => {
        throw new Error('secret path /etc/passwd');
      },
    });
    const answer = await call(`${rig.url}/api/v1/clusters`);
    assert.equal(answer.status, 500);
    assert.equal(answer.json()['code'], 'FW-API-099');
    assert.equal(answer.text.includes('passwd'), false);
    assert.equal((await call(`${rig.url}/api/v1/services`)).status, 200);
  });

  it('applies, dry or not, and deletes', async () => {
    const { url, mesh } = await start();
    const apply = (body: string, query = ''): Promise<Answer> =>
      call(`${url}/api/v1/apply${query}`, { method: 'POST', headers: yaml, body });
    const actions = (answer: Answer): unknown[] =>
      (answer.json()['results'] as { action: string }[]).map(({ action }) => action);

    assert.deepEqual(actions(await apply(rule('v1'), '?dryRun=true')), ['created']);
    assert.equal(mesh.rules.length, 0);
    assert.deepEqual(actions(await apply(rule('v1'))), ['created']);
    assert.deepEqual(actions(await apply(rule('v1'))), ['unchanged']);

    const bad = await apply(`${rule('v2')}---\n${rule('v3').replace('backends', 'bakcends')}`);
    assert.equal(bad.status, 422);
    assert.deepEqual(actions(bad), ['invalid', 'invalid']);
    assert.deepEqual(
      mesh.rules.map(({ generation }) => generation),
      [1],
      'nothing of a bad request is applied',
    );

    assert.equal((await call(`${url}/api/v1/rules/shop/reviews?dryRun=true`, { method: 'DELETE' })).status, 200);
    assert.equal(mesh.rules.length, 1);
    assert.equal((await call(`${url}/api/v1/rules/shop/reviews`, { method: 'DELETE' })).status, 200);
    const gone = await call(`${url}/api/v1/rules/shop/reviews`, { method: 'DELETE' });
    assert.equal(gone.status, 404);
    assert.deepEqual(actions(gone), ['not-found']);
  });

  it('switches the log level at run time', async () => {
    const rig = await start();
    assert.deepEqual((await call(`${rig.url}/debug/log?level=debug`, { method: 'PUT' })).json(), { level: 'debug' });
    assert.equal(rig.level(), 'debug');
    const json = { 'content-type': 'application/json' };
    await call(`${rig.url}/debug/log`, { method: 'PUT', headers: json, body: '{"level":"warn"}' });
    assert.deepEqual((await call(`${rig.url}/debug/log`)).json(), { level: 'warn' });
  });

  it('serves metrics in the Prometheus text format', async () => {
    const { url, metrics } = await start();
    metrics.nacked('CDS');
    const answer = await call(`${url}/metrics`);
    assert.match(String(answer.headers['content-type']), /^text\/plain; version=/);
    assert.match(answer.text, /^fairway_nacks_total\{type="CDS"\} 1$/m);
  });

  describe('keeps strangers out', () => {
    const token = 'a-token-of-the-right-length';

    it('on loopback: other host names (DNS rebinding), for reading and writing', async () => {
      const { url, mesh } = await start();
      const headers = { host: 'evil.example:15014', ...yaml };
      assert.equal((await call(`${url}/api/v1/services`, { headers })).status, 421);
      assert.equal((await call(`${url}/api/v1/apply`, { method: 'POST', headers, body: rule('v1') })).status, 421);
      assert.equal(mesh.rules.length, 0);
      const port = new URL(url).port;
      assert.equal((await call(`${url}/api/v1/services`, { headers: { host: `localhost:${port}` } })).status, 200);
    });

    it('on loopback: changes that a page of another site sends', async () => {
      const { url, mesh } = await start();
      const headers = { ...yaml, origin: 'https://evil.example' };
      const changes: [string, string][] = [
        ['POST', '/api/v1/apply'],
        ['DELETE', '/api/v1/rules/shop/reviews'],
        ['PUT', '/debug/log?level=debug'],
      ];
      for (const [method, path] of changes) {
        const body = method === 'POST' ? { body: rule('v1') } : {};
        assert.equal((await call(url + path, { method, headers, ...body })).status, 403, path);
      }
      assert.equal(mesh.rules.length, 0);
    });

    it('with a token: everything but bare health', async () => {
      const { url } = await start({ token: () => token });
      for (const path of ['/api/v1/rules', '/metrics', '/debug/log', '/readyz?verbose', '/nothing']) {
        const refused = await call(url + path);
        assert.equal(refused.status, 401, path);
        assert.match(String(refused.headers['www-authenticate']), /^Bearer/);
        assert.notEqual((await call(url + path, { headers: { authorization: `Bearer ${token}` } })).status, 401, path);
        assert.equal((await call(url + path, { headers: { authorization: 'Bearer nope' } })).status, 401, path);
      }
      assert.equal((await call(`${url}/livez`)).status, 200);
      assert.equal((await call(`${url}/readyz`)).status, 200);
    });

    it('beyond loopback: does not even start without a token', async () => {
      await assert.rejects(start({ host: '0.0.0.0' }), { code: 'FW-API-001' });
      const rig = await start({ host: '0.0.0.0', token: () => token });
      const headers = { host: 'pilot.example', authorization: `Bearer ${token}` };
      assert.equal((await call(`${rig.url}/api/v1/rules`, { headers })).status, 200);
    });
  });

  it('says which address it cannot have', async () => {
    const first = await start();
    const { port } = first.server.address;
    await assert.rejects(
      startAdminServer({
        source: { kinds: [] } as never,
        writer: {} as never,
        logLevel: {} as never,
        metrics: createMetrics(),
        clock: systemClock,
        logger: silentLogger,
        host: '127.0.0.1',
        port,
      }),
      { code: 'FW-API-008', message: /EADDRINUSE/ },
    );
  });
});

function sampleProxy(list: Record<string, unknown>, workload: string): unknown {
  const items = list['items'] as { identity: { workload: string } }[];
  return items.find(({ identity }) => identity.workload === workload);
}
