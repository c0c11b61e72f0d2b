/**
 * The form in which a sidecar gets its routes and Envoy clusters, as its node metadata declares it (docs/performance.md, "Modes"), and what a
 * sidecar in on-demand mode uses.
 */

import { namespace } from './synthetic-mesh.ts';

/** Whole route tables; all virtual hosts, one by one (VHDS); or only what its requests ask for. The last two over delta alone. */
export type Shape = 'tables' | 'vhds' | 'on-demand';

/** Node metadata, as `fairway bootstrap` writes it. */
export const shapeMetadata: Readonly<Record<Shape, Readonly<Record<string, string>>>> = {
  tables: {},
  vhds: { FAIRWAY_ROUTES: 'vhds' },
  'on-demand': { FAIRWAY_ROUTES: 'vhds', FAIRWAY_CONFIG: 'on-demand' },
};

/** The services, by index, that proxy `index` calls: `count` different ones of `services`, another choice for each proxy, the same in every run. */
export function usedServices(index: number, services: number, count: number): readonly number[] {
  const used = new Set<number>();
  // A linear congruential generator (Numerical Recipes); its high bits choose.
  let state = Math.imul(index + 1, 2_654_435_761) >>> 0;
  while (used.size < Math.min(count, services)) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    used.add(Math.floor((state / 2 ** 32) * services));
  }
  return [...used];
}

/** The Host that a workload's request to the service has. */
export function hostOf(service: number): string {
  return `svc-${service}.${namespace}`;
}
