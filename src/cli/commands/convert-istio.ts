/**
 * `fairway convert istio`: Istio's objects out of files go in, and the TrafficRules and ExternalServices that say the same come out, to be read,
 * applied or checked. What has no equal goes to stderr, with its file and line.
 *
 * Exit code 0 where all of Istio's objects are translated, if with warnings; 1 where something of one is not.
 */

import { Document } from 'yaml';
import { type Conversion, type ConvertedObject, convertIstio } from '../../istio/convert.ts';
import type { CommandContext } from '../command-context.ts';
import { readSources } from '../documents.ts';
import { type ExitCode, exitCode } from '../failure.ts';
import { defaultNamespace } from '../manifests.ts';
import { printFinding } from '../print-findings.ts';
import { renderTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export interface ConvertIstioFlags {
  readonly filename: readonly string[];
  readonly namespace?: string;
  readonly clusterDomain: string;
  readonly report?: boolean;
  readonly output: 'yaml' | 'json';
}

export async function runConvertIstio(flags: ConvertIstioFlags, { terminal }: CommandContext): Promise<ExitCode> {
  const { objects, findings: unread } = readSources(flags.filename);
  const { namespace = defaultNamespace, clusterDomain } = flags;
  const conversion = convertIstio(objects, { defaultNamespace: namespace, clusterDomain });
  const findings = [...unread, ...conversion.findings];
  printObjects(conversion.objects, flags.output, terminal);
  for (const finding of findings) printFinding(terminal, finding);
  if (flags.report === true) printReport(conversion, terminal);
  terminal.err(summary(conversion));
  return findings.some(({ severity }) => severity === 'error') ? exitCode.failed : exitCode.ok;
}

function printObjects(objects: readonly ConvertedObject[], format: 'yaml' | 'json', terminal: Terminal): void {
  if (format === 'json') {
    const list = { apiVersion: 'v1', kind: 'List', items: objects.map(({ object }) => object) };
    terminal.out(`${JSON.stringify(list, null, 2)}\n`);
    return;
  }
  const texts = objects.map(({ object, from }) => {
    const document = new Document(object, { aliasDuplicateObjects: false });
    if (document.contents !== null) document.contents.commentBefore = ` from ${from.join(', ')}`;
    return document.toString({ lineWidth: 0 });
  });
  terminal.out(texts.join('---\n'));
}

function printReport({ outcomes }: Conversion, terminal: Terminal): void {
  if (outcomes.length === 0) return;
  const { text } = renderTable({
    columns: [
      { title: 'OBJECT', cell: ({ object }) => object },
      { title: 'OUTCOME', cell: ({ outcome }) => outcome },
      { title: 'FILE', cell: ({ file }) => file },
    ],
    rows: outcomes,
    width: terminal.columns,
    wide: true,
  });
  terminal.err(text.trimEnd());
}

function summary({ outcomes, objects, others }: Conversion): string {
  const count = (wanted: string): number => outcomes.filter(({ outcome }) => outcome === wanted).length;
  const left = others === 0 ? '' : `; ${others} of other kinds left alone`;
  const made = `${objects.length} ${objects.length === 1 ? 'object' : 'objects'} made`;
  return `${outcomes.length} of Istio: ${count('whole')} whole, ${count('changed')} with warnings, ${count('refused')} refused${left}; ${made}`;
}
