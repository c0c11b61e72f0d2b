/**
 * What clients that come back hold (delta's `initial_resource_versions`, a map of name to version), read without protobufjs. In: the bytes of a
 * request. Out: the map, and the rest of the request to be decoded.
 *
 * A thousand Envoys name the same thousands of resources, each in an order of its own, so texts are told apart one by one: those that were seen
 * before are the very same strings, made and hashed once. Always: bounded in bytes, and what is out of the ordinary is left to be decoded as a whole.
 */

/** Field 5, length-delimited; in its entries the key is field 1 and the value field 2, both always written. */
const entryTag = 5 * 8 + 2;
const keyTag = 1 * 8 + 2;
const valueTag = 2 * 8 + 2;
/** Shorter lists cost less than to look for them. */
const minBytes = 512;

export class VersionLists {
  readonly #texts: Texts;
  readonly #maxEntries: number;

  /** Texts are remembered up to `maxBytes`; a map with more than `maxEntries` is not read. */
  constructor(maxBytes: number, maxEntries: number, maxTextBytes: number) {
    this.#texts = new Texts(maxBytes, maxTextBytes);
    this.#maxEntries = maxEntries;
  }

  /** undefined if the request has no such map, or a short one, or one that is not written as encoders do. */
  take(bytes: Buffer): { readonly rest: Buffer; readonly versions: ReadonlyMap<string, string> } | undefined {
    if (bytes.length < minBytes) return undefined;
    const start = mapStart(bytes);
    if (start === undefined) return undefined;
    const versions = new Map<string, string>();
    const cursor = { at: start };
    while (cursor.at < bytes.length && bytes[cursor.at] === entryTag) {
      if (!this.#entry(bytes, cursor, versions) || versions.size > this.#maxEntries) return undefined;
    }
    return { rest: Buffer.concat([bytes.subarray(0, start), bytes.subarray(cursor.at)]), versions };
  }

  #entry(bytes: Buffer, cursor: Cursor, versions: Map<string, string>): boolean {
    const end = fieldEnd(bytes, cursor);
    if (end === undefined) return false;
    const name = this.#text(bytes, cursor, keyTag, end);
    const version = name === undefined ? undefined : this.#text(bytes, cursor, valueTag, end);
    if (name === undefined || version === undefined || cursor.at !== end) return false;
    versions.set(name, version);
    return true;
  }

  #text(bytes: Buffer, cursor: Cursor, tag: number, entryEnd: number): string | undefined {
    if (bytes[cursor.at] !== tag) return undefined;
    const end = fieldEnd(bytes, cursor);
    if (end === undefined || end > entryEnd) return undefined;
    const start = cursor.at;
    cursor.at = end;
    return this.#texts.of(bytes, start, end);
  }
}

interface Cursor {
  at: number;
}

/** Where the first entry's tag is; undefined if there is none, or the bytes cannot be read up to it. */
function mapStart(bytes: Buffer): number | undefined {
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    if (bytes[cursor.at] === entryTag) return cursor.at;
    const end = fieldEnd(bytes, cursor);
    if (end === undefined) return undefined;
    cursor.at = end;
  }
  return undefined;
}

/** Moves to the beginning of what a length-delimited field with a tag of one byte holds, and returns its end; undefined for any other. */
function fieldEnd(bytes: Buffer, cursor: Cursor): number | undefined {
  const tag = bytes[cursor.at++] ?? 0;
  if (tag >= 0x80 || (tag & 7) !== 2) return undefined;
  let length = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) << shift;
    if (byte < 0x80) return cursor.at + length <= bytes.length ? cursor.at + length : undefined;
  }
  return undefined;
}

interface Text {
  readonly bytes: Buffer;
  readonly text: string;
  readonly next: Text | undefined;
}

/** Texts with the same hash that are remembered: there are so many only if somebody made them so. */
const maxAlike = 8;

/** Strings by the bytes that they are written with. */
class Texts {
  readonly #maxBytes: number;
  readonly #maxTextBytes: number;
  /** By hash. */
  readonly #known = new Map<number, Text>();
  #bytes = 0;

  constructor(maxBytes: number, maxTextBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxTextBytes = maxTextBytes;
  }

  /** undefined for what is too long, or not ASCII. */
  of(bytes: Buffer, start: number, end: number): string | undefined {
    if (end - start > this.#maxTextBytes) return undefined;
    // FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), and whether any byte is beyond ASCII.
    let hash = 0x811c9dc5;
    let high = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      high |= byte;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    if (high >= 0x80) return undefined;
    const first = this.#known.get(hash);
    let others = 0;
    for (let known = first; known !== undefined; known = known.next) {
      if (isAt(known.bytes, bytes, start, end)) return known.text;
      others++;
    }
    const text = bytes.toString('latin1', start, end);
    if (others < maxAlike) this.#learn(bytes.subarray(start, end), hash, text, first);
    return text;
  }

  #learn(bytes: Buffer, hash: number, text: string, next: Text | undefined): void {
    // Those in use are learnt again at once.
    if (this.#bytes + bytes.length > this.#maxBytes) {
      this.#known.clear();
      this.#bytes = 0;
    }
    // A copy: the request's own memory is not held.
    this.#known.set(hash, { bytes: Buffer.from(bytes), text, next: this.#bytes === 0 ? undefined : next });
    this.#bytes += bytes.length;
  }
}

function isAt(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}
