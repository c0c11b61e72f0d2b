/** Objects as people write them, for tests over folders. */

/** Service shop/reviews with one HTTP port, 80, and a slice of one ready endpoint. `port`: the endpoint's. */
export function reviewsService(endpoint: { readonly address?: string; readonly port?: number }): string {
  const { address = '127.0.0.1', port = 8080 } = endpoint;
  return `apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {ports: [{name: http, port: 80, appProtocol: http}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: reviews, namespace: shop, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: ${port}}]
endpoints: [{addresses: [${address}], conditions: {ready: true}}]
`;
}

/** ServiceExport shop/reviews. `second`: of its time of creation; the older one wins. `spec`: what stands behind `spec:`. */
export function reviewsExport({
  second = 0,
  spec = '{}',
}: {
  readonly second?: number;
  readonly spec?: string;
}): string {
  return `apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceExport
metadata: {name: reviews, namespace: shop, creationTimestamp: "2026-01-01T00:00:0${second}Z"}
spec: ${spec}
`;
}

/** A TrafficRule of shop. `spec`: all that stands behind `spec:`, with its end of line where more is to follow. */
export function trafficRule(spec: string, name = 'reviews'): string {
  return `apiVersion: fairway.dev/v1alpha1\nkind: TrafficRule\nmetadata: {name: ${name}, namespace: shop}\nspec:${spec}`;
}

/** A ClusterPolicy under which rules of these members in these namespaces count, before the primary's. */
export function membersFirst(clusters: string, namespaces: string): string {
  return `apiVersion: fairway.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: members}
spec: {clusters: [${clusters}], grants: [{namespaces: [${namespaces}], kinds: [TrafficRule]}], precedence: member}
`;
}
