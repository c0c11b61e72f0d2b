/**
 * Workload `memory`: what a pilot keeps for each endpoint and each proxy, as differences between pilots that differ in one thing alone: without
 * services, with services, with one proxy (its scope, and all resources encoded), with many. `held` is counted after a full collection of garbage:
 * objects, and the bytes outside the heap. `resident` is what the system says at the same moment, with what the heap keeps for its growth.
 */

import { type LoadOptions, LoadRun } from './load/load-run.ts';
import type { ServerMemory } from './load/messages.ts';
import { series } from './load/sizes.ts';
import type { Workload } from './workload.ts';

const endpoints = 10;

export const memory: Workload = {
  name: 'memory',
  about: 'what is kept for each endpoint, scope and proxy, by differences between pilots',
  async run({ quick }) {
    const services = quick ? 200 : 1000;
    const proxies = quick ? 51 : 1001;
    const base = { transport: 'delta', proxies: 1 } as const;
    const figures: Record<string, number> = {};
    const say = (name: string, one: ServerMemory, other: ServerMemory, per: number): void => {
      figures[`${name}: held, kB`] = (other.heldBytes - one.heldBytes) / per / 1000;
      figures[`${name}: resident, kB`] = (other.residentBytes - one.residentBytes) / per / 1000;
    };
    const empty = await measure({ ...base, mesh: { services: 0, endpoints } }, false);
    figures['empty: held, kB'] = empty.heldBytes / 1000;
    figures['empty: resident, kB'] = empty.residentBytes / 1000;
    const large = { services: services * 10, endpoints };
    const idle = await measure({ ...base, mesh: large }, false);
    say('each 1,000 endpoints, no proxy', empty, idle, (large.services * endpoints) / 1000);
    const scoped = await measure({ ...base, mesh: large, shape: 'vhds' }, true);
    say('each 1,000 endpoints, encoded for one scope', idle, scoped, (large.services * endpoints) / 1000);
    const mesh = { services, endpoints };
    for (const { name, ...client } of quick ? series.eachKind.slice(0, 1) : series.eachKind) {
      const options: LoadOptions = { ...client, mesh, proxies: 1 };
      const one = await measure(options, true);
      say(`each proxy, ${name}`, one, await measure({ ...options, proxies }, true), proxies - 1);
    }
    return figures;
  },
};

async function measure(options: LoadOptions, connected: boolean): Promise<ServerMemory> {
  const run = await LoadRun.start(options);
  try {
    if (connected) {
      await run.connect();
      await run.verify();
    }
    return await run.memory();
  } finally {
    await run.stop();
  }
}
