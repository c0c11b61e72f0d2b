/**
 * The file that holds what one cluster said last: lines of JSON, so that neither writing nor reading needs all of it as one string.
 *
 *     {"format":"fairway-last-good","version":1,"cluster":"east",…}    the head
 *     {"service":…} or {"namespace":…}                                 one line each
 *     {"end":true,"lines":123,"sha256":"…"}                            over every line before it
 *
 * Reading what was written gives an equal state; anything else (a torn, altered or foreign file) is a reason, never an exception.
 */

import { createHash, type Hash } from 'node:crypto';
import { errorMessage } from '../core/errors.ts';
import type { ClusterInfo, Locality } from '../model/cluster.ts';
import {
  type Endpoint,
  type NamespaceShard,
  type ServiceExport,
  type ServiceKey,
  type ServiceShard,
  serviceKey,
} from '../model/service.ts';

export interface LastGood {
  readonly info: ClusterInfo;
  /** When this was last known to be true, ms since the epoch. */
  readonly lastNewsMs: number;
  readonly services: ReadonlyMap<ServiceKey, ServiceShard>;
  readonly namespaces: ReadonlyMap<string, NamespaceShard>;
}

const format = 'fairway-last-good';
const formatVersion = 1;

interface Head {
  readonly format: string;
  readonly version: number;
  readonly cluster: string;
  readonly info: ClusterInfo;
  readonly lastNewsMs: number;
}

/** Endpoints point into tables for what many of them share, so that reading gives shared objects again. */
type StoredEndpoint = Omit<Endpoint, 'ports' | 'labels' | 'locality' | 'cluster'> & {
  readonly ports: number;
  readonly labels: number;
  readonly locality: number;
};

interface StoredService extends Omit<ServiceShard, 'endpoints' | 'export'> {
  readonly export?: Omit<ServiceExport, 'otherFamily'> & { readonly otherFamily: readonly StoredEndpoint[] };
  readonly portMaps: readonly (readonly [string, number][])[];
  readonly labelSets: readonly Readonly<Record<string, string>>[];
  readonly localities: readonly Locality[];
  readonly endpoints: readonly StoredEndpoint[];
}

/** The lines of the file, each with its line break; the shards are read from the maps when the first line is asked for. */
export function* encodeLastGood(cluster: string, state: LastGood): Generator<string> {
  const services = [...state.services.values()];
  const namespaces = [...state.namespaces.values()];
  const hash = createHash('sha256');
  const head: Head = { format, version: formatVersion, cluster, info: state.info, lastNewsMs: state.lastNewsMs };
  yield hashed(hash, head);
  for (const shard of services) yield hashed(hash, { service: storeService(shard) });
  for (const shard of namespaces) yield hashed(hash, { namespace: shard });
  const lines = 1 + services.length + namespaces.length;
  yield `${JSON.stringify({ end: true, lines, sha256: hash.digest('hex') })}\n`;
}

function hashed(hash: Hash, value: unknown): string {
  const line = `${JSON.stringify(value)}\n`;
  hash.update(line);
  return line;
}

/** The state, or why the bytes are not one of this cluster's. */
export function decodeLastGood(cluster: string, bytes: Buffer): LastGood | string {
  try {
    return decode(cluster, bytes);
  } catch (error) {
    return `it cannot be read: ${errorMessage(error)}`;
  }
}

function decode(cluster: string, bytes: Buffer): LastGood | string {
  const lastBreak = bytes.lastIndexOf(10, bytes.length - 2);
  if (bytes.length === 0) return 'it is empty';
  if (bytes.at(-1) !== 10 || lastBreak < 0) return 'it is cut short';
  const end = JSON.parse(bytes.toString('utf8', lastBreak + 1)) as { end?: unknown; lines?: unknown; sha256?: unknown };
  if (end.end !== true) return 'it is cut short';
  const body = bytes.subarray(0, lastBreak + 1);
  if (createHash('sha256').update(body).digest('hex') !== end.sha256) return 'its checksum does not match';

  const services = new Map<ServiceKey, ServiceShard>();
  const namespaces = new Map<string, NamespaceShard>();
  let head: Head | undefined;
  for (let start = 0; start < body.length; ) {
    const stop = body.indexOf(10, start);
    const line = JSON.parse(body.toString('utf8', start, stop)) as Partial<Head> & {
      service?: StoredService;
      namespace?: NamespaceShard;
    };
    start = stop + 1;
    if (head === undefined) {
      if (line.format !== format) return 'it is not a file of Fairway';
      if (line.version !== formatVersion)
        return `it has format version ${String(line.version)}, and this is ${formatVersion}`;
      if (line.cluster !== cluster || line.info?.name !== cluster) return `it is of cluster ${String(line.cluster)}`;
      if (typeof line.lastNewsMs !== 'number') return 'it does not say how old it is';
      head = line as Head;
    } else if (line.service !== undefined) {
      const shard = restoreService(line.service);
      if (shard.cluster !== cluster) return `it holds a service of cluster ${shard.cluster}`;
      services.set(serviceKey(shard.namespace, shard.name), shard);
    } else if (line.namespace !== undefined) {
      namespaces.set(line.namespace.name, line.namespace);
    }
  }
  if (head === undefined) return 'it is empty';
  return { info: head.info, lastNewsMs: head.lastNewsMs, services, namespaces };
}

function storeService(shard: ServiceShard): StoredService {
  const portMaps = new Table<ReadonlyMap<string, number>>();
  const labelSets = new Table<Readonly<Record<string, string>>>();
  const localities = new Table<Locality>();
  const store = ({ cluster: _, ...endpoint }: Endpoint): StoredEndpoint => ({
    ...endpoint,
    ports: portMaps.indexOf(endpoint.ports),
    labels: labelSets.indexOf(endpoint.labels),
    locality: localities.indexOf(endpoint.locality),
  });
  const endpoints = shard.endpoints.map(store);
  const { export: exported, ...rest } = shard;
  return {
    ...rest,
    ...(exported === undefined ? {} : { export: { ...exported, otherFamily: exported.otherFamily.map(store) } }),
    portMaps: portMaps.values.map((ports) => [...ports]),
    labelSets: labelSets.values,
    localities: localities.values,
    endpoints,
  };
}

function restoreService(stored: StoredService): ServiceShard {
  const { portMaps, labelSets, localities, endpoints, export: exported, ...shard } = stored;
  const maps = portMaps.map((entries) => new Map(entries));
  const restore = (endpoint: StoredEndpoint): Endpoint => ({
    ...endpoint,
    cluster: shard.cluster,
    ports: at(maps, endpoint.ports),
    labels: at(labelSets, endpoint.labels),
    locality: at(localities, endpoint.locality),
  });
  return {
    ...shard,
    ...(exported === undefined ? {} : { export: { ...exported, otherFamily: exported.otherFamily.map(restore) } }),
    endpoints: endpoints.map(restore),
  };
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`an endpoint points at entry ${index} of ${values.length}`);
  return value;
}

/** Distinct objects, by identity, in the order in which they were first seen. */
class Table<T extends object> {
  readonly values: T[] = [];
  readonly #indexes = new Map<T, number>();

  indexOf(value: T): number {
    const known = this.#indexes.get(value);
    if (known !== undefined) return known;
    this.#indexes.set(value, this.values.length);
    this.values.push(value);
    return this.values.length - 1;
  }
}
