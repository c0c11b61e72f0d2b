import assert from 'node:assert/strict';
import type { ClusterState } from '../../../../src/model/cluster.ts';
import type { Condition } from '../../../../src/model/rule.ts';
import { listenForNews, logNews, type News, type NewsSources } from '../../../../src/pilot/status/news.ts';

type RuleListener = Parameters<NewsSources['ruleStatus']['listen']>[0];
type ChangeListener = Parameters<NewsSources['inventory']['onChange']>[0];

function setUp() {
  const news: News[] = [];
  const clusters = new Map<string, { state: ClusterState }>();
  let rule: RuleListener = () => assert.fail('nobody listens to rules');
  let change: ChangeListener = () => assert.fail('nobody listens to clusters');
  const sources = {
    ruleStatus: {
      listen: (listener: RuleListener) => {
        rule = listener;
      },
    },
    stages: [],
    inventory: {
      clusters: () => clusters,
      onChange: (listener: ChangeListener) => {
        change = listener;
        return () => {};
      },
    },
  } as unknown as NewsSources;
  listenForNews(sources, (one) => news.push(one));
  const phase = (cluster: string, next: ClusterState['phase'] | undefined): void => {
    if (next === undefined) clusters.delete(cluster);
    else clusters.set(cluster, { state: { phase: next, sinceMs: 0 } });
    change({ cluster, services: new Set(), namespaces: new Set(), stateChanged: true });
  };
  const judge = (before: readonly Condition[], after: readonly Condition[]): void => {
    const record = { source: 'cluster east', namespace: 'shop', name: 'reviews', raw: { object: {} } };
    const status = (conditions: readonly Condition[]) => ({
      observedGeneration: 3,
      conditions,
      routes: 1,
      proxies: { acknowledged: 0, total: 0 },
    });
    rule(record as unknown as Parameters<RuleListener>[0], status(after), status(before));
  };
  return { news, phase, judge };
}

describe('news', () => {
  it('of clusters: lost, refused and there again, and no others', () => {
    const { news, phase } = setUp();
    for (const next of [
      'connecting',
      'syncing',
      'fresh',
      'stale',
      'stale',
      'fresh',
      'refused',
      undefined,
      'fresh',
    ] as const)
      phase('west', next);
    assert.deepEqual(
      news.map(({ cluster, severity, reason }) => `${cluster} ${severity} ${reason}`),
      ['west Warning ClusterLost', 'west Normal ClusterRecovered', 'west Warning ClusterRefused'],
    );
  });

  it('of objects: each transition, with the object and its generation, and one line in the log', () => {
    const { news, judge } = setUp();
    const accepted = (status: Condition['status'], reason: string): Condition => ({
      type: 'Accepted',
      status,
      reason,
      message: 'why',
      observedGeneration: 3,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    judge([accepted('True', 'Accepted')], [accepted('False', 'Invalid')]);
    judge([accepted('False', 'Invalid')], [accepted('False', 'Invalid')]);
    assert.equal(news.length, 1);
    assert.deepEqual(
      [news[0]?.object?.head.kind, news[0]?.object?.generation, news[0]?.reason],
      ['TrafficRule', 3, 'Invalid'],
    );
    const lines: unknown[] = [];
    const log = (_message: string, fields: unknown): void => void lines.push(fields);
    const logger = { debug: log, info: log, warn: log, error: log, with: () => logger };
    for (const one of news) logNews(logger)(one);
    assert.deepEqual(lines, [
      {
        object: 'TrafficRule shop/reviews',
        source: 'cluster east',
        generation: 3,
        condition: 'Accepted',
        status: 'False',
        reason: 'Invalid',
        message: 'why',
      },
    ]);
  });
});
