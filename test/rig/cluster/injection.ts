/**
 * Sidecars for pods: a MutatingAdmissionPolicy that gives every pod made in a namespace labelled `fairway.dev/inject: enabled` a container that
 * captures its traffic and an Envoy beside it, as a sidecar container. In: the cluster's name and a pilot; out: manifests.
 *
 * A pod labelled `fairway.dev/inject: disabled` stays as it is, and so does one on the node's own network.
 * What always holds: the capture comes first and the Envoy second, before all containers of the pod's own; none of those starts before Envoy
 * has its configuration. https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */

import { captureImage, proxyImage } from '../images.ts';

export const injectLabel = 'fairway.dev/inject';
export const proxyContainer = 'fairway-proxy';

export interface InjectionOptions {
  readonly cluster: string;
  /** `host:port` of its xDS, as pods reach it. */
  readonly pilot: string;
}

const group = 'admissionregistration.k8s.io';
const name = 'fairway-sidecar';

/** A JSON list that `kubectl apply -f -` takes. */
export function injectionManifests(options: InjectionOptions): string {
  const policy = {
    apiVersion: `${group}/v1`,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { [injectLabel]: 'enabled' } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      matchConditions: [
        { name: 'wanted', expression: `${podLabels}[?'${injectLabel}'].orValue('enabled') != 'disabled'` },
        { name: 'own-network', expression: '!object.spec.?hostNetwork.orValue(false)' },
      ],
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: patch(options) } }],
    },
  };
  const binding = {
    apiVersion: `${group}/v1`,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name },
  };
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [policy, binding] });
}

const podLabels = 'object.metadata.?labels.orValue({})';

/** Put in front one by one, the last one first. */
function patch(options: InjectionOptions): string {
  const before = (container: string): string =>
    `JSONPatch{op: "add", path: "/spec/initContainers/0", value: ${container}}`;
  const list = 'JSONPatch{op: "add", path: "/spec/initContainers", value: []}';
  return `(has(object.spec.initContainers) ? [] : [${list}]) + [${before(proxy(options))}, ${before(capture)}]`;
}

const capture = `Object.spec.initContainers{name: "fairway-capture", image: "${captureImage}:rig"}`;

function proxy({ cluster, pilot }: InjectionOptions): string {
  const values = { CLUSTER: `"${cluster}"`, PILOT: `"${pilot}"`, LABELS: labelWords };
  const fields = {
    POD_NAME: 'metadata.name',
    POD_NAMESPACE: 'metadata.namespace',
    POD_IPS: 'status.podIPs',
    SERVICE_ACCOUNT: 'spec.serviceAccountName',
    LOCALITY_REGION: `metadata.labels['topology.kubernetes.io/region']`,
    LOCALITY_ZONE: `metadata.labels['topology.kubernetes.io/zone']`,
  };
  const container = 'Object.spec.initContainers';
  const env = [
    ...Object.entries(values).map(([key, value]) => `${container}.env{name: "${key}", value: ${value}}`),
    ...Object.entries(fields).map(([key, path]) => {
      const source = `${container}.env.valueFrom{fieldRef: ${container}.env.valueFrom.fieldRef{fieldPath: "${path}"}}`;
      return `${container}.env{name: "${key}", valueFrom: ${source}}`;
    }),
  ];
  const ready = 'curl -fsS -m 2 -o /dev/null http://127.0.0.1:15000/ready';
  const probe = (kind: string, more: string): string => {
    const exec = `${container}.${kind}.exec{command: ["sh", "-c", "${ready}"]}`;
    return `${kind}: ${container}.${kind}{exec: ${exec}, ${more}}`;
  };
  return `${container}{
    name: "${proxyContainer}", image: "${proxyImage}:rig", restartPolicy: "Always",
    env: [${env.join(', ')}],
    securityContext: ${container}.securityContext{runAsUser: 1337, runAsGroup: 1337},
    ${probe('startupProbe', 'periodSeconds: 1, failureThreshold: 180, timeoutSeconds: 3')},
    ${probe('readinessProbe', 'periodSeconds: 5, timeoutSeconds: 3')}
  }`;
}

/** Generated names (`pod-template-hash`) too: they are the workload's labels. */
const labelWords = `${podLabels}.map(k, k + '=' + object.metadata.labels[k]).join(' ')`;
