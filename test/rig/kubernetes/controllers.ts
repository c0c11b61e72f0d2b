/** Which of kube-controller-manager's controllers run, by its names for them. */

/** Where Pods are only objects: nothing that would miss a kubelet. */
export const controllersAlone: readonly string[] = [
  'endpointslice-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'garbage-collector-controller',
];

/** Where real nodes run them: also what workloads need, and what watches nodes. */
export const controllersWithNodes: readonly string[] = [
  ...controllersAlone,
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'daemonset-controller',
  'job-controller',
  'cronjob-controller',
  'endpoints-controller',
  'endpointslice-mirroring-controller',
  'node-lifecycle-controller',
  'pod-garbage-collector-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-token-controller',
  'taint-eviction-controller',
  'ttl-after-finished-controller',
];
