/**
 * A pilot without a network: folders of clusters and objects out of files go in, and it is asked what a proxy would get, or what a change would
 * do. It is the pilot's own assembly, at rest: what it says is what a pilot would serve that reads the same.
 *
 * What always holds: it listens nowhere and writes nothing; equal files give equal answers; all that is wrong with them is a finding.
 */

import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { type ErrorCode, FairwayError, type Finding, type Where } from '../../core/errors.ts';
import { type Logger, silentLogger } from '../../core/logger.ts';
import { shortTypeName, type TypeUrl } from '../../core/type-urls.ts';
import { decodeResource } from '../../envoy/proto/decode.ts';
import { allKinds } from '../../kinds/all-kinds.ts';
import { defaultYamlLimits } from '../../manifest/yaml-documents.ts';
import type { Merging } from '../../model/clusterset.ts';
import type { Scope } from '../../model/mesh.ts';
import type { RawObject } from '../../model/object.ts';
import type { PreviewReport } from '../../model/preview.ts';
import { defaultVersionLabels } from '../../registry/derive.ts';
import { FileCluster } from '../../registry/file/file-cluster.ts';
import { FileClusters } from '../../registry/file/file-clusters.ts';
import { FolderWatch } from '../../registry/file/folder-watch.ts';
import type { Inventory } from '../../registry/inventory.ts';
import { ruleObjectId } from '../../registry/rule-sink.ts';
import { standards } from '../../rules/objects/kind-types.ts';
import { type Assembly, assemble } from '../assembly.ts';
import type { PilotConfig } from '../config.ts';
import { meshFindings } from '../inspect/findings.ts';
import type { ScopeView } from '../scope/view.ts';
import { previewObjects } from './live.ts';
import type { NodeWords } from './proxy-node.ts';

export interface OfflineInput {
  /** Folders with one sub-folder per cluster, as `serve --clusters` reads them. */
  readonly clusterFolders: readonly string[];
  /** Single clusters' folders. */
  readonly clusters: readonly string[];
  readonly objects: readonly RawObject[];
  readonly defaultNamespace: string;
  readonly outbound: PilotConfig['outbound'];
  readonly mode: PilotConfig['mode'];
  readonly clusterDomain: string;
  readonly detectProtocols: boolean;
  /** Which services are one over all clusters; left out: all of a name. */
  readonly services?: Merging;
}

export interface ProxyResources {
  readonly scope: Scope;
  /** By short type name; sorted by name. */
  readonly resources: Readonly<Record<string, readonly unknown[]>>;
  /** What of the mesh it does not get, and why. */
  readonly findings: readonly Finding[];
}

export interface OfflinePilot {
  readonly inventory: Inventory;
  /** All that is wrong with the files, with what the objects name, and with the mesh that comes of them. */
  findings(): readonly Finding[];
  /** Throws FW-NODE-… for a proxy that would be refused. `types`: short names. */
  resourcesOf(node: NodeWords, types: readonly string[]): Promise<ProxyResources>;
  /** As if these proxies were connected, and somebody applied the objects. */
  preview(nodes: readonly NodeWords[], objects: readonly RawObject[], defaultNamespace: string): Promise<PreviewReport>;
  close(): Promise<void>;
}

/** What the files' objects are called among the sources. */
const source = 'files';

export async function openOffline(input: OfflineInput): Promise<OfflinePilot> {
  const logged: Finding[] = [];
  const assembly = assemble(configOf(input), collecting(logged), 'offline');
  const { inventory, engine, inputs, rules, ruleStatus, stages, idleMemory, members } = assembly;
  idleMemory.stop();
  const watching: FileClusters[] = [];
  for (const folder of input.clusterFolders) {
    requireFolder(folder);
    const clusters = new FileClusters({
      folder,
      inventory,
      clock: systemClock,
      logger: collecting(logged),
      openMember: members.open,
    });
    watching.push(clusters);
    clusters.start();
    await clusters.rescan();
  }
  for (const folder of input.clusters) await addCluster(folder, assembly, logged);
  putObjects(input, assembly);
  engine.open();
  const views = new Set<number>();
  const connect = async (words: NodeWords, streamId: number): Promise<ScopeView> => {
    const hello = { streamId, node: words.node, peer: 'offline', transport: words.transport } as const;
    const view = engine.proxies.connect(hello);
    views.add(streamId);
    while (!view.isCurrent) await new Promise((resolve) => setImmediate(resolve));
    return view;
  };
  const leave = (): void => {
    for (const streamId of views) engine.disconnect(streamId);
    views.clear();
  };
  return {
    inventory,
    findings: () =>
      distinct([
        ...logged,
        ...meshFindings({
          inventory,
          engine,
          rules,
          ruleStatus,
          stages,
          streamStatus: (streamId) => engine.streamStatus(streamId),
          clock: systemClock,
          members,
        }),
      ]),
    async resourcesOf(words, types) {
      const view = await connect(words, 1);
      const resources = Object.fromEntries(
        Object.entries(shortTypeName)
          .filter(([, short]) => types.includes(short))
          .map(([url, short]) => [short, decoded(view, url as TypeUrl)] as const)
          .filter(([short, items]) => items.length > 0 || short !== 'VHDS'),
      );
      const answer = { scope: view.scope, resources, findings: view.findings() };
      leave();
      return answer;
    },
    async preview(nodes, objects, defaultNamespace) {
      let streamId = 0;
      for (const words of nodes) {
        streamId += 1;
        await connect(words, streamId);
      }
      const clusters = (): ReadonlySet<string> => new Set(inventory.clusters().keys());
      const report = await previewObjects(
        { engine, rules, inForce: assembly.inForce, others: assembly.others, clusters, source, now: systemClock.now },
        objects,
        defaultNamespace,
      );
      leave();
      return report;
    },
    async close() {
      engine.stop();
      members.stop();
      ruleStatus.stop();
      for (const stage of stages) stage.stop();
      await Promise.all(watching.map((clusters) => clusters.stop()));
      await inputs.stop();
      await inventory.close();
    },
  };
}

function configOf({ outbound, mode, clusterDomain, detectProtocols, services }: OfflineInput): PilotConfig {
  return {
    contexts: [],
    inCluster: false,
    inClusterName: '',
    allowExecCredentials: false,
    xds: { host: '', port: 0 },
    admin: { host: '', port: 0 },
    namespace: '',
    outbound,
    mode,
    clusterDomain,
    detectProtocols,
    ...(services === undefined ? {} : { services }),
    // Whoever names a file means it.
    standards,
    accessLog: true,
    logLevel: 'error',
    logFormat: 'json',
    // Folders are read before anything is asked.
    syncWaitMs: Number.POSITIVE_INFINITY,
    drainMs: 0,
  };
}

/** Files that are in no cluster's folder are told to the log alone. */
function collecting(found: Finding[]): Logger {
  const take = (
    severity: Finding['severity'],
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void => {
    const { code, hint, where } = fields;
    if (typeof code !== 'string' || typeof hint !== 'string') return;
    found.push({ code: code as ErrorCode, severity, message, hint, where: (where as Where | undefined) ?? {} });
  };
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => take('warning', message, fields),
    error: (message, fields) => take('error', message, fields),
    with: () => logger,
  };
  return logger;
}

function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

function requireFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new FairwayError({
    code: 'FW-PREVIEW-004',
    message: 'there is no such folder',
    where: { file: folder },
    hint: 'Give a folder with one sub-folder of manifests per cluster',
  });
}

/** One cluster's own folder: read once, as a folder of clusters would read it. */
async function addCluster(folder: string, { inventory, members }: Assembly, logged: Finding[]): Promise<void> {
  requireFolder(folder);
  const subfolder = basename(join(folder, '.'));
  const cluster = new FileCluster({
    folder: dirname(join(folder, '.')),
    subfolder,
    clock: systemClock,
    limits: defaultYamlLimits,
    versionLabels: defaultVersionLabels,
    openMember: members.open,
  });
  const watch = new FolderWatch({
    folder,
    clock: systemClock,
    listener: {
      news: async ({ changed, findings }) => {
        for (const { path, content } of changed) await cluster.change({ path: `${subfolder}/${path}`, content });
        cluster.unread(findings);
      },
      lost: (finding) => logged.push(finding),
    },
  });
  watch.start();
  await watch.rescan();
  await watch.stop();
  const { name } = cluster;
  if (name === undefined) {
    logged.push(...cluster.settingsFindings);
    return;
  }
  cluster.flush();
  inventory.add(name, cluster.origin, cluster.start);
}

function putObjects({ objects, defaultNamespace }: OfflineInput, { inputs }: Assembly): void {
  inputs.attach(source, (sink) => {
    for (const [index, raw] of objects.entries()) {
      const { namespace, name } = allKinds.parse(raw, { defaultNamespace });
      const kind = (raw.object as { readonly kind?: unknown } | null | undefined)?.kind;
      sink.put(raw, ruleObjectId(String(kind), namespace, name === '' ? `#${index}` : name));
    }
    sink.synced();
    return { stop: async () => {} };
  });
}

function decoded(view: ScopeView, url: TypeUrl): readonly unknown[] {
  return [...view.resources(url)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, resource]) => (resource.body.length === 0 ? { name } : decodeResource(resource)));
}
