/** `fairway describe service|pod NAME`: what applies to it, and where requests go. Exit code 1 where there is none of the name. */

import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type DataFormat, printData } from '../data-output.ts';
import { type ExitCode, exitCode, usageError } from '../failure.ts';
import { readQualifiedName } from '../qualified-name.ts';
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
      const { namespace, name } = await readQualifiedName(text, flags.namespace, (wanted) =>
        client.list('services', { name: wanted }),
      );
      const service = await client.describeService(namespace, name);
      if (flags.output === undefined) printService(service, clock.now(), terminal);
      else printData(service, flags.output, terminal);
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
        code: 'FW-CLI-091',
        message: `${JSON.stringify(kind)} cannot be described`,
        hint: 'Give service or pod; for rules there is `fairway inspect rule`',
      });
  }
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
