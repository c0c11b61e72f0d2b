/**
 * The mesh as the proxies of a scope see it: of their cluster, and without the forms of rules that they rejected. In: cluster and forms; out: a mesh, the
 * same one for all that see the same, until the next batch.
 */

import type { MeshState } from '../mesh/mesh-state.ts';
import type { Mesh, Scope } from '../model/mesh.ts';
import type { Externals } from './externals.ts';
import { ruleForm } from './proxies/proxies.ts';

export class SeenMeshes {
  readonly #mesh: MeshState;
  readonly #externals: Externals | undefined;
  /** Without some forms, by the cluster with rules of its own and the forms. */
  readonly #without = new Map<string, Mesh>();

  constructor(mesh: MeshState, externals: Externals | undefined) {
    this.#mesh = mesh;
    this.#externals = externals;
  }

  of({ cluster, rejected }: Pick<Scope, 'cluster' | 'rejected'>): Mesh {
    if (rejected.length === 0) return this.#mesh.meshOf(cluster);
    const member = this.#mesh.memberServices(cluster).size === 0 ? '' : cluster;
    const id = [member, ...rejected].join();
    const known = this.#without.get(id);
    if (known !== undefined) return known;
    const forms = new Set(rejected);
    const outside = this.#externals?.history.without((form) => forms.has(form));
    const mesh = this.#mesh.without((rule) => forms.has(ruleForm(rule)), member, outside);
    this.#without.set(id, mesh);
    return mesh;
  }

  /** The mesh is another from now on. */
  forget(): void {
    this.#without.clear();
  }
}
