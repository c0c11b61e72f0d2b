/**
 * The file registry: a folder with one sub-folder per cluster.
 *
 *     clusters/
 *       east/
 *         cluster.yaml        name, network, region, zone, subzone; all optional, and so is the file
 *         reviews.yaml        Namespaces, Nodes, Pods, Services, EndpointSlices, or Lists of them; any number of files and folders
 *       west/…
 *
 * A sub-folder is a cluster once it holds any YAML or JSON file; without a cluster.yaml it has its folder's name and everything else unknown.
 * A Service with a selector and no EndpointSlice gets its endpoints from the Pods in the folder that it selects.
 *
 * What always holds: folders that come and go are clusters registered and unregistered, in the order of their names; while the folder of them
 * all cannot be read, every cluster keeps what it said and is stale; nothing is unregistered because of that, nor because it cannot be read at
 * the start (what is known from before the restart is then restored).
 */

import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { defaultYamlLimits, type YamlLimits } from '../../manifest/yaml-documents.ts';
import { defaultVersionLabels } from '../derive.ts';
import type { Inventory } from '../inventory.ts';
import type { OpenMember } from '../member-host.ts';
import { FileCluster } from './file-cluster.ts';
import type { FolderLimits } from './folder-look.ts';
import { type FolderNews, FolderWatch } from './folder-watch.ts';

export interface FileClustersOptions {
  readonly folder: string;
  readonly inventory: Pick<Inventory, 'add' | 'remove' | 'refuse' | 'restore' | 'beginDiscovery'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folderLimits?: Partial<FolderLimits>;
  readonly yamlLimits?: Partial<YamlLimits>;
  /** The labels that may name a version; the first one set wins. */
  readonly versionLabels?: readonly string[];
  /** Takes the rules that clusters hold of their own. */
  readonly openMember?: OpenMember;
}

interface Entry {
  readonly cluster: FileCluster;
  /** The name under which it is registered, or was refused. */
  name: string | undefined;
  refused: boolean;
}

export class FileClusters {
  readonly #options: FileClustersOptions;
  readonly #watch: FolderWatch;
  /** By sub-folder. */
  readonly #entries = new Map<string, Entry>();
  /** Known from before the restart, and not seen in the folder yet. */
  #restored: readonly { readonly name: string; readonly origin: string }[] = [];
  #endDiscovery: (() => void) | undefined;
  #lastLookMs: number;
  #strays = '';
  #stopped = false;

  constructor(options: FileClustersOptions) {
    this.#options = options;
    this.#lastLookMs = options.clock.now();
    this.#watch = new FolderWatch({
      folder: options.folder,
      clock: options.clock,
      listener: { news: (news) => this.#news(news), lost: (finding) => this.#lost(finding) },
      ...(options.folderLimits === undefined ? {} : { limits: options.folderLimits }),
    });
  }

  start(): void {
    this.#endDiscovery = this.#options.inventory.beginDiscovery(`clusters in ${this.#options.folder}`);
    this.#watch.start();
  }

  /** Looks at the folder now; resolves when the inventory has heard of it. */
  rescan(): Promise<void> {
    return this.#watch.rescan();
  }

  /** Ends the watching; the clusters stay registered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watch.stop();
  }

  async #news(news: FolderNews): Promise<void> {
    const lookedMs = this.#options.clock.now();
    for (const change of news.changed) {
      const subfolder = subfolderOf(change.path);
      if (subfolder === undefined) continue;
      await this.#entry(subfolder).cluster.change(change);
      if (this.#stopped) return;
    }
    this.#lastLookMs = lookedMs;
    for (const path of news.removed) {
      const subfolder = subfolderOf(path);
      if (subfolder === undefined) continue;
      this.#entries.get(subfolder)?.cluster.remove(path);
    }
    this.#reportStrays(news);
    const unread = news.unread.map((path) => subfolderOf(path) ?? path);
    for (const [subfolder, { cluster }] of this.#entries) {
      const inside = join(this.#options.folder, subfolder);
      cluster.unread(
        news.findings.filter(({ where }) => where.file === inside || where.file?.startsWith(join(inside, '/'))),
      );
    }
    // Also those without a change: they were stale if the folder was lost.
    for (const subfolder of [...this.#entries.keys()].sort()) this.#settle(subfolder);
    this.#restoreUnread(unread.filter((subfolder) => !this.#entries.has(subfolder)));
    for (const { name, origin } of this.#restored) {
      if (unread.some((subfolder) => origin === this.#originOf(subfolder))) continue;
      const there = [...this.#entries.values()].some((entry) => entry.name === name && entry.cluster.origin === origin);
      if (!there) this.#options.inventory.remove(name, origin);
    }
    this.#restored = this.#restored.filter(({ origin }) =>
      unread.some((subfolder) => origin === this.#originOf(subfolder)),
    );
    this.#endDiscovery?.();
    this.#endDiscovery = undefined;
  }

  #lost(finding: Finding): void {
    const { inventory, folder, logger } = this.#options;
    logger.error(finding.message, { code: finding.code, where: finding.where, hint: finding.hint });
    for (const { cluster } of this.#entries.values()) cluster.lose(this.#lastLookMs, finding);
    if (this.#endDiscovery === undefined) return;
    const prefix = `file ${join(folder, '/')}`;
    const restored = inventory.restore((origin) => origin.startsWith(prefix));
    this.#restored = [...this.#restored, ...restored];
    if (restored.length === 0) return;
    this.#endDiscovery();
    this.#endDiscovery = undefined;
  }

  /** A cluster's whole folder that has never been readable: what is known from before the restart stays in force. */
  #restoreUnread(subfolders: readonly string[]): void {
    const origins = new Set(subfolders.map((subfolder) => this.#originOf(subfolder)));
    if (origins.size === 0) return;
    this.#restored = [...this.#restored, ...this.#options.inventory.restore((origin) => origins.has(origin))];
  }

  #originOf(subfolder: string): string {
    return `file ${join(this.#options.folder, subfolder)}`;
  }

  #entry(subfolder: string): Entry {
    const known = this.#entries.get(subfolder);
    if (known !== undefined) return known;
    const { folder, clock, yamlLimits, versionLabels, openMember } = this.#options;
    const cluster = new FileCluster({
      folder,
      subfolder,
      clock,
      limits: { ...defaultYamlLimits, ...yamlLimits },
      versionLabels: versionLabels ?? defaultVersionLabels,
      ...(openMember === undefined ? {} : { openMember }),
    });
    const entry: Entry = { cluster, name: undefined, refused: false };
    this.#entries.set(subfolder, entry);
    return entry;
  }

  /** Brings the registration in line with the files. */
  #settle(subfolder: string): void {
    const { inventory } = this.#options;
    const entry = this.#entries.get(subfolder);
    if (entry === undefined) return;
    const { cluster } = entry;
    const { origin } = cluster;
    if (cluster.empty) {
      this.#entries.delete(subfolder);
      if (entry.name !== undefined) inventory.remove(entry.name, origin);
      return;
    }
    const { name } = cluster;
    if (name === undefined) {
      const [finding] = cluster.settingsFindings;
      const message = `its cluster.yaml cannot be used: ${finding?.message ?? ''}`;
      const hint = finding?.hint ?? '';
      const where = finding?.where;
      const place = where?.line === undefined ? '' : ` (${where.file ?? ''}:${where.line}:${where.column ?? 1})`;
      inventory.refuse(subfolder, origin, { code: finding?.code ?? 'FW-FILE-010', message: message + place, hint });
      entry.name = subfolder;
      entry.refused = true;
      return;
    }
    if (entry.name !== undefined && (entry.refused || entry.name !== name)) {
      inventory.remove(entry.name, origin);
      entry.name = undefined;
    }
    cluster.flush();
    entry.refused = false;
    if (entry.name === undefined) {
      entry.name = name;
      inventory.add(name, origin, cluster.start);
    }
  }

  #reportStrays(news: FolderNews): void {
    const { folder, logger } = this.#options;
    const strays = news.files.filter((path) => subfolderOf(path) === undefined);
    const findings = JSON.stringify([strays, news.findings]);
    if (findings === this.#strays) return;
    this.#strays = findings;
    for (const finding of news.findings) {
      logger.error(finding.message, { code: finding.code, where: finding.where, hint: finding.hint });
    }
    if (strays.length === 0) return;
    logger.warn('files that are in no cluster’s folder are not read', {
      code: 'FW-FILE-020',
      where: { file: join(folder, strays[0] ?? '') },
      files: strays.length,
      hint: 'Move them into a sub-folder, one per cluster.',
    });
  }
}

function subfolderOf(path: string): string | undefined {
  const slash = path.indexOf('/');
  return slash < 0 ? undefined : path.slice(0, slash);
}
