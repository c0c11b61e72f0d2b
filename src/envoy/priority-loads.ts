/**
 * How Envoy divides requests among the priority levels of an assignment. In: how many endpoints each level has, and how many of them are
 * healthy. Out: whole per cents by level, and which levels are used whole, healthy or not (panic).
 *
 * What always holds: it counts as Envoy does, in whole numbers that are cut off, so 5 of 9 healthy endpoints are a health of 77; the loads
 * sum to 100 unless there is no endpoint at all, or none that may be used.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/panic_threshold
 */

export interface LevelHealth {
  readonly endpoints: number;
  readonly healthy: number;
}

export interface LevelLoad {
  readonly percent: number;
  readonly panic: boolean;
}

export function priorityLoads(
  levels: readonly LevelHealth[],
  overprovisioningPercent: number,
  panicThresholdPercent: number,
): readonly LevelLoad[] {
  const health = levels.map(({ endpoints, healthy }) =>
    endpoints === 0 ? 0 : Math.min(100, Math.floor((overprovisioningPercent * healthy) / endpoints)),
  );
  const total = Math.min(
    100,
    health.reduce((sum, each) => sum + each, 0),
  );
  const panics = levels.map(
    ({ endpoints, healthy }) =>
      total < 100 && (endpoints === 0 ? 0 : (100 * healthy) / endpoints) < panicThresholdPercent,
  );
  const loads = panics.every((panic) => panic) ? byEndpoints(levels) : byHealth(health, total);
  return loads.map((percent, level) => ({ percent, panic: panics[level] === true }));
}

function byHealth(health: readonly number[], total: number): readonly number[] {
  if (total === 0) return health.map(() => 0);
  let left = 100;
  const loads = health.map((each) => {
    const load = Math.min(left, Math.floor((each * 100) / total));
    left -= load;
    return load;
  });
  return withRest(
    loads,
    health.findIndex((each) => each > 0),
    left,
  );
}

/** Every level is so bad that its health says nothing any more. */
function byEndpoints(levels: readonly LevelHealth[]): readonly number[] {
  const all = levels.reduce((sum, { endpoints }) => sum + endpoints, 0);
  if (all === 0) return levels.map(() => 0);
  const loads = levels.map(({ endpoints }) => Math.floor((100 * endpoints) / all));
  const left = 100 - loads.reduce((sum, load) => sum + load, 0);
  return withRest(
    loads,
    levels.findIndex(({ endpoints }) => endpoints > 0),
    left,
  );
}

/** What the cutting off has left goes to the first level that takes any. */
function withRest(loads: readonly number[], first: number, left: number): readonly number[] {
  return loads.map((load, level) => (level === first ? load + left : load));
}
