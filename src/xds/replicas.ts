/**
 * The replica of each view, and of the bases that views share. In: views, and the host's word of what changed. Out: replicas, each made when it
 * is first asked for, and gone with its view.
 */

import { Replica } from './replica.ts';
import type { ResourceView } from './view.ts';

export class Replicas {
  readonly #byView = new WeakMap<ResourceView, Replica>();

  of(view: ResourceView): Replica {
    let replica = this.#byView.get(view);
    if (replica === undefined) {
      replica = new Replica(view, view.base && this.of(view.base));
      this.#byView.set(view, replica);
    }
    return replica;
  }

  /** What the view says of the named resources, or of all. Returns the replica if its readers have something to see; undefined if there is none. */
  changed(view: ResourceView, changes?: ReadonlyMap<string, ReadonlySet<string>>): Replica | undefined {
    const replica = this.#byView.get(view);
    if (replica === undefined) return undefined;
    const wasReady = replica.ready;
    const types = replica.update(changes);
    return types.length === 0 && wasReady === replica.ready ? undefined : replica;
  }
}
