/**
 * Services that are each cluster's own, whatever else is merged: its API (`default/kubernetes`), and all of `kube-system`, such as its DNS. A client
 * that was led to another cluster's API would be refused there, or worse, understood. Istio keeps the same ones apart.
 */

const systemNamespace = 'kube-system';

export function isOfEachCluster(namespace: string, name: string): boolean {
  return namespace === systemNamespace || (namespace === 'default' && name === 'kubernetes');
}
