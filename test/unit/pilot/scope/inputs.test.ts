/** Proxies share a scope as long as nothing that a service asks tells them apart. */

import assert from 'node:assert/strict';
import { silentLogger } from '../../../../src/core/logger.ts';
import { type Answers, defaultMeshSettings } from '../../../../src/model/mesh.ts';
import { type RouteMatch, type TrafficRule, toDestination } from '../../../../src/model/rule.ts';
import type { ServiceKey, ServiceShard } from '../../../../src/model/service.ts';
import type { LocalityPreference, NearnessStep } from '../../../../src/model/service-policy.ts';
import { Engine } from '../../../../src/pilot/engine.ts';
import type { ScopeView } from '../../../../src/pilot/scope/view.ts';
import { endpoint, route, shard, trafficRule } from '../../../support/fixtures.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

class Pilot {
  readonly shards = new Map<ServiceKey, ServiceShard>();
  readonly rules = new Map<ServiceKey, TrafficRule>();
  readonly localities = new Map([['south', { region: 'za', zone: 'z', subzone: '' }]]);
  readonly engine: Engine;
  readonly views = new Map<number, ScopeView>();
  readonly jobs: { turn(): void }[] = [];
  #streams = 0;

  constructor(sliced = false) {
    this.engine = new Engine({
      clock: new ManualClock(),
      logger: silentLogger,
      settings: defaultMeshSettings,
      debounce: { minWindowMs: 1, maxWindowMs: 1, costFactor: 1 },
      shards: (key) => (this.shards.has(key) ? [this.shards.get(key) as ServiceShard] : []),
      rules: this.rules,
      localityOf: (cluster) => this.localities.get(cluster),
      events: { batch() {}, progress() {} },
    });
    this.engine.attach({
      opened() {},
      changed() {},
      reassign: (streamId, view) => void this.views.set(streamId, view as ScopeView),
      status: () => new Map(),
      ackedFloor: () => undefined,
      ...(sliced ? { work: (job) => void this.jobs.push(job) } : {}),
    });
    this.engine.open();
  }

  put(name: string, fields: Partial<ServiceShard> = {}): void {
    this.shards.set(`shop/${name}`, shard('east', name, fields));
    this.engine.shardsChanged([`shop/${name}`]);
    this.engine.flush();
  }

  rule(name: string, fields: Partial<TrafficRule> | undefined): void {
    const key: ServiceKey = `shop/${name}`;
    if (fields === undefined) this.rules.delete(key);
    else {
      const base = trafficRule({ hash: JSON.stringify(fields), backends: [{ weight: 1, chain: [toDestination({})] }] });
      this.rules.set(key, { ...base, service: key, ref: { ...base.ref, name }, ...fields });
    }
    this.engine.rulesChanged([key]);
    this.engine.flush();
  }

  connect(
    node: { address?: string; cluster?: string; region?: string; zone?: string; metadata?: object } = {},
  ): number {
    const { address = '10.9.0.1', cluster = 'east', region = '', zone = '', metadata = {} } = node;
    const streamId = ++this.#streams;
    const view = this.engine.connect({
      streamId,
      node: {
        id: `sidecar~${address}~w-${streamId}.shop~shop.svc.cluster.local`,
        cluster: '',
        metadata: { CLUSTER_ID: cluster, FAIRWAY_MODE: 'explicit', ...metadata },
        locality: { region, zone, subZone: '' },
        userAgentName: 'envoy',
        userAgentVersion: '',
        clientFeatures: [],
      },
      peer: '',
      transport: 'delta',
    });
    assert.notEqual(typeof view, 'string');
    this.views.set(streamId, view as ScopeView);
    return streamId;
  }

  answers(streamId: number): Answers | undefined {
    return this.views.get(streamId)?.scope.answers;
  }

  get scopes(): number {
    return new Set(this.views.values()).size;
  }
}

const nearest = (...order: readonly NearnessStep[]): Partial<TrafficRule> => {
  const locality: LocalityPreference = { kind: 'nearest', order };
  return { policy: { locality } };
};

function fromLabels(labels: Readonly<Record<string, string>>): Partial<TrafficRule> {
  const match: RouteMatch = { source: { cluster: '', namespace: '', labels }, headers: [], queryParams: [] };
  const chain = [toDestination({ version: 'v2' })];
  return { routes: [route('theirs', [{ weight: 1, chain }], { matches: [match] })] };
}

describe('what proxies are asked', () => {
  it('is nothing where no rule asks: 1,000 proxies in 3 zones, with labels of their own, are one scope', () => {
    const pilot = new Pilot();
    pilot.put('reviews');
    for (let i = 0; i < 1000; i++) {
      pilot.connect({ region: 'eu', zone: `z${i % 3}`, metadata: { LABELS: { app: `a${i}` }, NODE_NAME: `n${i}` } });
    }
    assert.equal(pilot.scopes, 1);

    pilot.rule('reviews', nearest('cluster', 'network'));
    assert.equal(pilot.scopes, 1);
    pilot.rule('reviews', nearest('region'));
    assert.equal(pilot.scopes, 1);
    pilot.rule('reviews', nearest('zone'));
    assert.equal(pilot.scopes, 3);
    pilot.rule('reviews', fromLabels({ app: 'a7' }));
    assert.equal(pilot.scopes, 2);
    pilot.rule('reviews', undefined);
    assert.equal(pilot.scopes, 1);
  });

  it('is the node only while some service wants traffic to stay near it', () => {
    const pilot = new Pilot();
    pilot.put('reviews', { internalTrafficPolicy: 'Local' });
    const ids = [0, 1, 2].map((i) => pilot.connect({ metadata: { NODE_NAME: `n${i}` } }));
    assert.equal(pilot.scopes, 3);
    assert.equal(pilot.answers(ids[0] as number)?.node, 'n0');
    pilot.put('reviews', { trafficDistribution: 'PreferSameNode' });
    assert.equal(pilot.scopes, 3);
    pilot.put('reviews');
    assert.equal(pilot.scopes, 1);
  });

  it('is answered by the node, else by its cluster’s word of its workload, else by where its cluster is', () => {
    const pilot = new Pilot();
    const locality = { region: 'eu', zone: 'b', subzone: '' };
    pilot.put('reviews', { endpoints: [endpoint('east', '10.0.0.1', { locality, node: 'n1' })] });
    pilot.rule('reviews', nearest('node', 'zone'));
    const place = (node: Parameters<Pilot['connect']>[0]): string => {
      const { region = '', zone = '', node: on = '' } = pilot.answers(pilot.connect(node)) ?? {};
      return `${region}/${zone}/${on}`;
    };
    assert.equal(place({ address: '10.0.0.1' }), 'eu/b/n1');
    assert.equal(place({ address: '10.0.0.1', region: 'us', zone: 'c', metadata: { NODE_NAME: 'n9' } }), 'us/c/n9');
    assert.equal(place({ address: '10.0.0.1', cluster: 'west' }), '//');
    assert.equal(place({ cluster: 'south' }), 'za/z/');
    assert.equal(place({ cluster: 'south', zone: 'y' }), 'za/y/');
    assert.equal(place({ metadata: { LABELS: { 'topology.kubernetes.io/zone': 'q' } } }), '/q/');
  });

  it('is asked anew when the workload or its cluster moves', () => {
    const pilot = new Pilot();
    pilot.put('reviews');
    pilot.rule('reviews', nearest('zone'));
    const [workload, stranger] = [pilot.connect({ address: '10.0.0.1' }), pilot.connect({ cluster: 'south' })];
    assert.equal(pilot.answers(workload), undefined);
    pilot.put('reviews', {
      endpoints: [endpoint('east', '10.0.0.1', { locality: { region: 'eu', zone: 'b', subzone: '' } })],
    });
    assert.equal(pilot.answers(workload)?.zone, 'b');
    pilot.localities.set('south', { region: 'za', zone: 'y', subzone: '' });
    pilot.engine.placesChanged();
    assert.equal(pilot.answers(stranger)?.zone, 'y');
  });

  it('tells proxies apart by the selectors that they satisfy, not by their labels', () => {
    const pilot = new Pilot();
    pilot.put('reviews');
    pilot.put('ratings');
    pilot.rule('reviews', fromLabels({ app: 'web', tier: 'front' }));
    const labelled = (labels: object): number => pilot.connect({ metadata: { LABELS: labels } });
    const [both, one, none] = [
      labelled({ app: 'web', tier: 'front', pod: 'a' }),
      labelled({ app: 'web', pod: 'b' }),
      labelled({ pod: 'c' }),
    ];
    assert.deepEqual(pilot.answers(both)?.selectors, ['app=web,tier=front']);
    assert.equal(pilot.scopes, 2);
    pilot.rule('ratings', fromLabels({ app: 'web' }));
    assert.deepEqual(pilot.answers(both)?.selectors, ['app=web', 'app=web,tier=front']);
    assert.deepEqual(pilot.answers(one)?.selectors, ['app=web']);
    assert.equal(pilot.answers(none), undefined);
    pilot.rule('reviews', undefined);
    assert.equal(pilot.scopes, 2);
    assert.equal(pilot.views.get(both), pilot.views.get(one));
  });

  it('holds a rule back from everyone until those whom it asks are where it is answered', () => {
    const pilot = new Pilot(true);
    const work = (): void => {
      for (let job = pilot.jobs.shift(); job !== undefined; job = pilot.jobs.shift()) job.turn();
    };
    pilot.put('reviews', { vips: ['10.96.0.1'] });
    const [theirs, other] = [pilot.connect({ metadata: { LABELS: { app: 'web' } } }), pilot.connect()];
    work();
    const table = (streamId: number): string =>
      [...(pilot.views.get(streamId)?.resources('type.googleapis.com/envoy.config.route.v3.RouteConfiguration') ?? [])]
        .map(([, { body }]) => body.toString('latin1'))
        .join();
    const before = table(other);
    pilot.rule('reviews', fromLabels({ app: 'web' }));
    // The one who is asked waits for its view: nobody has the rule yet, for the old view would apply it wrongly to that one.
    assert.equal(table(theirs), before);
    work();
    assert.ok(table(theirs).includes('theirs'));
    assert.notEqual(table(other), before);
    assert.ok(!table(other).includes('theirs'));
  });
});
