/** What may happen to a pilot, for properties: anything that clusters, people, proxies and the machine do, one step at a time. */

import fc from 'fast-check';
import { port } from './fixtures.ts';

export const clusters = ['east', 'west', 'north'];
export const services = ['a', 'b', 'c'];
const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const portPool = [port(80), port(81, 'grpc'), port(6379, 'tcp', 'redis'), port(80, 'tcp', 'raw')];

export const anyShard = fc.record({
  createdAtMs: fc.nat(2),
  headless: fc.boolean(),
  vips: fc.subarray(['10.96.0.1', '10.96.0.2', 'fd00::1']),
  ports: fc.subarray(portPool, { minLength: 1, maxLength: 2 }),
  endpoints: fc.array(
    fc.record({
      address: fc.constantFrom(...addresses),
      version: fc.constantFrom('v1', 'v2', 'bad'),
      ready: fc.boolean(),
      zone: fc.constantFrom('', 'a', 'b'),
      node: fc.constantFrom('', 'n1', 'n2'),
    }),
    { maxLength: 3 },
  ),
  kubernetes: fc.constantFrom(
    {},
    {},
    {},
    { trafficDistribution: 'PreferSameZone' as const },
    { trafficDistribution: 'PreferSameNode' as const },
    { internalTrafficPolicy: 'Local' as const },
  ),
});
/** What a rule asks of proxies, besides its backends. */
const anyAsk = fc.constantFrom<Readonly<Record<string, unknown>>>(
  {},
  {},
  {},
  { locality: { prefer: ['zone', 'region'] } },
  { locality: { prefer: ['node', 'cluster'] } },
  { locality: { order: [{ region: 'eu', zone: 'b' }, { cluster: 'west' }] }, spillover: 120 },
  {
    locality: {
      shares: [
        {
          from: { zone: 'a' },
          to: [
            { zone: 'a', weight: 3 },
            { zone: 'b', weight: 1 },
          ],
        },
      ],
    },
  },
  { within: { region: 'eu' } },
  { within: { cluster: 'west' }, locality: { prefer: ['zone'] } },
);
const anySource = fc.option(
  fc.constantFrom(
    { cluster: 'east' },
    { namespace: 'other' },
    { labels: { app: 'web' } },
    { labels: { app: 'web', tier: 'front' } },
    { labels: { app: 'job' }, cluster: 'west' },
  ),
  { nil: undefined, freq: 2 },
);
const anyBackends = fc.constantFrom(
  [{ version: 'v1' }],
  [{ version: 'v2', cluster: 'west', fallback: [{ version: 'v1' }, {}] }],
  [
    { version: 'v1', weight: 9 },
    { cluster: 'east', weight: 1 },
  ],
  [{ version: 'bad' }],
  [{ version: 'bad', cluster: 'west', fallback: [{}] }],
);
export const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('shard' as const),
      cluster: fc.constantFrom(...clusters),
      name: fc.constantFrom(...services),
      shard: fc.option(anyShard, { nil: undefined, freq: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('rule' as const),
      source: fc.constantFrom('folder', 'primary'),
      id: fc.constantFrom('r1', 'r2', 'r3'),
      service: fc.constantFrom(...services),
      backends: fc.option(anyBackends, { nil: undefined, freq: 4 }),
      ask: anyAsk,
      from: anySource,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('member' as const),
      cluster: fc.constantFrom('east', 'west', 'north'),
      id: fc.constantFrom('r1', 'r2', 'r3'),
      service: fc.constantFrom(...services),
      backends: fc.option(anyBackends, { nil: undefined, freq: 4 }),
      ask: anyAsk,
      from: anySource,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      name: fc.constantFrom('p', 'q'),
      policy: fc.option(
        fc.record({
          clusters: fc.constantFrom(['*'], ['west'], ['e*', 'north']),
          namespaces: fc.constantFrom(['*'], ['shop'], ['sh*'], ['other']),
          precedence: fc.constantFrom('member', 'primary'),
        }),
        { nil: undefined, freq: 4 },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), cluster: fc.constantFrom(...clusters) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('regain' as const), cluster: fc.constantFrom(...clusters) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('unregister' as const), cluster: fc.constantFrom(...clusters) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('register' as const), cluster: fc.constantFrom(...clusters) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), proxy: fc.nat(3) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('work' as const), turns: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pump' as const),
      proxy: fc.nat(3),
      messages: fc.integer({ min: 1, max: 4 }),
    }),
  },
);
export type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;
