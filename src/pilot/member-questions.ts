/**
 * What is asked of the proxies of clusters that hold rules of their own: they see another mesh than all, so other things may be asked of them.
 *
 * In: which services changed, for all and for single clusters. Out: by cluster, the questions; and the clusters for whose proxies they are
 * others now, with the services that may be the reason. Costs nothing while no cluster has rules of its own, and little while nobody asks.
 */

import type { MemberDirt } from '../mesh/member-meshes.ts';
import type { MeshState } from '../mesh/mesh-state.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Questions, ScopeInputs } from './scope/inputs.ts';

export interface MemberQuestionChange {
  readonly clusters: ReadonlySet<string>;
  /** Services that ask, and changed with the questions. */
  readonly askers: ReadonlySet<ServiceKey>;
}

interface Known {
  readonly questions: Questions;
  readonly text: string;
}

const noChange: MemberQuestionChange = { clusters: new Set(), askers: new Set() };

export class MemberQuestions {
  readonly #inputs: ScopeInputs;
  readonly #mesh: Pick<MeshState, 'mesh' | 'meshOf' | 'memberClusters' | 'memberServices'>;
  readonly #known = new Map<string, Known>();
  /** What is asked of all others, as text. */
  #base = '';
  #revision = -1;

  constructor(inputs: ScopeInputs, mesh: Pick<MeshState, 'mesh' | 'meshOf' | 'memberClusters' | 'memberServices'>) {
    this.#inputs = inputs;
    this.#mesh = mesh;
  }

  /** undefined: what is asked of all. */
  of(cluster: string): Questions | undefined {
    return this.#known.get(cluster)?.questions;
  }

  /** Somebody is asked for the place that his cluster may decide. */
  get askPlaces(): boolean {
    return this.#known.values().some(({ questions: { region, zone } }) => region || zone);
  }

  /** After the same change in the inputs. */
  update(changed: ReadonlySet<ServiceKey>, ofMembers: MemberDirt): MemberQuestionChange {
    const isAsked = this.#inputs.revision !== this.#revision;
    if (!isAsked && ofMembers.size === 0) return noChange;
    this.#revision = this.#inputs.revision;
    const before = this.#base;
    if (isAsked) this.#base = textOf(this.#inputs.questions);
    const candidates = new Set(ofMembers.keys());
    if (isAsked) for (const cluster of this.#mesh.memberClusters()) candidates.add(cluster);
    const clusters = new Set<string>();
    const askers = new Set<ServiceKey>();
    for (const cluster of candidates) {
      const was = this.#known.get(cluster)?.text ?? before;
      const own = this.#mesh.memberServices(cluster);
      const questions = own.size === 0 ? this.#inputs.questions : this.#inputs.questionsWith(own);
      const text = textOf(questions);
      if (own.size === 0) this.#known.delete(cluster);
      else this.#known.set(cluster, { questions, text });
      if (text === was) continue;
      clusters.add(cluster);
      const { services } = this.#mesh.meshOf(cluster);
      for (const key of [...changed, ...(ofMembers.get(cluster) ?? [])])
        if (services.get(key)?.asks !== undefined) askers.add(key);
    }
    return { clusters, askers };
  }
}

function textOf({ region, zone, node, selectors }: Questions): string {
  return JSON.stringify([region, zone, node, [...selectors].sort()]);
}
