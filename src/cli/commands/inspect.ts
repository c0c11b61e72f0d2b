/**
 * `fairway inspect rule NAME`: who holds it, who waits, who rejected it. Exit code 0 whatever the answer is: to wait for a rule there is
 * `apply --wait`, to fail on a bad one `analyze`.
 */

import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type DataFormat, printData } from '../data-output.ts';
import { type ExitCode, exitCode, usageError } from '../failure.ts';
import { readQualifiedName } from '../qualified-name.ts';
import { printInspection } from '../views/rule-inspection.ts';

export interface InspectFlags extends AdminFlags {
  readonly namespace?: string;
  readonly cluster?: string;
  readonly holder?: string;
  readonly all?: boolean;
  readonly output?: DataFormat;
}

/** Proxies named without --all. */
const shownMax = 20;

export async function runInspect(
  kind: string,
  text: string,
  flags: InspectFlags,
  { env, terminal, clock }: CommandContext,
): Promise<ExitCode> {
  if (!['rule', 'rules', 'tr', 'trafficrule', 'trafficrules'].includes(kind.toLowerCase())) {
    throw usageError({
      code: 'FW-CLI-097',
      message: `${JSON.stringify(kind)} cannot be inspected`,
      hint: 'Give rule; for services and pods there is `fairway describe`',
    });
  }
  const client = openAdminClient(flags, env);
  const { namespace, name } = await readQualifiedName(text, flags.namespace, (wanted) =>
    client.list('rules', { name: wanted }),
  );
  const filter = {
    ...(flags.cluster === undefined ? {} : { cluster: flags.cluster }),
    ...(flags.holder === undefined ? {} : { holder: flags.holder }),
  };
  const inspection = await client.inspectRule(namespace, name, filter, flags.all === true ? undefined : shownMax);
  if (flags.output === undefined) printInspection(inspection, clock.now(), terminal);
  else printData(inspection, flags.output, terminal);
  return exitCode.ok;
}
