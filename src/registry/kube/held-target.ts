/** A lister-watcher's target for objects that are settled one by one: a map of what is held, and what is done after each change of it. */

import type { ReadItem } from './list.ts';
import type { Target } from './lister-watcher.ts';

/** `settle` is called with each key after `held` has changed for it; after a whole list, with all that is or was there. */
export function heldTarget<T>(
  held: Map<string, T>,
  read: (raw: unknown) => ReadItem<T>,
  settle: (key: string) => void,
): Target<T> {
  return {
    read,
    size: () => held.size,
    has: (key) => held.has(key),
    replace(items) {
      const gone = [...held.keys()].filter((key) => !items.has(key));
      for (const key of gone) held.delete(key);
      for (const [key, value] of items) held.set(key, value);
      for (const key of [...gone, ...items.keys()]) settle(key);
    },
    put(key, value) {
      held.set(key, value);
      settle(key);
    },
    remove(key) {
      held.delete(key);
      settle(key);
    },
  };
}
