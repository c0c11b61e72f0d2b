/**
 * A pilot whose primary, a real kube-apiserver, has kinds that others define, or has not: with the rights of deploy/pilot/roles.yaml, and with fewer.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayControllerName, type ParentStatus } from '../../src/model/parent-status.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { writeKubeconfig } from '../rig/kubernetes/kubectl.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { gatewayGroup, httpRouteCrd, standardCrd } from '../support/standard-crds.ts';
import { fairway, type Run } from './cli-run.ts';
import { ensureNamespace, serviceObject, temporaryFolder } from './kube-support.ts';

const deploy = join(import.meta.dirname, '../../deploy');
const route = (name: string): string => `apiVersion: ${gatewayGroup}/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: shop}
spec: {parentRefs: [{group: "", kind: Service, name: ${name}}], hostnames: [${name}.example.com]}
`;

describe('a pilot and the standards in its primary', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  let pilot: Pilot | undefined;
  let kubeconfig = '';
  let admin = '';
  let logFile = '';
  let starts = 0;

  const start = async (...more: readonly string[]): Promise<void> => {
    await pilot?.stop();
    admin = `127.0.0.1:${await freePort()}`;
    logFile = join(folder.path, `pilot-${starts++}.log`);
    const state = join(folder.path, 'state');
    pilot = await startPilot({
      xds: `127.0.0.1:${await freePort()}`,
      admin,
      args: ['--kubeconfig', kubeconfig, '--context', 'east', '--state', state, ...more],
      logFile,
    });
  };
  const run = (args: readonly string[]): Promise<Run> => fairway([...args, '--admin', `http://${admin}`]);
  const inKube = (args: readonly string[], input = ''): Promise<Run> =>
    fairway([...args, '--kubeconfig', api.kubeconfig], { input });
  const shows = (what: string, words: RegExp): Promise<string> =>
    waitFor(`${what} with ${words}`, async () => {
      const { out } = await run(['get', what]);
      return words.test(out) ? out : undefined;
    });
  const roles = readFileSync(join(deploy, 'pilot/roles.yaml'), 'utf8');

  before(async () => {
    api = await startKubeApi({ name: 'east', dir: folder.path, controllers: false });
    await ensureNamespace(api, 'shop');
    await installCrds(api, ['-f', join(deploy, 'crds')]);
    await api.kubectl(['apply', '-f', '-'], roles);
    const subjects = '{kind: User, apiGroup: rbac.authorization.k8s.io, name: fairway-pilot}';
    await api.kubectl(['apply', '-f', '-'], roles.replaceAll(/\{kind: ServiceAccount[^}]*\}/g, subjects));
    kubeconfig = join(folder.path, 'pilot.kubeconfig');
    const { url, certificateAuthority, pilotToken: token } = api;
    writeKubeconfig(kubeconfig, { context: 'east', url, certificateAuthority, token });
  });
  after(async () => {
    await pilot?.stop();
    await api?.stop();
    folder.remove();
  });

  it('is ready without their CRDs, and says what is not there once, at level info', async () => {
    await start();
    const kinds = await shows('kinds', /HTTPRoute .*absent/);
    assert.match(kinds, /HTTPRoute +gateway\.networking\.k8s\.io +- +gateway-api +absent +0 +it is not installed/);
    assert.match(kinds, /VirtualService .* off /);
    const about = readFileSync(logFile, 'utf8')
      .split('\n')
      .filter((line) => /HTTPRoute|httproutes/.test(line));
    assert.equal(about.length, 1, about.join('\n'));
    assert.match(about[0] ?? '', /"level":"?(30|info)"?/);
    assert.match((await run(['get', 'httproutes'])).err, /HTTPRoutes are not read: it is not installed in the primary/);
    assert.match((await inKube(['get', 'httproutes'])).err, /FW-KUBE-021.*\n.*the API has no HTTPRoute/);
  });

  it('reads them when they come, beside others; what people apply and delete is theirs', async () => {
    await installCrds(api, ['-f', '-'], httpRouteCrd('v1beta1'));
    const applied = await inKube(['apply', '-f', '-'], route('reviews').replace('/v1\n', '/v1beta1\n'));
    assert.match(
      applied.out,
      /httproute\.gateway\.networking\.k8s\.io\/reviews created \(namespace shop\)/,
      applied.err,
    );
    await shows('httproutes', /shop +reviews +Service reviews +reviews\.example\.com/);
    await shows('kinds', /HTTPRoute +\S+ +v1beta1 +gateway-api +read +1/);
    assert.match((await inKube(['get', 'httproutes'])).out, /shop +reviews/);
    const { out } = await inKube(['delete', 'httproute', 'reviews', '-n', 'shop']);
    assert.match(out, /reviews deleted/);
    await waitFor('it is gone', async () => /No httproutes/.test((await run(['get', 'httproutes'])).err));
    await inKube(['apply', '-f', '-'], route('kept').replace('/v1\n', '/v1beta1\n'));
    await shows('httproutes', /shop +kept/);
  });

  it('starts without the right to read one, says so, and keeps what it knew of it', async () => {
    await pilot?.stop();
    const istio = { group: 'networking.istio.io', kind: 'VirtualService', plural: 'virtualservices' } as const;
    await installCrds(api, ['-f', '-'], standardCrd({ ...istio, versions: ['v1'] }));
    const without = roles.replace('[httproutes, grpcroutes,', '[grpcroutes,');
    assert.notEqual(without, roles);
    await api.kubectl(['apply', '-f', '-'], without.replace(/^---$[^]*/m, ''));
    await start('--standards', 'gateway-api,istio');
    await shows('kinds', /HTTPRoute +\S+ +v1beta1 +gateway-api +refused +1 +403: .*cannot list/);
    await shows('kinds', /VirtualService +\S+ +v1 +istio +read/);
    await shows('httproutes', /shop +kept/);
    const check = await run(['check']);
    assert.match(check.out, /FW-KUBE-045 httproutes\.gateway\.networking\.k8s\.io/);
    const analysis = await run(['analyze']);
    assert.match(analysis.out, /FW-KUBE-045/);
    assert.match(analysis.out, /deploy\/pilot\/roles\.yaml/);
    await api.kubectl(['apply', '-f', '-'], roles.replace(/^---$[^]*/m, ''));
    await shows('kinds', /HTTPRoute +\S+ +v1beta1 +gateway-api +read +1/);
  });

  it('writes what it makes of each parent beside other controllers’ entries, and not again after a restart', async () => {
    await installCrds(api, ['-f', '-'], httpRouteCrd('v1beta1', 'v1'));
    await api.client.must('POST', '/api/v1/namespaces/shop/services', serviceObject('shop', 'reviews'));
    await start();
    const path = `/apis/${gatewayGroup}/v1/namespaces/shop/httproutes`;
    const parentsOf = async (name: string): Promise<readonly ParentStatus[]> =>
      (await api.client.must<{ status?: { parents?: readonly ParentStatus[] } }>('GET', `${path}/${name}`)).status
        ?.parents ?? [];
    const ofOurs = (parents: readonly ParentStatus[]): readonly ParentStatus[] =>
      parents.filter(({ controllerName }) => controllerName === gatewayControllerName);
    const accepted = (name: string): Promise<readonly ParentStatus[]> =>
      waitFor(`${name} is accepted`, async () => {
        const parents = await parentsOf(name);
        return ofOurs(parents).some(({ conditions }) =>
          conditions.some(({ type, status }) => type === 'Accepted' && status === 'True'),
        )
          ? parents
          : undefined;
      });
    const writes = async (): Promise<number> => {
      const lines = (await api.kubectl(['get', '--raw', '/metrics'])).split('\n');
      return lines
        .filter((line) => /^apiserver_request_total\{.*resource="httproutes".*subresource="status".*APPLY/.test(line))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    };
    await api.kubectl(['apply', '-f', '-'], route('reviews'));
    const [first] = await accepted('reviews');
    assert.deepEqual(first?.parentRef, { group: '', kind: 'Service', name: 'reviews' });
    const theirs = { ...first, controllerName: 'example.com/other' };
    const merge = 'application/merge-patch+json';
    await api.client.must('PATCH', `${path}/reviews/status`, { status: { parents: [theirs, first] } }, merge);
    const before = await writes();
    await start();
    await api.kubectl(['apply', '-f', '-'], route('second').replaceAll('name: second}]', 'name: reviews, port: 80}]'));
    await accepted('second');
    assert.equal(await writes(), before + 1);
    assert.deepEqual(await parentsOf('reviews'), [theirs, first]);

    const spec = { parentRefs: [{ group: gatewayGroup, kind: 'Gateway', name: 'edge' }] };
    await api.client.must('PATCH', `${path}/reviews`, { spec }, merge);
    await waitFor('ours is gone', async () => ofOurs(await parentsOf('reviews')).length === 0);
    assert.deepEqual(await parentsOf('reviews'), [theirs]);
  });

  it('goes on when a CRD goes, and forgets its objects', async () => {
    await api.kubectl(['delete', 'crd', `httproutes.${gatewayGroup}`, '--wait=true']);
    await shows('kinds', /HTTPRoute .*absent +0/);
    await waitFor('nothing is left', async () =>
      /HTTPRoutes are not read/.test((await run(['get', 'httproutes'])).err),
    );
    assert.ok((await fetch(`http://${admin}/readyz`)).ok);
  });
});
