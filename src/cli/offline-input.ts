/**
 * What `translate` and `diff --clusters` read: paths in; folders of clusters, single clusters' folders, and checked objects out.
 *
 * A folder with a cluster.yaml is one cluster; a folder that holds folders, and no YAML or JSON of its own, is one of clusters; all else holds
 * objects that people apply.
 */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../core/errors.ts';
import type { Merging } from '../model/clusterset.ts';
import type { RawObject } from '../model/object.ts';
import { readSources } from './documents.ts';
import { checkManifests } from './manifests.ts';

/** What files do not say, as flags. */
export interface ProxyFlags {
  readonly mode: 'captured' | 'explicit';
  readonly outbound: 'allow-any' | 'registered-only';
  readonly clusterDomain: string;
  readonly detectProtocols?: boolean;
  readonly services?: Merging;
}

export interface Sorted {
  readonly clusterFolders: readonly string[];
  readonly clusters: readonly string[];
  readonly documents: readonly string[];
}

export function sortPaths(paths: readonly string[]): Sorted {
  const byKind = Map.groupBy(paths, kindOfPath);
  return {
    clusterFolders: byKind.get('clusters') ?? [],
    clusters: byKind.get('cluster') ?? [],
    documents: byKind.get('documents') ?? [],
  };
}

function kindOfPath(path: string): 'clusters' | 'cluster' | 'documents' {
  if (path === '-' || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return 'documents';
  if (['cluster.yaml', 'cluster.yml', 'cluster.json'].some((name) => existsSync(join(path, name)))) return 'cluster';
  const entries = readdirSync(path, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  const hasFiles = entries.some((entry) => !entry.isDirectory() && /\.(ya?ml|json)$/.test(entry.name));
  return !hasFiles && entries.some((entry) => entry.isDirectory()) ? 'clusters' : 'documents';
}

export interface CheckedObjects {
  /** With their namespace. */
  readonly objects: readonly RawObject[];
  readonly findings: readonly Finding[];
}

/** Objects that are wrong are left out; `findings` say so. */
export function readObjects(paths: readonly string[], namespace: string | undefined): CheckedObjects {
  if (paths.length === 0) return { objects: [], findings: [] };
  const { objects, findings: unreadable } = readSources(paths);
  const { manifests, findings } = checkManifests(objects, namespace);
  const sound = manifests.map(({ raw, manifest }): RawObject => {
    const where: RawObject['where'] = (path, what) => raw.where(path, what);
    return { object: manifest, origin: raw.origin, where };
  });
  return { objects: sound, findings: [...unreadable, ...findings] };
}
