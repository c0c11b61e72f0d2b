/** The objects that the rig's own test makes. */

const echo = 'registry.k8s.io/gateway-api/echo-advanced:rig';

export function namespaceOf(name: string, labels: Readonly<Record<string, string>> = {}): unknown {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export interface DeploymentOptions {
  readonly namespace: string;
  /** Also its label `app`. */
  readonly name: string;
  /** What its server says of itself. */
  readonly cluster: string;
  readonly replicas?: number;
  /** Default: the echo server, on port 8080. */
  readonly image?: string;
}

export function deployment(options: DeploymentOptions): unknown {
  const { namespace, name, cluster, replicas = 1, image } = options;
  const labels = { app: name };
  const server = {
    name: 'server',
    image: echo,
    args: ['--port=8080', `--cluster=${cluster}`],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [image === undefined ? server : { name: 'tools', image }],
        },
      },
    },
  };
}

export function service(
  namespace: string,
  name: string,
  selector: Readonly<Record<string, string>> = { app: name },
  ipFamilyPolicy = 'SingleStack',
): unknown {
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector, ipFamilyPolicy, ports },
  };
}

export interface PodOptions {
  readonly name: string;
  /** Default busybox. */
  readonly image?: string;
  readonly command?: readonly string[];
  /** It is ready while this file is there; without one, while it runs. */
  readonly readyFile?: string;
  /** Where an emptyDir is mounted, if anywhere. */
  readonly volume?: string;
}

export function singlePod({ name, image = 'busybox', command, readyFile, volume }: PodOptions): string {
  const probe = { exec: { command: ['test', '-e', readyFile] }, periodSeconds: 1 };
  const container = {
    name: 'main',
    image,
    ...(command === undefined ? {} : { command }),
    ...(readyFile === undefined ? {} : { readinessProbe: probe }),
    ...(volume === undefined ? {} : { volumeMounts: [{ name: 'data', mountPath: volume }] }),
  };
  const volumes = volume === undefined ? [] : [{ name: 'data', emptyDir: {} }];
  const spec = { terminationGracePeriodSeconds: 20, containers: [container], volumes };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
}
