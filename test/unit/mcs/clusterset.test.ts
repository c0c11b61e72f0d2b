import assert from 'node:assert/strict';
import { clustersetService } from '../../../src/mcs/clusterset.ts';
import { exportConditions } from '../../../src/mcs/conditions.ts';
import type { ServicePort } from '../../../src/model/service.ts';
import { exportedShard } from '../../support/exports.ts';
import { testShard } from '../../support/shards.ts';

const port = (name: string, number: number, fields: Partial<ServicePort> = {}): ServicePort => ({
  name,
  port: number,
  transport: 'TCP',
  protocol: 'tcp',
  ...fields,
});

const portsOf = (service: ReturnType<typeof clustersetService>): readonly string[] =>
  (service?.ports ?? []).map(
    ({ name, port: number, transport, clusters }) => `${name} ${number}/${transport} ${clusters.join('+')}`,
  );

const reasons = (service: ReturnType<typeof clustersetService>): readonly string[] =>
  (service?.conflicts ?? []).map(({ reason }) => reason);

describe('mcs: the clusterset service', () => {
  it('is none where nobody exports, or only an alias is exported', () => {
    assert.equal(clustersetService([testShard('east', 'reviews', ['10.0.0.1'])]), undefined);
    assert.equal(clustersetService([exportedShard('east', 1, { externalName: 'example.com' })]), undefined);
    assert.equal(clustersetService([exportedShard('east', 1, { importOf: 'reviews' })]), undefined);
  });

  it('is of those who export it alone', () => {
    const service = clustersetService([exportedShard('west', 2), testShard('east', 'reviews', ['10.0.0.1'])]);
    assert.deepEqual([...(service?.exports.keys() ?? [])], ['west']);
    assert.deepEqual(reasons(service), []);
  });

  it('has the union of the ports, and says that they differ', () => {
    const east = exportedShard('east', 1, { ports: [port('tcp', 42), port('udp', 42, { transport: 'UDP' })] });
    const west = exportedShard('west', 2, { ports: [port('tcp', 42), port('stcp', 142, { transport: 'SCTP' })] });
    const service = clustersetService([west, east]);
    assert.deepEqual(portsOf(service), ['tcp 42/TCP east+west', 'udp 42/UDP east', 'stcp 142/SCTP west']);
    assert.deepEqual(reasons(service), ['PortConflict']);
  });

  it('gives a port name to the oldest, and no traffic of it to who means another number', () => {
    const east = exportedShard('east', 1, { ports: [port('tcp', 42)] });
    const west = exportedShard('west', 2, { ports: [port('tcp', 4242)] });
    assert.deepEqual(portsOf(clustersetService([west, east])), ['tcp 42/TCP east']);
  });

  it('takes one number under two names for one port, with the target ports under each cluster’s own name', () => {
    const east = exportedShard('east', 1, { ports: [port('http', 80)] });
    const west = exportedShard('west', 2, { ports: [port('web', 80)] });
    const service = clustersetService([west, east]);
    assert.deepEqual(portsOf(service), ['http 80/TCP east+west']);
    assert.deepEqual([...(service?.ports[0]?.otherNames ?? [])], [['west', 'web']]);
    assert.deepEqual(reasons(service), ['PortConflict']);
  });

  it('names an unnamed port where there are several, as a Service must', () => {
    const east = exportedShard('east', 1, { ports: [port('', 80)] });
    const west = exportedShard('west', 2, { ports: [port('admin', 81)] });
    const service = clustersetService([east, west]);
    assert.deepEqual(portsOf(service), ['port-80 80/TCP east', 'admin 81/TCP west']);
    assert.deepEqual([...(service?.ports[0]?.otherNames ?? [])], [['east', '']]);
  });

  it('has the oldest export’s properties, and names every one that differs, in a fixed order', () => {
    const east = exportedShard('east', 5, { headless: true }, { labels: { a: '1' }, ipFamilies: ['IPv4', 'IPv6'] });
    const west = exportedShard(
      'west',
      2,
      {},
      {
        sessionAffinity: 'ClientIP',
        affinitySeconds: 10,
        annotations: { b: '2' },
        internalTrafficPolicy: 'Local',
        trafficDistribution: 'PreferClose',
      },
    );
    const service = clustersetService([east, west]);
    assert.equal(service?.oldest, 'west');
    assert.equal(service.type, 'ClusterSetIP');
    assert.deepEqual(
      [service.sessionAffinity, service.affinitySeconds, service.trafficDistribution, service.internalTrafficPolicy],
      ['ClientIP', 10, 'PreferClose', 'Local'],
    );
    assert.deepEqual([service.labels, service.annotations], [{}, { b: '2' }]);
    assert.deepEqual(reasons(service), [
      'TypeConflict',
      'SessionAffinityConflict',
      'LabelsConflict',
      'AnnotationsConflict',
      'InternalTrafficPolicyConflict',
      'TrafficDistributionConflict',
      'IPFamilyConflict',
    ]);
  });

  it('tells timeouts of one affinity apart', () => {
    const with10 = exportedShard('east', 1, {}, { sessionAffinity: 'ClientIP', affinitySeconds: 10 });
    const with20 = exportedShard('west', 2, {}, { sessionAffinity: 'ClientIP', affinitySeconds: 20 });
    assert.deepEqual(reasons(clustersetService([with10, with20])), ['SessionAffinityConfigConflict']);
  });

  it('goes by name where ages are equal, and lets no impossible time win', () => {
    const oldestOf = (eastMs: number, westMs: number): string | undefined =>
      clustersetService([
        exportedShard('west', 0, {}, { createdAtMs: westMs }),
        exportedShard('east', 0, {}, { createdAtMs: eastMs }),
      ])?.oldest;
    const now = Date.UTC(2026, 5, 1);
    assert.equal(oldestOf(now, now), 'east');
    assert.equal(oldestOf(0, now), 'west', 'no time');
    assert.equal(oldestOf(1, now), 'west', 'before the API existed');
    assert.equal(oldestOf(Date.UTC(2099, 0, 1), now), 'west', 'a time to come');
    assert.equal(oldestOf(0, 1), 'east', 'two that say nothing of use');
  });
});

describe('mcs: conditions of exports', () => {
  const said = (subject: Parameters<typeof exportConditions>[0]): readonly string[] =>
    exportConditions(subject).map(({ type, status, reason }) => `${type}=${status} ${reason}`);

  it('says what is exported, and joins the reasons of conflicts', () => {
    const alone = clustersetService([exportedShard('east', 1)]);
    const both = clustersetService([
      exportedShard('east', 1, { ports: [port('a', 1)] }),
      exportedShard('west', 2, { headless: true, ports: [port('b', 2)] }),
    ]);
    assert.ok(alone !== undefined && both !== undefined);
    assert.deepEqual(said({ kind: 'exported', service: alone }), [
      'Valid=True Valid',
      'Ready=True Exported',
      'Conflict=False NoConflicts',
    ]);
    assert.deepEqual(said({ kind: 'exported', service: both })[2], 'Conflict=True PortConflict,TypeConflict');
  });

  it('says what cannot be exported', () => {
    assert.deepEqual(said({ kind: 'no-service' }), ['Valid=False NoService', 'Ready=False Pending']);
    assert.deepEqual(said({ kind: 'external-name' }), ['Valid=False InvalidServiceType', 'Ready=False Failed']);
    assert.deepEqual(said({ kind: 'pending' }), ['Valid=True Valid', 'Ready=False Pending']);
  });
});
