/**
 * Where things stand in one part of a file: offsets and paths in, lines and columns out.
 *
 * What always holds: it keeps the text alone; the syntax tree is made when a path is asked for, and given up when memory is wanted.
 */

import { type Document, isAlias, isCollection, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import type { Where } from '../core/errors.ts';
import { parseDocuments } from './parse.ts';
import type { TextPart } from './split.ts';

export type YamlPath = readonly (string | number)[];

/** `file` is what people are shown. */
export function placeAt({ text, line }: TextPart, file: string, offset: number): Where {
  const before = text.lastIndexOf('\n', offset - 1);
  let lines = 0;
  for (let at = before; at >= 0; at = at === 0 ? -1 : text.lastIndexOf('\n', at - 1)) lines += 1;
  return { file, line: line + lines, column: offset - before };
}

export class Places {
  readonly #part: TextPart;
  readonly #file: string;
  #documents: WeakRef<readonly Document.Parsed[]> | undefined;

  constructor(part: TextPart, file: string) {
    this.#part = part;
    this.#file = file;
  }

  /** `document` counts from 0 within the part. */
  find(document: number, path: YamlPath, what: 'key' | 'value'): Where {
    const parsed = this.#parse()[document];
    const field = formatPath(path);
    const named = field === '' ? {} : { field };
    if (parsed === undefined || !isNode(parsed.contents)) return { file: this.#file, ...named };
    return { ...placeAt(this.#part, this.#file, offsetOf(parsed, path, what)), ...named };
  }

  #parse(): readonly Document.Parsed[] {
    const known = this.#documents?.deref();
    if (known !== undefined) return known;
    const documents = parseDocuments(this.#part.text);
    this.#documents = new WeakRef(documents);
    return documents;
  }
}

/** A scalar's own place; a block's place is its key's; of what is missing, the place of what it is missing from. */
function offsetOf(document: Document.Parsed, path: YamlPath, what: 'key' | 'value'): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const resolved: Node | null | undefined = isAlias(node) ? node.resolve(document) : node;
    let next: unknown;
    let key: unknown;
    if (isMap(resolved)) {
      const pair = resolved.items.find((item) => isScalar(item.key) && item.key.value === String(step));
      next = pair?.value;
      key = pair?.key;
    } else if (isSeq(resolved)) {
      next = resolved.items[Number(step)];
    }
    const keyOffset = isNode(key) ? key.range?.[0] : undefined;
    if (!isNode(next)) return keyOffset ?? offset;
    const isBlock = isCollection(next) && next.flow !== true;
    const atKey = isBlock || (what === 'key' && index === path.length - 1);
    offset = (atKey ? keyOffset : undefined) ?? next.range?.[0] ?? offset;
    node = next;
  }
  return offset;
}

/** `spec.routes[0].backends[1].weight` */
export function formatPath(path: YamlPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}
