/**
 * The proxy that `--as` means: words of a person go in, the xDS node that its sidecar would send comes out.
 *
 *     shop/reviews-v1-abc                          the pod, in the one cluster that has it
 *     shop/reviews-v1                              the first pod whose name begins so, where one cluster alone has any
 *     sidecar~10.1.2.3~reviews-v1-abc.shop~shop.svc.cluster.local
 *     cluster=west,namespace=shop                  somebody there; also workload=, address=, node=, region=, zone=, network=, label.KEY=
 */

import { FairwayError } from '../../core/errors.ts';
import type { Endpoint } from '../../model/service.ts';
import type { Inventory } from '../../registry/inventory.ts';
import type { XdsNode } from '../../xds/view.ts';

export interface NodeWords {
  readonly node: XdsNode;
  readonly transport: 'sotw' | 'delta';
  /** For people: `reviews-v1-abc.shop in west`. */
  readonly title: string;
}

export interface NodeOptions {
  readonly mode: 'captured' | 'explicit';
  readonly routes: 'tables' | 'vhds';
  readonly clusterDomain: string;
}

interface Known {
  readonly cluster: string;
  readonly namespace: string;
  readonly workload: string;
  readonly address: string;
  readonly network: string;
  readonly region: string;
  readonly zone: string;
  readonly node: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** @throws FairwayError FW-PREVIEW-005 for words that mean nothing, 006 for a proxy that is not in the files, 007 for several. */
export function proxyNode(words: string, inventory: Inventory, options: NodeOptions): NodeWords {
  if (words.includes('~')) return render(byNodeId(words, inventory), options, words);
  if (words.includes('=')) return render(byFields(words, inventory), options);
  const [namespace = '', name = '', ...rest] = words.split('/');
  if (namespace === '' || name === '' || rest.length > 0) throw badWords(words);
  return render(byWorkload(namespace, name, words, inventory), options);
}

/** One for each pod behind a service, sorted by cluster, namespace and name. */
export function everyProxy(inventory: Inventory, options: NodeOptions): readonly NodeWords[] {
  const all = new Map<string, Known>();
  for (const pod of pods(inventory)) {
    if (pod.workload !== '') all.set(JSON.stringify([pod.cluster, pod.namespace, pod.workload]), pod);
  }
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pod]) => render(pod, options));
}

function* pods(inventory: Inventory): Generator<Known> {
  for (const { services } of inventory.clusters().values()) {
    for (const { namespace, endpoints } of services.values()) {
      for (const endpoint of endpoints) yield podOf(namespace, endpoint);
    }
  }
}

function podOf(namespace: string, endpoint: Endpoint): Known {
  const { cluster, workload, address, network, locality, node, serviceAccount, labels } = endpoint;
  const { region, zone } = locality;
  return { cluster, namespace, workload, address, network, region, zone, node, serviceAccount, labels };
}

function byNodeId(id: string, inventory: Inventory): Known {
  const [, address = '', name = ''] = id.split('~');
  const dot = name.lastIndexOf('.');
  const found = [...pods(inventory)].filter((pod) => pod.address === address && pod.workload === name.slice(0, dot));
  return onlyOne(found, id);
}

function byWorkload(namespace: string, name: string, words: string, inventory: Inventory): Known {
  const inNamespace = [...pods(inventory)].filter((pod) => pod.namespace === namespace && pod.workload !== '');
  const exact = inNamespace.filter(({ workload }) => workload === name);
  return onlyOne(
    exact.length > 0 ? exact : inNamespace.filter(({ workload }) => workload.startsWith(`${name}-`)),
    words,
  );
}

/** A pod may stand behind several services; pods of one beginning are alike. */
function onlyOne(found: readonly Known[], words: string): Known {
  const clusters = [...new Set(found.map(({ cluster }) => cluster))].sort();
  const [first] = [...found].sort((a, b) => (a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : 0));
  if (first === undefined) {
    throw new FairwayError({
      code: 'FW-PREVIEW-006',
      message: `no service in the files has an endpoint of the proxy ${JSON.stringify(words)}`,
      where: {},
      hint: 'Name a pod behind a service, or say where it is, as in --as cluster=west,namespace=shop',
    });
  }
  if (clusters.length > 1) {
    throw new FairwayError({
      code: 'FW-PREVIEW-007',
      message: `${JSON.stringify(words)} is in several clusters: ${clusters.join(', ')}`,
      where: {},
      hint: `Say which, as in --as cluster=${clusters[0]},namespace=${first.namespace},workload=${first.workload}`,
    });
  }
  return first;
}

const fieldNames = ['cluster', 'namespace', 'workload', 'address', 'network', 'region', 'zone', 'node'] as const;

function byFields(words: string, inventory: Inventory): Known {
  const given = new Map<string, string>();
  const labels = new Map<string, string>();
  for (const part of words.split(',')) {
    const equals = part.indexOf('=');
    const [key, value] = [part.slice(0, equals).trim(), part.slice(equals + 1).trim()];
    if (equals < 0 || value === '') throw badWords(words);
    if (key.startsWith('label.')) labels.set(key.slice('label.'.length), value);
    else if ((fieldNames as readonly string[]).includes(key) && !given.has(key)) given.set(key, value);
    else throw badWords(words);
  }
  const cluster = given.get('cluster') ?? '';
  const record = inventory.clusters().get(cluster);
  if (record === undefined) {
    const names = [...inventory.clusters().keys()].sort();
    throw new FairwayError({
      code: 'FW-PREVIEW-006',
      message:
        cluster === '' ? `${JSON.stringify(words)} names no cluster` : `there is no cluster ${cluster} in the files`,
      where: {},
      hint: names.length === 0 ? 'Give the clusters with -f or --clusters' : `Use one of ${names.join(', ')}`,
    });
  }
  const workload = given.get('workload') ?? '';
  const namespace = given.get('namespace') ?? 'default';
  const pod = [...pods(inventory)].find(
    (each) => workload !== '' && each.cluster === cluster && each.namespace === namespace && each.workload === workload,
  );
  const nobody = { address: '', region: '', zone: '', node: '', serviceAccount: '', labels: {} };
  return {
    ...(pod ?? nobody),
    network: record.info.network,
    ...Object.fromEntries(given),
    cluster,
    namespace,
    workload: workload === '' ? 'somebody' : workload,
    labels: { ...pod?.labels, ...Object.fromEntries(labels) },
  };
}

function badWords(words: string): FairwayError {
  return new FairwayError({
    code: 'FW-PREVIEW-005',
    message: `--as ${JSON.stringify(words)} names no proxy`,
    where: {},
    hint: `Give NAMESPACE/POD, a node id, or KEY=VALUE pairs with ${fieldNames.join(', ')} or label.KEY`,
  });
}

/** An address that no pod has: the sidecar of somebody who is behind no service. */
const noAddress = '0.0.0.0';

/** `id`: as it was given. */
function render(known: Known, { mode, routes, clusterDomain }: NodeOptions, id?: string): NodeWords {
  const { cluster, namespace, workload, network, region, zone, node, serviceAccount, labels } = known;
  const address = known.address === '' ? noAddress : known.address;
  return {
    title: `${workload}.${namespace} in ${cluster}`,
    transport: 'delta',
    node: {
      id: id ?? `sidecar~${address}~${workload}.${namespace}~${namespace}.svc.${clusterDomain}`,
      cluster: `${workload}.${namespace}`,
      locality: { region, zone, subZone: '' },
      metadata: {
        CLUSTER_ID: cluster,
        NAMESPACE: namespace,
        NAME: workload,
        SERVICE_ACCOUNT: serviceAccount,
        INSTANCE_IPS: address,
        LABELS: labels,
        NETWORK: network,
        NODE_NAME: node,
        FAIRWAY_MODE: mode,
        FAIRWAY_ROUTES: routes,
      },
      userAgentName: 'envoy',
      userAgentVersion: '',
      clientFeatures: [],
    },
  };
}
