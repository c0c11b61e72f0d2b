/**
 * Finding the culprit in a refused message of several resources: by the names in the client's words, else by halves. Pure.
 */

import type { EncodedResource } from '../core/resource.ts';

export function sameNames(names: readonly string[], resources: readonly EncodedResource[]): boolean {
  return names.length === resources.length && names.every((name, i) => name === resources[i]?.name);
}

/** Those that the client's words point at, each alone, after the rest; halves if they point at none. */
export function split(names: readonly string[], pointed: readonly string[]): string[][] {
  if (pointed.length > 0 && pointed.length < names.length) {
    const rest = names.filter((name) => !pointed.includes(name));
    return [rest, ...pointed.map((name) => [name])];
  }
  const half = Math.ceil(names.length / 2);
  return [names.slice(0, half), names.slice(half)];
}

const nameCharacter = /[\w.:|/~-]/;

/** Whether `text` names `name` as a whole word. */
export function mentions(text: string, name: string): boolean {
  if (name === '') return false;
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const before = text[at - 1] ?? ' ';
    const after = text[at + name.length] ?? ' ';
    if (!nameCharacter.test(before) && (!nameCharacter.test(after) || after === ':')) return true;
  }
  return false;
}
