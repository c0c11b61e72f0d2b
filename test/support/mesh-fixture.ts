/**
 * A mesh written as short YAML, through the real merge, rule parser and compiler: what goldens start from.
 *
 *     scope: {cluster: east, namespace: shop, mode: captured, inbound: ['9080:http']}
 *     settings: {outbound: registered-only}
 *     services:
 *     - name: reviews
 *       clusters:
 *         east: {vips: [10.1.0.5], ports: ['80:http'], endpoints: [{address: 10.10.0.1, version: v1}]}
 *     rules: […TrafficRule objects]
 *     routes: […objects of the Gateway API, without their apiVersion]
 *     externals: […ExternalService objects]
 *     drains: [{cluster: west, zone: b, step: 3}]
 */

import { parse } from 'yaml';
import { mergeService } from '../../src/catalog/merge.ts';
import { formatFinding } from '../../src/core/errors.ts';
import type { GatewayRoute, Grant } from '../../src/gateway-api/route.ts';
import { RouteTable } from '../../src/gateway-api/route-table.ts';
import { targetOf } from '../../src/gateway-api/targets.ts';
import { compileService } from '../../src/mesh/compile.ts';
import { hasEndpoints } from '../../src/mesh/drain-outcome.ts';
import { Elsewhere } from '../../src/mesh/elsewhere.ts';
import { externalLosses, externalServices } from '../../src/mesh/external.ts';
import { serviceDrain } from '../../src/model/drain.ts';
import {
  defaultMeshSettings,
  type InboundPort,
  type Mesh,
  type MeshService,
  type MeshSettings,
  type Scope,
} from '../../src/model/mesh.ts';
import type { TrafficRule } from '../../src/model/rule.ts';
import type {
  AppProtocol,
  CatalogService,
  Endpoint,
  ServiceKey,
  ServicePort,
  ServiceShard,
} from '../../src/model/service.ts';
import { parseExternalService } from '../../src/rules/external/parse.ts';
import { parseTrafficRule } from '../../src/rules/traffic-rule/parse.ts';
import { endpoint, shard } from './fixtures.ts';
import { parseGatewayObjects } from './gateway-objects.ts';

export interface MeshFixture {
  readonly scope: Scope;
  readonly mesh: Mesh;
}

interface FixtureEndpoint {
  readonly address: string;
  readonly version?: string;
  readonly workload?: string;
  readonly zone?: string;
  readonly region?: string;
  readonly state?: 'ready' | 'unready' | 'terminating';
  readonly hostname?: string;
  readonly node?: string;
  /** Target ports by name; default: the service's own numbers. */
  readonly ports?: Readonly<Record<string, number>>;
}

interface FixtureShard {
  readonly vips?: readonly string[];
  readonly headless?: boolean;
  readonly createdAt?: number;
  readonly externalName?: string;
  /** Kubernetes' own words on nearness. */
  readonly traffic?: Pick<ServiceShard, 'internalTrafficPolicy' | 'trafficDistribution'>;
  /** `80:http`, `6379:tcp:redis` (number, protocol, name), `53:udp`, `443:tls`, `9000:unknown` (declares nothing). */
  readonly ports: readonly string[];
  readonly endpoints?: readonly FixtureEndpoint[];
}

interface Fixture {
  readonly scope?: Partial<Omit<Scope, 'inbound' | 'outbound'>> & {
    readonly outbound?: string;
    readonly inbound?: readonly string[];
  };
  readonly settings?: Partial<MeshSettings>;
  readonly services: readonly {
    readonly name: string;
    readonly namespace?: string;
    readonly clusters: Readonly<Record<string, FixtureShard>>;
  }[];
  readonly rules?: readonly unknown[];
  readonly routes?: readonly unknown[];
  readonly externals?: readonly unknown[];
  /** Places that are drained, the oldest first, with the step that each has taken. */
  readonly drains?: readonly { cluster?: string; zone?: string; step: number; force?: boolean; services?: string[] }[];
}

export function parseMeshFixture(text: string): MeshFixture {
  const fixture = parse(text) as Fixture;
  const rules = new Map<ServiceKey, TrafficRule>(
    (fixture.rules ?? []).map((object) => ruleOf(object)).map((rule) => [rule.service, rule]),
  );
  const services = new Map<ServiceKey, MeshService>();
  const catalogs = new Map<ServiceKey, CatalogService>();
  for (const { name, namespace = 'shop', clusters } of fixture.services) {
    const shards = Object.entries(clusters).map(
      ([
        cluster,
        { vips = [], headless = false, createdAt = 0, externalName, traffic = {}, ports, endpoints = [] },
      ]) => {
        const servicePorts = ports.map(portOf);
        return shard(cluster, name, {
          namespace,
          headless,
          vips,
          createdAtMs: createdAt,
          ...(externalName === undefined ? {} : { externalName }),
          ...traffic,
          ports: servicePorts,
          endpoints: endpoints.map((given) => endpointOf(cluster, given, servicePorts)),
        });
      },
    );
    const catalog = drained(mergeService(shards), fixture.drains ?? []);
    catalogs.set(catalog.key, catalog);
  }
  for (const [key, rule] of routeRules(fixture.routes ?? [], catalogs)) if (!rules.has(key)) rules.set(key, rule);
  const elsewhere = new Elsewhere();
  for (const [key, { routes }] of rules) elsewhere.set(key, routes);
  for (const [key, catalog] of catalogs)
    services.set(
      key,
      compileService(catalog, rules.get(key), {
        needed: elsewhere.chains(key),
        drainOf: (other) => catalogs.get(other)?.drain,
      }),
    );
  for (const catalog of hostsOutside(fixture.externals ?? [], services)) {
    const { ruledAs = catalog.key } = catalog;
    services.set(catalog.key, compileService(catalog, services.has(ruledAs) ? undefined : rules.get(ruledAs)));
  }
  return {
    scope: scopeOf(fixture.scope ?? {}),
    mesh: { revision: 1, settings: { ...defaultMeshSettings, accessLog: false, ...fixture.settings }, services },
  };
}

function routeRules(
  objects: readonly unknown[],
  catalogs: ReadonlyMap<ServiceKey, CatalogService>,
): ReadonlyMap<ServiceKey, TrafficRule> {
  const table = new RouteTable((key) => {
    const catalog = catalogs.get(key);
    return catalog === undefined ? undefined : targetOf(catalog, { detectProtocols: false, merging: 'all' });
  });
  for (const { id, kind, value, findings } of parseGatewayObjects(objects)) {
    if (value === undefined) throw new Error(findings.map(formatFinding).join('\n'));
    if (kind === 'ReferenceGrant') table.setGrant(id, undefined, value as Grant);
    else table.setRoute(id, undefined, value as GatewayRoute);
  }
  table.update();
  return table.rules;
}

function drained(service: CatalogService, drains: NonNullable<Fixture['drains']>): CatalogService {
  const drain = serviceDrain(
    drains
      .filter(({ services }) => services === undefined || services.includes(service.key))
      .map(({ cluster = '', zone = '', step, force = false }) => ({ cluster, zone, step, force }))
      .filter((place) => hasEndpoints(service, place)),
  );
  return drain === undefined ? service : { ...service, drain };
}

function hostsOutside(objects: readonly unknown[], services: ReadonlyMap<ServiceKey, unknown>): CatalogService[] {
  const claims = objects.map((object, index) => {
    const raw = { object, where: () => ({}), origin: 'fixture' };
    const { value, findings } = parseExternalService(raw, { defaultNamespace: 'shop' });
    if (value === undefined) throw new Error(findings.map(formatFinding).join('\n'));
    return { key: String(index), external: value };
  });
  const losses = externalLosses(claims, (key) => services.has(key), defaultMeshSettings.clusterDomain);
  return claims.flatMap(({ key, external }) => (losses.has(key) ? [] : externalServices(external)));
}

function ruleOf(object: unknown): TrafficRule {
  const { rule, findings } = parseTrafficRule(
    { object, where: () => ({}), origin: 'fixture' },
    { defaultNamespace: 'shop' },
  );
  if (rule === undefined) throw new Error(findings.map(formatFinding).join('\n'));
  return rule;
}

function portOf(text: string): ServicePort {
  const [number, protocol = '', name = protocol] = text.split(':');
  const udp = protocol === 'udp';
  return {
    name,
    port: Number(number),
    transport: udp ? 'UDP' : 'TCP',
    protocol: ['udp', 'tls', 'unknown'].includes(protocol) ? 'tcp' : (protocol as AppProtocol),
    ...(protocol === 'tls' ? { tls: true } : {}),
    ...(protocol === 'unknown' ? { undeclared: true } : {}),
  };
}

function endpointOf(cluster: string, given: FixtureEndpoint, ports: readonly ServicePort[]): Endpoint {
  const {
    address,
    version = '',
    workload = '',
    zone = '',
    region = '',
    state = 'ready',
    hostname = '',
    node = '',
  } = given;
  const targets =
    given.ports === undefined ? ports.map(({ name, port }) => [name, port] as const) : Object.entries(given.ports);
  return endpoint(cluster, address, {
    version,
    workload,
    hostname,
    node,
    locality: { region, zone, subzone: '' },
    ready: state === 'ready',
    serving: state !== 'unready',
    terminating: state === 'terminating',
    ports: new Map(targets),
  });
}

function scopeOf(given: NonNullable<Fixture['scope']>): Scope {
  const [, address = '127.0.0.1', port = '15001'] = /^(.*):(\d+)$/.exec(given.outbound ?? '') ?? [];
  return {
    cluster: 'east',
    network: '',
    namespace: 'shop',
    mode: 'captured',
    inboundAddress: '0.0.0.0',
    routes: 'tables',
    rejected: [],
    ...given,
    outbound: { address, port: Number(port) },
    inbound: (given.inbound ?? []).map(inboundOf),
  };
}

function inboundOf(text: string): InboundPort {
  const parts = text.split(':');
  const protocol = parts.pop() as AppProtocol;
  const [port = 0, targetPort = port] = parts.map(Number);
  return { port, targetPort, protocol };
}
