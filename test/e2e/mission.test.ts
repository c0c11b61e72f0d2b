/** The mission's scene: one rule, applied with kubectl, sends all load from everywhere to one version in one cluster. */

import assert from 'node:assert/strict';
import { share } from '../rig/hosts/load-client.ts';
import { waitFor } from '../rig/wait.ts';
import {
  checkLoads,
  everywhere,
  guardEachTest,
  namespace,
  type Scene,
  theScene,
  trafficRule,
  untilAnswersAre,
} from './scene.ts';

interface RuleObject {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

describe('one TrafficRule, applied with kubectl', () => {
  let scene: Scene;

  before(async function () {
    this.timeout(180_000);
    scene = await theScene();
  });
  guardEachTest();
  afterEach(() => scene.deleteRule());

  /** The rule's conditions by type, once they are about its newest generation. */
  async function conditions(
    enough: (byType: ReadonlyMap<string, Condition>) => boolean,
  ): Promise<ReadonlyMap<string, Condition>> {
    let seen = '';
    return waitFor(
      'the rule’s conditions',
      async () => {
        const rule = JSON.parse(
          await scene.east.api.kubectl(['get', 'trafficrule', 'reviews', '-n', namespace, '-o', 'json']),
        ) as RuleObject;
        const all = rule.status?.conditions ?? [];
        seen = JSON.stringify(all);
        const byType = new Map(all.map((condition) => [condition.type, condition]));
        const current =
          all.length > 0 && all.every(({ observedGeneration }) => observedGeneration === rule.metadata.generation);
        return current && enough(byType) ? byType : undefined;
      },
      { intervalMs: 200 },
      () => seen,
    );
  }

  const allTrue = (byType: ReadonlyMap<string, Condition>): boolean => {
    return ['Accepted', 'ResolvedRefs', 'Programmed'].every((type) => byType.get(type)?.status === 'True');
  };

  it('spreads over both versions in both clusters while there is no rule', async () => {
    const loads = await scene.startLoads(200);
    await untilAnswersAre(loads, everywhere);
    await checkLoads();
  });

  it('moves all load of both clusters to v2 in west, and back when it is deleted', async () => {
    const loads = await scene.startLoads(200);
    await untilAnswersAre(loads, everywhere);
    await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
    await untilAnswersAre(loads, ['200 v2 west']);
    for (const load of loads) assert.deepEqual([...(await load.next(200)).keys()], ['200 v2 west']);
    await scene.deleteRule();
    await untilAnswersAre(loads, everywhere);
    await checkLoads();
  });

  it('says in its status, as kubectl prints it, that it is accepted, resolved and programmed', async () => {
    await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
    const byType = await conditions(allTrue);
    const proxies = (await scene.pilot.proxies()).length;
    assert.match(byType.get('Programmed')?.message ?? '', new RegExp(`\\b${proxies} of ${proxies}\\b`));
    const table = await scene.east.api.kubectl(['get', 'trafficrules', '-n', namespace, '-o', 'wide']);
    const [header = '', row = ''] = table.trimEnd().split('\n');
    const cell = (column: string): string => row.slice(header.indexOf(column)).split(/\s/)[0] ?? '';
    for (const column of ['ACCEPTED', 'PROGRAMMED', 'RESOLVEDREFS']) assert.equal(cell(column), 'True', table);
    assert.equal(cell('SERVICE'), 'reviews', table);
    assert.equal(cell('ACKNOWLEDGED'), String(proxies), table);
    assert.match(await scene.east.api.kubectl(['get', 'fairway', '-n', namespace]), /reviews/, 'the category lists it');
  });

  it('splits by weight', async () => {
    const loads = await scene.startLoads(400);
    await scene.applyRule([
      {
        backends: [
          { version: 'v1', weight: 90 },
          { version: 'v2', cluster: 'west', weight: 10 },
        ],
      },
    ]);
    await untilAnswersAre(loads, ['200 v1 east', '200 v1 west', '200 v2 west']);
    for (const answers of await Promise.all(loads.map((load) => load.next(2000)))) {
      // Five standard deviations of 2000 draws are 3.4 points.
      assert.ok(Math.abs(share(answers, '200 v2 west') - 0.1) < 0.034, JSON.stringify([...answers]));
    }
    await checkLoads();
  });

  it('routes by header, for those who send it alone', async () => {
    const plain = await scene.startLoads(100);
    const beta = await scene.startLoads(100, ['x-group: beta']);
    await scene.applyRule([
      {
        name: 'beta',
        matches: [{ headers: [{ name: 'x-group', value: 'beta' }] }],
        backends: [{ version: 'v2', cluster: 'west' }],
      },
      { backends: [{ version: 'v1', cluster: 'east' }] },
    ]);
    await untilAnswersAre(beta, ['200 v2 west']);
    await untilAnswersAre(plain, ['200 v1 east']);
    await checkLoads();
  });

  it('falls back along its chain when what is wanted is not there', async () => {
    const loads = await scene.startLoads(100);
    await scene.applyRule([
      { backends: [{ version: 'v9', cluster: 'west', fallback: [{ version: 'v1', cluster: 'east' }, {}] }] },
    ]);
    await untilAnswersAre(loads, ['200 v1 east']);
    await checkLoads();
  });

  it('accepts a version that nobody has, and says so in ResolvedRefs', async () => {
    await scene.applyRule([{ backends: [{ version: 'v9', fallback: [{}] }] }]);
    const byType = await conditions(
      (all) => all.get('Accepted')?.status === 'True' && all.get('ResolvedRefs')?.status === 'False',
    );
    assert.match(byType.get('ResolvedRefs')?.message ?? '', /v9/);
  });

  it('is refused by the API itself when its weights are all zero', async () => {
    const rule = trafficRule('reviews', [{ backends: [{ version: 'v1', weight: 0 }] }]);
    const result = await scene.east.api.tryKubectl(['apply', '-f', '-'], JSON.stringify(rule));
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, /weight/i);
  });

  it('leaves the winner in force when a second rule is for the same service, and tells the loser', async () => {
    const loads = await scene.startLoads(100);
    await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
    await conditions(allTrue);
    await scene.applyRule([{ backends: [{ version: 'v1', cluster: 'east' }] }], 'zz-later');
    try {
      const message = await waitFor('the loser’s condition', async () => {
        const later = JSON.parse(
          await scene.east.api.kubectl(['get', 'trafficrule', 'zz-later', '-n', namespace, '-o', 'json']),
        ) as RuleObject;
        const accepted = later.status?.conditions?.find(({ type }) => type === 'Accepted');
        return accepted?.status === 'False' && accepted.message;
      });
      assert.match(message, /reviews/);
      await untilAnswersAre(loads, ['200 v2 west']);
      await checkLoads();
    } finally {
      await scene.deleteRule('zz-later');
    }
  });
});
