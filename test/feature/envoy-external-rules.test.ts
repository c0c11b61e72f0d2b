/** A TrafficRule whose service is an ExternalService, with a real Envoy: what it says holds for all of the hosts. */

import assert from 'node:assert/strict';
import { noEnvoy, skip } from '../support/skips.ts';
import { type EnvoyRig, startEnvoyRig, startHttpWorkload, type Workload } from './envoy-rig.ts';
import { type PolicyEndpoint, startPolicyEndpoint } from './policy-rig.ts';

describe('a rule for hosts outside', function () {
  this.timeout(60_000);
  let rig: EnvoyRig;
  let pay: PolicyEndpoint;
  let echo: Workload;

  before(async function () {
    pay = await startPolicyEndpoint('pay');
    echo = await startHttpWorkload('echo', 'http', { address: '127.0.0.2', port: 0 });
    const started = await startEnvoyRig({ mode: 'explicit', inboundTarget: 1, routes: 'tables' });
    if (started === undefined) return skip(this, noEnvoy);
    rig = started;
  });

  after(async () => {
    await rig?.stop();
    await pay.close();
    await echo.stop();
  });

  afterEach(() => {
    pay.status = 200;
  });

  const eu = { region: 'eu', zone: 'eu-1' };
  const toPay = (): object => ({ address: '127.0.0.1', ports: [{ number: 80, targetPort: pay.port }], locality: eu });
  const toEcho = (): object => ({ address: '127.0.0.2', ports: [{ number: 80, targetPort: echo.port }] });

  /** The rule for the object's hosts; `services`: what clusters have. */
  const mesh = (spec: object, endpoints: readonly object[], services: readonly object[] = []): string =>
    JSON.stringify({
      settings: { outbound: 'registered-only' },
      services,
      externals: [
        {
          apiVersion: 'fairway.dev/v1alpha1',
          kind: 'ExternalService',
          metadata: { name: 'pay', namespace: 'shop' },
          spec: {
            hosts: ['api.example.com', '*.cdn.example.com'],
            ports: [{ number: 80, protocol: 'http' }],
            resolution: 'static',
            endpoints,
          },
        },
      ],
      rules: [
        {
          apiVersion: 'fairway.dev/v1alpha1',
          kind: 'TrafficRule',
          metadata: { name: 'pay', namespace: 'shop' },
          spec: { service: 'pay', ...spec },
        },
      ],
    });

  it('tries again as often as it says, and counts at the host', async () => {
    pay.status = 503;
    await rig.apply(mesh({ routes: [{ backends: [{}], retry: { attempts: 3, on: ['503'] } }] }, [toPay()]));
    for (const host of ['api.example.com', 'a.cdn.example.com']) {
      const before = pay.requests;
      assert.equal((await rig.ask(host)).status, 503);
      assert.equal(pay.requests - before, 4, host);
    }
  });

  it('waits no longer than it says', async () => {
    await rig.apply(mesh({ routes: [{ backends: [{}], timeouts: { request: '200ms' } }] }, [toPay()]));
    assert.equal((await rig.ask('api.example.com', { path: '/slow' })).status, 504);
    assert.equal((await rig.ask('api.example.com')).status, 200);
  });

  it('changes headers and aborts what matches', async () => {
    const routes = [
      {
        matches: [{ headers: [{ name: 'x-trial', present: true }] }],
        fault: { abort: { percent: 100, status: 418 } },
        backends: [{}],
      },
      { backends: [{}], requestHeaders: { set: [{ name: 'x-tenant', value: 'blue' }] } },
    ];
    await rig.apply(mesh({ routes }, [toEcho()]));
    const { said } = await rig.ask('api.example.com');
    assert.equal(said.headers['x-tenant'], 'blue');
    assert.equal((await rig.ask('b.cdn.example.com', { headers: { 'x-trial': '1' } })).status, 418);
  });

  it('copies requests', async () => {
    await rig.apply(mesh({ routes: [{ backends: [{}], mirrors: [{}] }] }, [toPay()]));
    const before = pay.requests;
    for (let i = 0; i < 5; i++) assert.equal((await rig.ask('api.example.com')).status, 200);
    const taken = async (): Promise<number> => {
      while (pay.requests - before < 10) await new Promise((resolve) => setTimeout(resolve, 20));
      return pay.requests - before;
    };
    assert.equal(await taken(), 10);
  });

  it('leaves an endpoint out that fails', async () => {
    pay.status = 503;
    const outlierDetection = { consecutiveErrors: 0, consecutiveGatewayErrors: 2, baseEjection: '60s' };
    await rig.apply(mesh({ outlierDetection, loadBalancing: { policy: 'roundRobin' } }, [toPay(), toEcho()]));
    const before = pay.requests;
    for (let i = 0; i < 40; i++) await rig.ask('api.example.com');
    assert.equal(pay.requests - before, 2);
  });

  it('keeps traffic within a place, as far as places are known', async () => {
    await rig.apply(mesh({ within: { region: 'eu' } }, [toPay(), toEcho()]));
    for (let i = 0; i < 10; i++) assert.equal((await rig.ask('api.example.com')).said.name, 'pay');
    await rig.apply(mesh({ within: { region: 'eu' } }, [toEcho()]));
    assert.equal((await rig.ask('api.example.com')).status, 503);
  });

  it('is for the service alone, where there is one of that name', async () => {
    const there = {
      name: 'pay',
      clusters: { east: { ports: ['80:http'], endpoints: [{ address: '127.0.0.1', ports: { http: pay.port } }] } },
    };
    await rig.apply(mesh({ routes: [{ respond: { status: 202 } }] }, [toPay()], [there]));
    assert.equal((await rig.ask('pay.shop')).status, 202);
    assert.equal((await rig.ask('api.example.com')).status, 200);
    await rig.apply(mesh({ routes: [{ respond: { status: 202 } }] }, [toPay()]));
    assert.equal((await rig.ask('api.example.com')).status, 202);
  });
});
