/**
 * A real Envoy for all tests of a suite, and four endpoints, a to d, anew for each of them. In: whatever a test applies to `rig`. Out: who takes
 * requests, and who is passed by.
 */

import { waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type PolicyEndpoint, type PolicyRig, startPolicyEndpoint, startPolicyRig } from './policy-rig.ts';

export interface PolicyScene {
  readonly rig: PolicyRig;
  /** Of the test that runs. */
  readonly all: readonly PolicyEndpoint[];
  first(count: number): readonly PolicyEndpoint[];
  /** Which endpoint answers each of these. */
  whoTakes(keys: readonly string[], askOf: (key: string) => object): Promise<Map<string, string>>;
  /** Waits until these alone are held for unhealthy, and requests pass them by; says who answers instead. */
  whoAnswersBut(unhealthy: readonly PolicyEndpoint[]): Promise<readonly string[]>;
}

export function shareOf(counts: ReadonlyMap<string, number>, name: string): number {
  return counts.get(name) ?? 0;
}

/** To be called where a suite is described: it starts and ends with the suite, and skips it where there is no Envoy. */
export function policyScene(): PolicyScene {
  let rig: PolicyRig;
  let all: readonly PolicyEndpoint[] = [];

  before(async function () {
    const started = await startPolicyRig();
    if (started === undefined) return skip(this, noEnvoy);
    rig = started;
  });

  after(() => rig?.envoy.stop());

  beforeEach(async () => {
    all = await Promise.all(['a', 'b', 'c', 'd'].map((name) => startPolicyEndpoint(name)));
  });

  afterEach(() => Promise.all(all.map((endpoint) => endpoint.close())));

  return {
    get rig() {
      return rig;
    },
    get all() {
      return all;
    },
    first: (count) => all.slice(0, count),
    async whoTakes(keys, askOf) {
      const taken = new Map<string, string>();
      for (const key of keys) taken.set(key, (await rig.ask(askOf(key))).said.name);
      return taken;
    },
    whoAnswersBut(unhealthy) {
      const ports = unhealthy.map(({ port }) => port).sort((x, y) => x - y);
      const held = async (): Promise<boolean> => JSON.stringify(await rig.unhealthy()) === JSON.stringify(ports);
      return waitFor('requests to pass by what is bad', async () => {
        if (!(await held())) return undefined;
        const taken = unhealthy.map(({ requests }) => requests);
        const counts = await rig.count(30);
        const passed = unhealthy.every(({ requests }, i) => requests === taken[i]);
        return passed && (await held()) ? [...counts.keys()].sort() : undefined;
      });
    },
  };
}
