/**
 * Lists of resource names that many requests have in common, told apart by their bytes. In: the bytes of a request. Out: its names as a list
 * and a set that every stream with the same list shares, and the rest of the request to be decoded.
 *
 * A thousand proxies that want the same thousand endpoints then hold one set instead of a thousand, and their requests (SotW: each ACK, too)
 * cost a comparison of bytes instead of a thousand strings. Always: bounded in bytes, and what cannot be told apart is decoded as a whole.
 */

/** Neither is ever written to. */
export interface NameList {
  readonly names: readonly string[];
  readonly set: ReadonlySet<string>;
}

interface Entry extends NameList {
  readonly bytes: Buffer;
}

/** `resource_names` and `resource_names_subscribe` are both field 3, length-delimited. */
const nameTag = 3 * 8 + 2;
const maxEntries = 64;
/** Shorter lists cost less than to look for them. */
const minBytes = 1024;

export class NameLists {
  readonly #maxBytes: number;
  /** Used last comes last. */
  readonly #entries: Entry[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the list out of a request of `type`; undefined if it has none, or a short one, or is no message. `decode` reads a request that
   * consists of the list alone, and throws if that is not to be taken.
   */
  take(
    bytes: Buffer,
    decode: (list: Buffer) => readonly string[],
  ): { readonly rest: Buffer; readonly list: NameList } | undefined {
    if (bytes.length < minBytes) return undefined;
    const start = listStart(bytes);
    if (start === undefined) return undefined;
    const list = this.#known(bytes, start) ?? this.#learn(bytes, start, decode);
    if (list === undefined) return undefined;
    const rest = Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + list.bytes.length)]);
    return { rest, list };
  }

  #known(bytes: Buffer, start: number): Entry | undefined {
    const index = this.#entries.findLastIndex((entry) => {
      const end = start + entry.bytes.length;
      if (end > bytes.length || bytes[end] === nameTag) return false;
      return bytes.compare(entry.bytes, 0, entry.bytes.length, start, end) === 0;
    });
    const entry = this.#entries[index];
    if (entry === undefined) return undefined;
    this.#entries.splice(index, 1);
    this.#entries.push(entry);
    return entry;
  }

  #learn(bytes: Buffer, start: number, decode: (list: Buffer) => readonly string[]): Entry | undefined {
    const end = listEnd(bytes, start);
    if (end === undefined || end - start < minBytes || end - start > this.#maxBytes) return undefined;
    // A copy: the request's own memory is not held.
    const own = Buffer.from(bytes.subarray(start, end));
    const names = decode(own);
    const entry = { bytes: own, names, set: new Set(names) };
    this.#entries.push(entry);
    this.#bytes += own.length;
    while (this.#bytes > this.#maxBytes || this.#entries.length > maxEntries) {
      this.#bytes -= this.#entries.shift()?.bytes.length ?? 0;
    }
    return entry;
  }
}

/** Where the first name's tag is; undefined if there is none, or the bytes cannot be read up to it. */
function listStart(bytes: Buffer): number | undefined {
  for (let at: number | undefined = 0; at !== undefined && at < bytes.length; at = fieldEnd(bytes, at)) {
    if (bytes[at] === nameTag) return at;
  }
  return undefined;
}

function listEnd(bytes: Buffer, start: number): number | undefined {
  let at: number | undefined = start;
  while (at !== undefined && bytes[at] === nameTag) at = fieldEnd(bytes, at);
  return at;
}

/** The end of a length-delimited field with a tag of one byte; undefined for any other, or one that is cut off. */
function fieldEnd(bytes: Buffer, start: number): number | undefined {
  const tag = bytes[start] ?? 0;
  if (tag >= 0x80 || (tag & 7) !== 2) return undefined;
  let at = start + 1;
  let length = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) << shift;
    if (byte < 0x80) return at + length <= bytes.length ? at + length : undefined;
  }
  return undefined;
}
