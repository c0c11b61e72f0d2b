/**
 * What a document must not have although it parses: keys given twice, keys that reach for prototypes, aliases of nothing or in masses.
 *
 * What always holds: one pass over the document, in its order, with memory of its own instead of the stack; each fault is one finding with its
 * offset.
 */

import { type Document, isAlias, isMap, isScalar, isSeq } from 'yaml';

/** Finding what an alias stands for takes a look at every anchor before it; a manifest has a handful. */
export const maxAliasesPerDocument = 1000;

export interface DocumentFault {
  readonly kind: 'duplicate' | 'proto' | 'no-anchor' | 'aliases';
  /** Into the text of which the document is a part. */
  readonly offset: number;
  /** The key's or the anchor's. */
  readonly name: string;
}

/** At most `maxFaults`, in the order of the document. */
export function documentFaults(document: Document.Parsed, maxFaults: number): readonly DocumentFault[] {
  const faults: DocumentFault[] = [];
  const anchors = new Set<string>();
  let aliases = 0;
  const waiting: unknown[] = [document.contents];
  while (waiting.length > 0 && faults.length < maxFaults) {
    const node = waiting.pop();
    if (isAlias(node)) {
      aliases += 1;
      const offset = node.range?.[0] ?? 0;
      if (!anchors.has(node.source)) faults.push({ kind: 'no-anchor', offset, name: node.source });
      if (aliases <= maxAliasesPerDocument) continue;
      faults.push({ kind: 'aliases', offset, name: node.source });
      break;
    }
    if (isScalar(node) || isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) anchors.add(node.anchor);
    }
    if (isSeq(node)) {
      for (let index = node.items.length - 1; index >= 0; index--) waiting.push(node.items[index]);
    } else if (isMap(node)) {
      const keys = new Set<unknown>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        const offset = key.range?.[0] ?? 0;
        if (name === '__proto__') faults.push({ kind: 'proto', offset, name });
        else if (keys.has(name)) faults.push({ kind: 'duplicate', offset, name });
        keys.add(name);
      }
      for (let index = node.items.length - 1; index >= 0; index--) {
        const pair = node.items[index];
        waiting.push(pair?.value, pair?.key);
      }
    }
  }
  return faults.slice(0, maxFaults).sort((a, b) => a.offset - b.offset);
}
