/** Replicas that hear of each other through Leases, on a real kube-apiserver. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { type Access, readKubeconfig, trustAll } from '../../src/registry/kube/access.ts';
import { Presence } from '../../src/registry/kube/presence.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { waitFor } from '../rig/wait.ts';
import { ensureNamespace, temporaryFolder } from './kube-support.ts';

const leases = '/apis/coordination.k8s.io/v1/namespaces/shop/leases';
const settings = { durationMs: 2_000, renewMs: 300, pauseMs: 50 };

interface Member {
  readonly presence: Presence;
  /** The others and what they say, and how often that became another thing. */
  peers: ReadonlyMap<string, string>;
  changes: number;
}

describe('the presence of replicas, real API', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  let access: Access;
  const members: Member[] = [];

  before(async () => {
    api = await startKubeApi({ name: 'primary', dir: folder.path, controllers: false });
    access = readKubeconfig(readFileSync(api.kubeconfig, 'utf8'), { trust: trustAll, where: {} });
    await ensureNamespace(api, 'shop');
  });
  afterEach(async () => {
    api.resume();
    await Promise.all(members.splice(0).map(({ presence }) => presence.stop()));
  });
  after(async () => {
    await api?.stop();
    folder.remove();
  });

  function join(identity: string, leads = false): Member {
    const presence = new Presence({
      access,
      namespace: 'shop',
      identity,
      isLeader: () => leads,
      changed: (peers) => {
        member.peers = peers;
        member.changes += 1;
      },
      clock: systemClock,
      logger: silentLogger,
      settings,
    });
    const member: Member = { presence, peers: new Map(), changes: 0 };
    members.push(member);
    return member;
  }

  const hears = ({ peers }: Member, ...wanted: readonly (readonly [string, string])[]): boolean =>
    JSON.stringify([...peers].sort()) === JSON.stringify(wanted);
  const renewal = async (name: string): Promise<string> =>
    (await api.client.must<{ spec: { renewTime: string } }>('GET', `${leases}/fairway-pilot-${name}`)).spec.renewTime;
  const names = async (): Promise<readonly string[]> =>
    (await api.client.must<{ items: { metadata: { name: string } }[] }>('GET', leases)).items.map(
      ({ metadata }) => metadata.name,
    );

  it('hear what the others say, the newest; renewals are no news; who ends is gone at once', async () => {
    const [a, b] = [join('a'), join('b')];
    a.presence.say('1');
    b.presence.say('2');
    await waitFor('both hear', () => hears(a, ['b', '2']) && hears(b, ['a', '1']));
    for (const text of ['3', '4', '5']) a.presence.say(text);
    await waitFor('the newest', () => hears(b, ['a', '5']));
    const { changes } = b;
    const seen = new Set<string>();
    await waitFor('renewals', async () => seen.add(await renewal('a')).size > 5);
    assert.equal(b.changes, changes);
    await a.presence.stop();
    await waitFor('a is gone', () => hears(b));
    assert.deepEqual(await names(), ['fairway-pilot-b']);
  });

  it('who does not renew is gone after its time, whatever its clock says, and the leader cleans up', async () => {
    const spec = { holderIdentity: 'dead', leaseDurationSeconds: 1, renewTime: '2099-01-01T00:00:00.000000Z' };
    const metadata = {
      name: 'fairway-pilot-dead',
      labels: { 'fairway.dev/lease': 'pilot' },
      annotations: { 'fairway.dev/progress': 'words' },
    };
    await api.client.must('POST', leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec });
    const a = join('a');
    await waitFor('the dead is believed at first', () => hears(a, ['dead', 'words']));
    await waitFor('it is gone', () => hears(a));
    assert.ok((await names()).includes('fairway-pilot-dead'));
    join('b', true);
    await waitFor('its lease is removed', async () => !(await names()).includes('fairway-pilot-dead'));
  });

  it('while the API does not answer, nobody is taken for gone; nor when it is back', async () => {
    const [a, b] = [join('a'), join('b')];
    await waitFor('both hear', () => hears(a, ['b', '']) && hears(b, ['a', '']));
    const changes = [a.changes, b.changes];
    api.pause();
    const fromMs = performance.now();
    await waitFor('twice the time of a lease', () => performance.now() - fromMs > 2 * settings.durationMs);
    assert.deepEqual([a.changes, b.changes], changes);
    api.resume();
    const before = await renewal('b');
    await waitFor('b renews again', async () => (await renewal('b')) !== before);
    a.presence.say('back');
    await waitFor('b hears', () => hears(b, ['a', 'back']));
    assert.equal(b.changes, (changes[1] ?? 0) + 1);
    assert.equal(a.changes, changes[0]);
  });
});
