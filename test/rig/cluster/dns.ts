/**
 * The cluster's DNS: a real CoreDNS as a Deployment behind the Service `kube-system/kube-dns`. In: its address, and whether ServiceImports have names
 * too; out: manifests. https://coredns.io/plugins/kubernetes/
 */

import { dnsImage } from '../images.ts';

export interface DnsOptions {
  /** The Service's cluster IP: what pods have in their resolv.conf. */
  readonly address: string;
  /** Answers for `clusterset.local` from ServiceImports; their CRD must be there. */
  readonly clusterSet: boolean;
}

const namespace = 'kube-system';
const labels = { 'k8s-app': 'kube-dns' };

/** A JSON list that `kubectl apply -f -` takes. */
export function dnsManifests({ address, clusterSet }: DnsOptions): string {
  const read = ['get', 'list', 'watch'];
  const rules = [
    { apiGroups: [''], resources: ['services', 'pods', 'namespaces', 'endpoints'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    { apiGroups: ['multicluster.x-k8s.io'], resources: ['serviceimports'], verbs: read },
  ];
  const metadata = { name: 'coredns', namespace };
  const authorization = 'rbac.authorization.k8s.io';
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: `${authorization}/v1`, kind: 'ClusterRole', metadata: { name: 'coredns' }, rules },
    {
      apiVersion: `${authorization}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'coredns' },
      roleRef: { apiGroup: authorization, kind: 'ClusterRole', name: 'coredns' },
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: corefile(clusterSet) } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...metadata, labels }, spec: deployment() },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace, labels },
      spec: {
        selector: labels,
        clusterIP: address,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      },
    },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/** Short times to live: a test that changes a Service does not wait for a cache. */
function corefile(clusterSet: boolean): string {
  const zones = `cluster.local ${clusterSet ? 'clusterset.local ' : ''}in-addr.arpa ip6.arpa`;
  return `.:53 {
  errors
  health :8080
  ready :8181
  kubernetes ${zones} {
    pods insecure
    ttl 1
    ${clusterSet ? 'multicluster clusterset.local' : ''}
    fallthrough in-addr.arpa ip6.arpa
  }
}
`;
}

function deployment(): unknown {
  return {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: 'coredns',
        dnsPolicy: 'Default',
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'coredns',
            image: `${dnsImage}:rig`,
            args: ['-conf', '/etc/coredns/Corefile'],
            ports: [
              { containerPort: 53, protocol: 'UDP' },
              { containerPort: 53, protocol: 'TCP' },
            ],
            readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
            volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
          },
        ],
        volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
      },
    },
  };
}
