/**
 * One cluster out of a folder: its settings and manifests in, what it says through the seam out.
 *
 * What always holds: it speaks once its files have been looked at; what a broken file or object held before stays; as long as some file has
 * never been readable, what is not named stays as the inventory holds it (from the last good state), while what was named and has gone is
 * said to be gone.
 */

import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import type { YamlLimits } from '../../manifest/yaml-documents.ts';
import type { ClusterInfo, ClusterState } from '../../model/cluster.ts';
import type { NamespaceShard, ServiceKey, ServiceShard } from '../../model/service.ts';
import type { OpenMember } from '../member-host.ts';
import type { ClusterSink, StartSource } from '../source.ts';
import { type ClusterSettings, defaultClusterSettings, readClusterSettings } from './cluster-settings.ts';
import { FileObjects, type HeldObject } from './file-objects.ts';
import type { FileChange } from './folder-watch.ts';
import { deriveManifests } from './manifest-derive.ts';
import { isOwnObject, MemberObjects } from './member-objects.ts';

export interface FileClusterOptions {
  /** The registry's folder, as people are shown it, and the sub-folder's name. */
  readonly folder: string;
  readonly subfolder: string;
  readonly clock: Clock;
  readonly limits: YamlLimits;
  readonly versionLabels: readonly string[];
  /** Takes the rules that the cluster holds of its own. Left out: they are objects of a kind that does not count. */
  readonly openMember?: OpenMember;
}

const settingsFiles: ReadonlySet<string> = new Set(['cluster.yaml', 'cluster.yml', 'cluster.json']);

interface Said {
  readonly info: ClusterInfo;
  readonly services: ReadonlyMap<ServiceKey, ServiceShard>;
  readonly namespaces: ReadonlyMap<string, NamespaceShard>;
  readonly partial: boolean;
}

export class FileCluster {
  readonly #options: FileClusterOptions;
  readonly #objects: FileObjects;
  /** The objects of fairway.dev among them. */
  readonly #own = new MemberObjects();
  readonly #sinks = new Set<ClusterSink>();
  /** The settings file that counts, and its findings; `settings` undefined: it has never been readable. */
  #settingsFile: string | undefined;
  #settings: ClusterSettings | undefined;
  #settingsFindings: readonly Finding[] = [];
  #usable: ReadonlyMap<string, HeldObject> = new Map();
  #said: Said | undefined;
  #findings: readonly Finding[] = [];
  #state: ClusterState;
  #treeFindings: readonly Finding[] = [];
  #changed = true;

  constructor(options: FileClusterOptions) {
    this.#options = options;
    this.#objects = new FileObjects(options.folder, options.limits);
    this.#settings = defaultClusterSettings(options.subfolder);
    this.#state = { phase: 'syncing', sinceMs: options.clock.now() };
  }

  get origin(): string {
    return `file ${join(this.#options.folder, this.#options.subfolder)}`;
  }

  /** undefined while its settings have never been readable; `settingsFindings` then say why. */
  get name(): string | undefined {
    return this.#settings?.name;
  }

  get settingsFindings(): readonly Finding[] {
    return this.#settingsFindings;
  }

  /** It has no files any more: the folder is no cluster. */
  get empty(): boolean {
    return this.#objects.size === 0 && this.#settingsFile === undefined;
  }

  /** For `Inventory.add`. */
  readonly start: StartSource = (sink) => {
    this.#sinks.add(sink);
    this.#sayAll(sink, new Set(), new Set());
    const close = this.#options.openMember?.(this.name ?? '', {
      start: (rules) => this.#own.start(rules),
      isFree: true,
    });
    return {
      stop: () => {
        this.#sinks.delete(sink);
        close?.();
        return Promise.resolve();
      },
    };
  };

  /** Takes the changes of its files; `flush` then says what came of them. */
  async change(change: FileChange): Promise<void> {
    this.#changed = true;
    const file = change.path.slice(this.#options.subfolder.length + 1);
    if (!settingsFiles.has(file)) {
      await this.#objects.change(change);
      return;
    }
    if (this.#settingsFile !== undefined && this.#settingsFile !== change.path) {
      this.#settingsFindings = [this.#secondSettings(change.path)];
      return;
    }
    const first = this.#settingsFile === undefined;
    this.#settingsFile = change.path;
    const { folder, subfolder } = this.#options;
    const read =
      'finding' in change.content
        ? [change.content.finding]
        : readClusterSettings(change.content.text, join(folder, change.path), subfolder);
    if ('name' in read) {
      this.#settings = read;
      this.#settingsFindings = [];
    } else {
      this.#settingsFindings = read;
      // Before the cluster has said anything, defaults would be a guess at its name.
      if (first && this.#said === undefined) this.#settings = undefined;
    }
  }

  remove(path: string): void {
    this.#changed = true;
    if (path !== this.#settingsFile) {
      this.#objects.remove(path);
      return;
    }
    this.#settingsFile = undefined;
    this.#settings = defaultClusterSettings(this.#options.subfolder);
    this.#settingsFindings = [];
  }

  /** What is wrong with its folders: as long as one of them cannot be read there may be more than is known. */
  unread(findings: readonly Finding[]): void {
    if (findings.length === 0 && this.#treeFindings.length === 0) return;
    this.#treeFindings = findings;
    this.#changed = true;
  }

  /** Derives anew if something changed (or was lost), and tells whoever listens. */
  flush(): void {
    const settings = this.#settings;
    if (settings === undefined || (!this.#changed && this.#state.phase === 'fresh')) return;
    this.#changed = false;
    const { clock, versionLabels } = this.#options;
    const resolved = this.#objects.resolve();
    const isOwn = this.#options.openMember === undefined ? () => false : isOwnObject;
    const objects = new Map([...resolved.objects].filter(([, object]) => !isOwn(object)));
    const derived = deriveManifests(
      { ...resolved, objects },
      {
        cluster: settings.name,
        network: settings.network,
        locality: settings.locality,
        versionLabels,
        allowLoopback: true,
      },
      this.#usable,
    );
    this.#usable = derived.usable;
    this.#findings = [...this.#settingsFindings, ...this.#treeFindings, ...derived.findings];
    const before = this.#said?.info.name === settings.name ? this.#said : undefined;
    this.#said = {
      info: { ...settings, uid: '', origin: this.origin },
      services: derived.snapshot.services,
      namespaces: derived.snapshot.namespaces,
      partial: derived.partial || this.#treeFindings.length > 0,
    };
    this.#own.say([...resolved.objects.values()].filter(isOwn), resolved.partial || this.#treeFindings.length > 0);
    if (this.#state.phase !== 'fresh') this.#state = { phase: 'fresh', sinceMs: clock.now() };
    const goneServices = [...(before?.services.keys() ?? [])].filter((key) => !derived.snapshot.services.has(key));
    const goneNamespaces = [...(before?.namespaces.keys() ?? [])].filter(
      (name) => !derived.snapshot.namespaces.has(name),
    );
    for (const sink of [...this.#sinks]) this.#sayAll(sink, new Set(goneServices), new Set(goneNamespaces));
  }

  /** The registry's folder cannot be read: what is held stays. */
  lose(lastLookMs: number, finding: Finding): void {
    const { code, message, hint } = finding;
    this.#state = { phase: 'stale', sinceMs: lastLookMs, problem: { code, message, hint } };
    for (const sink of [...this.#sinks]) sink.state(this.#state);
  }

  #sayAll(sink: ClusterSink, goneServices: ReadonlySet<ServiceKey>, goneNamespaces: ReadonlySet<string>): void {
    const said = this.#said;
    if (said !== undefined) {
      sink.sync(said, said.partial);
      if (said.partial && goneServices.size + goneNamespaces.size > 0) {
        sink.change({
          services: new Map([...goneServices].map((key) => [key, undefined])),
          namespaces: new Map([...goneNamespaces].map((name) => [name, undefined])),
        });
      }
      sink.findings?.(this.#findings);
    }
    sink.state(this.#state);
  }

  #secondSettings(path: string): Finding {
    return {
      code: 'FW-FILE-008',
      severity: 'warning',
      message: `there is ${this.#settingsFile ?? ''} already, which counts; this one is left out`,
      where: { file: join(this.#options.folder, path) },
      hint: 'Remove one of the two.',
    };
  }
}
