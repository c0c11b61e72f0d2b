/**
 * `fairway get KIND [NAME…]`: reports as a table, or as they are for programs. Every namespace is shown unless -n names one: the pilot's
 * API is about a mesh, where a service's namespace is part of its name, not somebody's workspace.
 */

import { stringify } from 'yaml';
import type { ObjectReport } from '../../model/report.ts';
import type { AnyKind } from '../../rules/objects/kind-types.ts';
import type { ListFilter, ReportByKind } from '../admin-client.ts';
import {
  type AdminFlags,
  type KubernetesFlags,
  openAdminClient,
  refuseBothApis,
  usesKubernetes,
} from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type ExitCode, exitCode, failed, usageError } from '../failure.ts';
import { type GetKind, readKind } from '../kind-names.ts';
import { openRuleStores } from '../rule-store.ts';
import { renderTable, wrap } from '../table.ts';
import { clustersView } from '../views/clusters.ts';
import { endpointsView } from '../views/endpoints.ts';
import { kindsView } from '../views/kinds.ts';
import { objectsView } from '../views/objects.ts';
import { proxiesView, proxyName } from '../views/proxies.ts';
import { rulesView } from '../views/rules.ts';
import { servicesView } from '../views/services.ts';
import type { View, ViewContext } from '../views/view.ts';
import { watch } from '../watch.ts';

export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface GetFlags extends AdminFlags, KubernetesFlags {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly cluster?: string;
  readonly output: OutputFormat;
  readonly watch?: boolean;
}

/** One wanted object: `reviews`, or with its namespace `shop/reviews`. */
interface Wanted {
  readonly text: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** `get`, or with --watch `get` again each time that what it shows is another. */
export async function runGetOrWatch(
  kindText: string,
  names: readonly string[],
  flags: GetFlags,
  context: CommandContext,
): Promise<ExitCode> {
  if (flags.watch !== true) return runGet(kindText, names, flags, context);
  const data: GetFlags = { ...flags, output: 'json' };
  return watch(
    (silent) => runGet(kindText, names, data, silent),
    (shown) => runGet(kindText, names, flags, shown),
    context,
  );
}

async function runGet(
  kindText: string,
  names: readonly string[],
  flags: GetFlags,
  context: CommandContext,
): Promise<ExitCode> {
  const kind = readKind(kindText);
  refuseBothApis(flags);
  if (flags.allNamespaces === true && flags.namespace !== undefined) {
    throw usageError({
      code: 'FW-CLI-031',
      message: '--namespace and --all-namespaces exclude each other',
      hint: 'Give one of them; without either, every namespace is shown',
    });
  }
  if (typeof kind === 'object') {
    const rows = await loadObjects(kind, flags, context);
    if (rows.length === 0 && names.length === 0) await sayWhyNone(kind, flags, context);
    return showRows(kind.plural, names, rows, flags, context, (view) => objectsView(kind, view), byNamespace);
  }
  switch (kind) {
    case 'clusters':
      return show(
        'clusters',
        names,
        flags,
        context,
        (view) => clustersView(view),
        ({ name }) => ['', name],
      );
    case 'services':
      return show('services', names, flags, context, servicesView, ({ namespace, name, clusterset }) => [
        namespace,
        name,
        ...(clusterset === undefined ? [] : [clusterset.host]),
      ]);
    case 'endpoints':
      return show('endpoints', names, flags, context, endpointsView, ({ namespace, service }) => [namespace, service]);
    case 'rules':
      return show('rules', names, flags, context, (view) => rulesView(view), byNamespace);
    case 'kinds':
      return show(
        'kinds',
        names,
        flags,
        context,
        (view) => kindsView(view),
        ({ kind, plural }) => ['', plural, kind, kind.toLowerCase()],
      );
    case 'proxies': {
      const code = await show('proxies', names, flags, context, proxiesView, ({ identity, ...proxy }) => [
        identity.namespace,
        identity.workload,
        identity.nodeId,
        proxyName({ identity, ...proxy }),
      ]);
      await sayWhoWasAsked(flags, context);
      return code;
    }
  }
}

/** Proxies are spread over the replicas of the pilot, and each knows its own. */
async function sayWhoWasAsked(flags: GetFlags, { env, terminal }: CommandContext): Promise<void> {
  if (flags.output !== 'table' && flags.output !== 'wide') return;
  const { pilot, peers = [] } = await openAdminClient(flags, env).version();
  if (pilot === undefined || peers.length === 0) return;
  const others = peers.map((peer) => `${peer.pilot} has ${peer.proxies}`).join(', ');
  const note = `These are the proxies of ${pilot}, one of ${peers.length + 1} pilots: ${others}.`;
  for (const line of wrap(note, terminal.columns)) terminal.err(terminal.paint('dim', line));
}

/** Of a kind that others define there may be none because it is not read. */
async function sayWhyNone(kind: AnyKind, flags: GetFlags, { env, terminal }: CommandContext): Promise<void> {
  if (kind.foreign !== true || usesKubernetes(flags)) return;
  const [report] = await openAdminClient(flags, env).list('kinds', { name: kind.plural });
  if (report !== undefined && report.state !== 'read') terminal.err(`${kind.kind}s are not read: ${report.message}.`);
}

function byNamespace({ namespace, name }: { namespace: string; name: string }): readonly [string, string] {
  return [namespace, name];
}

async function show<Kind extends GetKind>(
  kind: Kind,
  names: readonly string[],
  flags: GetFlags,
  context: CommandContext,
  viewOf: (view: ViewContext, rows: readonly ReportByKind[Kind][]) => View<ReportByKind[Kind]>,
  identify: (report: ReportByKind[Kind]) => readonly [namespace: string, ...names: string[]],
): Promise<ExitCode> {
  return showRows(kind, names, await load(kind, flags, context), flags, context, viewOf, identify);
}

/** `identify`: a report's namespace, and then every name that it answers to. */
function showRows<Row>(
  kind: string,
  names: readonly string[],
  all: readonly Row[],
  flags: GetFlags,
  context: CommandContext,
  viewOf: (view: ViewContext, rows: readonly Row[]) => View<Row>,
  identify: (report: Row) => readonly [namespace: string, ...names: string[]],
): ExitCode {
  const wanted = names.map((text) => readName(text, flags.namespace));
  const matches = (report: Row, want: Wanted): boolean => {
    const [namespace, ...known] = identify(report);
    return known.includes(want.name) && (want.namespace === undefined || want.namespace === namespace);
  };
  const rows = wanted.length === 0 ? all : all.filter((report) => wanted.some((want) => matches(report, want)));
  const missing = wanted.filter((want) => !all.some((report) => matches(report, want)));
  const view = viewOf({ nowMs: context.clock.now(), paint: context.terminal.paint }, rows);

  // Asked for one thing in one place: that thing, not a list of one.
  const isSingle = wanted.length === 1 && rows.length === 1 && wanted[0]?.namespace !== undefined;
  const isSingleCluster = kind === 'clusters' && wanted.length === 1 && rows.length === 1;
  if (rows.length > 0 || missing.length === 0) print(rows, view, isSingle || isSingleCluster, kind, flags, context);
  if (missing.length === 0) return exitCode.ok;
  const single = kind === 'proxies' ? 'proxy' : kind.replace(/s$/, '');
  throw failed({
    code: 'FW-CLI-032',
    message: `no ${single} ${missing.map(({ text }) => JSON.stringify(text)).join(', ')} is known${inNamespace(flags)}`,
    hint: `List what there is with \`fairway get ${kind}\``,
  });
}

async function loadObjects(kind: AnyKind, flags: GetFlags, context: CommandContext): Promise<readonly ObjectReport[]> {
  const filter = flags.namespace === undefined ? {} : { namespace: flags.namespace };
  const stores = await openRuleStores(flags, context.env);
  try {
    const lists = await Promise.all(stores.map((store) => store.objects(kind, filter)));
    return lists.flat();
  } finally {
    for (const store of stores) store.close();
  }
}

function inNamespace(flags: GetFlags): string {
  return flags.namespace === undefined ? '' : ` in namespace ${flags.namespace}`;
}

function readName(text: string, namespace: string | undefined): Wanted {
  // A node id holds no slash; nor does any name.
  const slash = text.indexOf('/');
  if (slash === -1) return { text, namespace, name: text };
  return { text, namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

async function load<Kind extends GetKind>(
  kind: Kind,
  flags: GetFlags,
  context: CommandContext,
): Promise<readonly ReportByKind[Kind][]> {
  const filter: ListFilter = {
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    ...(flags.cluster === undefined ? {} : { cluster: flags.cluster }),
  };
  if (!usesKubernetes(flags)) return openAdminClient(flags, context.env).list(kind, filter);
  if (kind !== 'rules') {
    throw usageError({
      code: 'FW-CLI-033',
      message: `${kind} are not kept in Kubernetes`,
      hint: "Leave out --kubeconfig and --context, and name the pilot's admin API with --admin if it is not on this machine",
    });
  }
  const { openKubernetesStores } = await import('../kubernetes-store.ts');
  const stores = openKubernetesStores(flags, context.env);
  try {
    const lists = await Promise.all(stores.map((store) => store.rules(filter)));
    return lists.flat() as unknown as readonly ReportByKind[Kind][];
  } finally {
    for (const store of stores) store.close();
  }
}

function print<Row>(
  rows: readonly Row[],
  view: View<Row>,
  isSingle: boolean,
  kind: string,
  flags: GetFlags,
  { terminal }: CommandContext,
): void {
  const data = isSingle ? rows[0] : { items: rows };
  switch (flags.output) {
    case 'json':
      terminal.out(`${JSON.stringify(data, null, 2)}\n`);
      return;
    case 'yaml':
      terminal.out(stringify(data, { aliasDuplicateObjects: false, lineWidth: 0 }));
      return;
    case 'name':
      terminal.out(rows.map((row) => `${view.resourceName(row)}\n`).join(''));
      return;
    case 'table':
    case 'wide':
      break;
  }
  if (rows.length === 0) {
    terminal.err(`No ${kind} found${inNamespace(flags)}.`);
    return;
  }
  const { text, hidden } = renderTable({
    columns: view.columns,
    rows,
    width: terminal.columns,
    wide: flags.output === 'wide',
    notes: view.notes,
    paintTitle: (title) => terminal.paint('bold', title),
  });
  terminal.out(text);
  if (hidden.length > 0) {
    const note = `Not shown for lack of room: ${hidden.toReversed().join(', ')}. See them with -o wide.`;
    for (const line of wrap(note, terminal.columns)) terminal.err(terminal.paint('dim', line));
  }
}
