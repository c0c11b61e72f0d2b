/**
 * A ClusterLoadAssignment as bytes. A service may have thousands of endpoints, and one of them changes: so an endpoint is written straight
 * into the resource, in well under a microsecond, without a plain form and without anything kept for it.
 *
 * What always holds: the bytes are those that encode.ts would make of the same fields, but for localities, which it makes.
 * https://github.com/envoyproxy/envoy/blob/main/api/envoy/config/endpoint/v3/endpoint.proto
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { Locality } from '../model/cluster.ts';
import type { Endpoint } from '../model/service.ts';
import { whoField, whoFilter, whoText } from './endpoint-identity.ts';
import { BackwardWriter } from './proto/backward-writer.ts';
import { versionOf } from './proto/encode.ts';

export interface Target {
  readonly endpoint: Endpoint;
  readonly port: number;
}

/** Targets of one locality and priority; at least one. */
export interface TargetGroup {
  readonly targets: readonly Target[];
  readonly priority: number;
  /** Undefined: as many as are healthy, where weights of localities count. */
  readonly weight?: number;
  /** Undefined: the first target's. Two groups of one priority must differ in it. */
  readonly locality?: Locality;
}

const healthy = 1;
const unhealthy = 2;

/** Those that terminate stand here only where they are all that there is. */
export function isHealthy({ endpoint: { ready, terminating } }: Target): boolean {
  return ready || terminating;
}

/** Used by one call at a time, and empty between calls. */
const writer = new BackwardWriter();

export interface AssignmentForm {
  /** Default: Envoy's, 140. */
  readonly overprovisioningPercent?: number | undefined;
  /** Where health checks ask, if not at the endpoint's own port. */
  readonly healthPort?: number | undefined;
  /** gRPC's own clients refuse a locality without a name for it, be it an empty one, and weigh localities before endpoints. Default: envoy. */
  readonly reader?: 'envoy' | 'grpc';
  /** Envoy weighs localities only where its cluster says so. */
  readonly weighsLocalities?: boolean;
  /** Endpoints say who they are: for the access log, which alone reads it. */
  readonly tellsWho?: boolean;
}

/** A mesh has many of these, and nearly all are of the same form: what Envoy takes for granted is not said. */
export function encodeAssignment(
  name: string,
  groups: readonly TargetGroup[],
  form: AssignmentForm = {},
): EncodedResource {
  const { overprovisioningPercent } = form;
  writer.clear();
  if (overprovisioningPercent !== undefined) writePolicy(overprovisioningPercent);
  for (let at = groups.length - 1; at >= 0; at--) writeGroup(groups[at] as TargetGroup, form);
  writer.string(1, name);
  writer.message(2, 0);
  writer.string(1, typeUrl.endpoint);
  const body = writer.finish();
  return { name, version: versionOf(body), body };
}

/** `policy.overprovisioning_factor`. */
function writePolicy(overprovisioningPercent: number): void {
  const mark = writer.size;
  writer.uint32(1, overprovisioningPercent);
  writer.message(3, mark);
  writer.message(4, mark);
}

function writeGroup({ targets, priority, weight, locality }: TargetGroup, form: AssignmentForm): void {
  const mark = writer.size;
  if (priority > 0) writer.uint32(5, priority);
  if (form.reader === 'grpc' || form.weighsLocalities === true) {
    writeWeight(weight ?? targets.reduce((count, target) => count + (isHealthy(target) ? 1 : 0), 0));
  }
  for (let at = targets.length - 1; at >= 0; at--) writeTarget(targets[at] as Target, form);
  const place = locality ?? targets[0]?.endpoint.locality ?? { region: '', zone: '', subzone: '' };
  writeLocality(place, form.reader !== 'grpc');
  writer.message(2, mark);
}

/** Envoy refuses a weight of 0; without one, who weighs localities sends nothing there. */
function writeWeight(weight: number): void {
  if (weight <= 0) return;
  const mark = writer.size;
  writer.uint32(1, weight);
  writer.message(3, mark);
}

function writeLocality({ region, zone, subzone }: Locality, isEnvoy: boolean): void {
  if (isEnvoy && region === '' && zone === '' && subzone === '') return;
  const mark = writer.size;
  if (subzone !== '') writer.string(3, subzone);
  if (zone !== '') writer.string(2, zone);
  if (region !== '') writer.string(1, region);
  writer.message(1, mark);
}

function writeTarget(target: Target, { tellsWho, healthPort, reader }: AssignmentForm): void {
  const { endpoint, port } = target;
  const mark = writer.size;
  if (tellsWho === true) writeWho(endpoint);
  // To Envoy, an endpoint of which nothing is said is healthy.
  if (!isHealthy(target)) writer.uint32(2, unhealthy);
  else if (reader === 'grpc') writer.uint32(2, healthy);
  const inner = writer.size;
  if (healthPort !== undefined) writeHealthPort(healthPort);
  const address = writer.size;
  writer.uint32(3, port);
  writer.string(2, endpoint.address);
  // SocketAddress in an Address in an Endpoint.
  for (let level = 0; level < 2; level++) writer.message(1, address);
  writer.message(1, inner);
  writer.message(2, mark);
}

/** An Endpoint's `health_check_config.port_value`. */
function writeHealthPort(port: number): void {
  const mark = writer.size;
  writer.uint32(1, port);
  writer.message(2, mark);
}

/** `metadata.filter_metadata`, as endpoint-identity.ts describes it. */
function writeWho(endpoint: Endpoint): void {
  const mark = writer.size;
  writer.string(3, whoText(endpoint));
  writer.message(2, mark);
  writer.string(1, whoField);
  writer.message(1, mark);
  writer.message(2, mark);
  writer.string(1, whoFilter);
  writer.message(1, mark);
  writer.message(3, mark);
}
