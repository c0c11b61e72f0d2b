/**
 * What Kubernetes' endpointslice controller does, for a folder where no controller runs: from a Service with a selector and the Pods that it
 * selects to EndpointSlices.
 *
 * Follows https://github.com/kubernetes/kubernetes/blob/v1.36.1/staging/src/k8s.io/endpointslice/utils.go: pods without an address and pods
 * that have ended are left out, a pod that is being deleted is terminating, a named target port is looked up in each pod's containers, and pods
 * whose ports come out differently get slices of their own. One thing is kinder: a pod without conditions counts as ready.
 */

import { isIPv6 } from 'node:net';
import { type HeldObject, mapping } from './file-objects.ts';

export interface PodSlices {
  /** As the API would give them; only what is read of them. */
  readonly slices: readonly unknown[];
  /** Selected pods that give no endpoint, and why. */
  readonly left: readonly { readonly pod: HeldObject; readonly reason: string }[];
}

type Fields = Readonly<Record<string, unknown>>;

/** The selector of a service that has one and wants endpoints made for it. */
export function selectorOf(service: HeldObject): ReadonlyMap<string, string> | undefined {
  const spec = mapping(mapping(service.raw.object)?.['spec']);
  if (spec === undefined || spec['type'] === 'ExternalName') return undefined;
  const entries = Object.entries(mapping(spec['selector']) ?? {});
  if (entries.length === 0 || entries.some(([, value]) => typeof value !== 'string')) return undefined;
  return new Map(entries as [string, string][]);
}

/** `pods` are those of the service's namespace. */
export function slicesFromPods(
  service: HeldObject,
  selector: ReadonlyMap<string, string>,
  pods: Iterable<HeldObject>,
): PodSlices {
  const spec = mapping(mapping(service.raw.object)?.['spec']) ?? {};
  const ports = list(spec['ports']).map((port) => mapping(port) ?? {});
  const publishNotReady = spec['publishNotReadyAddresses'] === true;
  const groups = new Map<string, { addressType: string; ports: unknown[]; endpoints: unknown[] }>();
  const left: { pod: HeldObject; reason: string }[] = [];
  for (const pod of pods) {
    const object = mapping(pod.raw.object) ?? {};
    const metadata = mapping(object['metadata']) ?? {};
    const labels = mapping(metadata['labels']) ?? {};
    if (![...selector].every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)) continue;
    const status = mapping(object['status']) ?? {};
    const podSpec = mapping(object['spec']) ?? {};
    if (status['phase'] === 'Succeeded' || status['phase'] === 'Failed') continue;
    const address = addressOf(status, spec);
    if (address === undefined) {
      left.push({ pod, reason: 'it has no status.podIP' });
      continue;
    }
    const resolved = ports.map((port) => resolvePort(port, podSpec));
    const unresolved = ports.find((_, index) => resolved[index] === undefined);
    if (unresolved !== undefined) {
      left.push({ pod, reason: `none of its containers has a port named ${String(unresolved['targetPort'])}` });
    }
    const slicePorts = resolved.filter((port) => port !== undefined);
    if (ports.length > 0 && slicePorts.length === 0) continue;
    const serving = isReady(status);
    const terminating = typeof metadata['deletionTimestamp'] === 'string';
    const addressType = isIPv6(address) ? 'IPv6' : 'IPv4';
    const key = JSON.stringify([addressType, slicePorts]);
    const group = groups.get(key) ?? { addressType, ports: slicePorts, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push({
      addresses: [address],
      conditions: { ready: publishNotReady || (serving && !terminating), serving, terminating },
      targetRef: { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: metadata['uid'] },
      ...(typeof podSpec['nodeName'] === 'string' ? { nodeName: podSpec['nodeName'] } : {}),
      ...(podSpec['subdomain'] === service.name && typeof podSpec['hostname'] === 'string'
        ? { hostname: podSpec['hostname'] }
        : {}),
    });
  }
  const slices = [...groups.values()].map((group, index) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: service.namespace,
      name: `${service.name.slice(0, 240)}-pods-${index}`,
      labels: { 'kubernetes.io/service-name': service.name },
    },
    ...group,
  }));
  return { slices, left };
}

/** The pod's address of the service's first family; without families, the pod's first address. */
function addressOf(status: Fields, serviceSpec: Fields): string | undefined {
  const listed = list(status['podIPs']).map((entry) => mapping(entry)?.['ip']);
  const addresses = [status['podIP'], ...listed].filter((ip) => typeof ip === 'string' && ip !== '') as string[];
  const family = list(serviceSpec['ipFamilies'])[0];
  if (family === undefined) return addresses[0];
  return addresses.find((address) => isIPv6(address) === (family === 'IPv6'));
}

function isReady(status: Fields): boolean {
  const conditions = list(status['conditions']).map((condition) => mapping(condition) ?? {});
  if (conditions.length === 0) return true;
  return conditions.some((condition) => condition['type'] === 'Ready' && condition['status'] === 'True');
}

/** undefined: a name that no container of the pod has. */
function resolvePort(port: Fields, podSpec: Fields): { name: unknown; port: unknown; protocol: unknown } | undefined {
  const protocol = port['protocol'] ?? 'TCP';
  const target = port['targetPort'];
  const named = (number: unknown) => ({ name: port['name'] ?? '', port: number, protocol });
  if (target === undefined || target === null || target === 0 || target === '') return named(port['port']);
  if (typeof target !== 'string') return named(target);
  const sidecars = list(podSpec['initContainers']).filter(
    (container) => mapping(container)?.['restartPolicy'] === 'Always',
  );
  for (const container of [...list(podSpec['containers']), ...sidecars]) {
    for (const entry of list(mapping(container)?.['ports'])) {
      const found = mapping(entry);
      if (found?.['name'] === target && (found['protocol'] ?? 'TCP') === protocol) return named(found['containerPort']);
    }
  }
  return undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
