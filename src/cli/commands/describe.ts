/** `fairway describe service|pod|cluster NAME`: what applies to it, and where requests go. Exit code 1 where there is none of the name. */

import type { ServiceDescription } from '../../model/inspection.ts';
import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type DataFormat, printData } from '../data-output.ts';
import { type ExitCode, exitCode, failed, usageError } from '../failure.ts';
import { readQualifiedName } from '../qualified-name.ts';
import { printCluster } from '../views/cluster-description.ts';
import { printPod } from '../views/pod-description.ts';
import { printService } from '../views/service-description.ts';

export interface DescribeFlags extends AdminFlags {
  readonly namespace?: string;
  readonly cluster?: string;
  readonly output?: DataFormat;
}

export async function runDescribe(
  kind: string,
  text: string,
  flags: DescribeFlags,
  { env, terminal, clock }: CommandContext,
): Promise<ExitCode> {
  const client = openAdminClient(flags, env);
  switch (kind.toLowerCase()) {
    case 'service':
    case 'services':
    case 'svc': {
      const asked = withoutDomain(text);
      const { namespace, name } = await readQualifiedName(asked.name, flags.namespace, async (wanted) => {
        const services = await client.list('services', { name: wanted });
        return services.filter(({ clusterset }) => clusterset?.names !== 'only');
      });
      const both = await client.describeService(namespace, name);
      const service = asked.isExported ? exportedPart(both) : both;
      if (flags.output === undefined) printService(service, clock.now(), terminal);
      else printData(service, flags.output, terminal);
      return exitCode.ok;
    }
    case 'cluster':
    case 'clusters': {
      const [cluster] = await client.list('clusters', { name: text });
      if (cluster === undefined) {
        throw failed({
          code: 'FW-CLI-032',
          message: `no cluster ${JSON.stringify(text)} is known`,
          hint: 'List what there is with `fairway get clusters`',
        });
      }
      if (flags.output === undefined) printCluster(cluster, clock.now(), terminal);
      else printData(cluster, flags.output, terminal);
      return exitCode.ok;
    }
    case 'pod':
    case 'pods':
    case 'po': {
      const { namespace, name } = await readQualifiedName(text, flags.namespace, async (wanted) => {
        const proxies = await client.list('proxies', { name: wanted });
        const namespaces = new Set(proxies.map(({ identity }) => identity.namespace));
        return [...namespaces].map((found) => ({ namespace: found, name: wanted }));
      });
      const pod = ofCluster(await client.describePod(namespace, name), flags.cluster);
      if (flags.output === undefined) printPod(pod, clock.now(), terminal);
      else printData(pod, flags.output, terminal);
      return exitCode.ok;
    }
    default:
      throw usageError({
        code: 'FW-CLI-096',
        message: `${JSON.stringify(kind)} cannot be described`,
        hint: 'Give service, pod or cluster; for rules there is `fairway inspect rule`',
      });
  }
}

/** `reviews.shop.svc.clusterset.local` is asked for by that name alone; any other is as it is. */
function withoutDomain(text: string): { readonly name: string; readonly isExported: boolean } {
  const [, name, namespace] = /^([^./]+)\.([^./]+)\.svc\.clusterset\.local\.?$/.exec(text) ?? [];
  return name === undefined ? { name: text, isExported: false } : { name: `${namespace}/${name}`, isExported: true };
}

/** Where all services merge, that is the service itself. */
function exportedPart(service: ServiceDescription): ServiceDescription {
  const part = service.clusterset ?? (service.exported === undefined ? undefined : service);
  if (part !== undefined) return part;
  throw failed({
    code: 'FW-CLI-095',
    message: `no cluster exports ${service.namespace}/${service.name}, so it has no name in clusterset.local`,
    hint: 'Apply a ServiceExport of its name in a cluster that has it, or describe it as NAMESPACE/NAME',
  });
}

type Pod = Parameters<typeof printPod>[0];

function ofCluster(pod: Pod, cluster: string | undefined): Pod {
  if (cluster === undefined) return pod;
  return {
    ...pod,
    workloads: pod.workloads.filter((workload) => workload.cluster === cluster),
    proxies: pod.proxies.filter(({ identity }) => identity.cluster === cluster),
  };
}
