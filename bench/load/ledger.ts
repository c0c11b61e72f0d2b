/**
 * What responses say, read once per process: the server sends the same bytes to many clients, so a message that is equal to one read before
 * (but for its nonce, which some servers make anew for each stream) is not read again. Names and versions become numbers, and what a client holds is one array of numbers per type.
 */

import { marksIn } from './marks.ts';
import { referencesOf } from './references.ts';
import { contentHash, sidecarTypes, stateHash } from './state-hash.ts';
import { readResponse, type Transport } from './wire.ts';

export interface ReadMessage {
  /** Of the first message of this content; another's differ in the nonce. */
  readonly bytes: Buffer;
  /** Where the nonce is in `bytes`. */
  readonly nonceAt: number;
  readonly nonceEnd: number;
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  /** Indexes of names in `Ledger.names(typeUrl)`. */
  readonly names: Int32Array;
  /** For each of `names`, an index in `Ledger.versions`. */
  readonly versions: Int32Array;
  readonly removed: Int32Array;
  /** The names that its resources refer to. */
  readonly children: readonly string[];
  readonly marks: readonly number[];
}

interface Version {
  /** As the server called it. */
  readonly said: string;
  readonly content: string;
  readonly children: readonly string[];
}

class Names {
  readonly list: string[] = [];
  /** Alias → the index of the resource that goes by it. */
  readonly aliases = new Map<string, number>();
  readonly #indexes = new Map<string, number>();

  indexOf(name: string): number {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = this.list.push(name) - 1;
      this.#indexes.set(name, index);
    }
    return index;
  }
}

/** Distinct messages that are kept to be recognised. */
const recentMax = 64;

export class Ledger {
  readonly #transport: Transport;
  readonly #names = new Map<string, Names>(sidecarTypes.map((url) => [url, new Names()]));
  /** 0 is nothing. */
  readonly #versions: Version[] = [{ said: '', content: '', children: [] }];
  readonly #versionIndexes = new Map<string, number>();
  /** The latest first. */
  #recent: ReadMessage[] = [];
  readonly #indexes = new WeakMap<readonly string[], Int32Array>();
  /** Of the state hashed last. */
  #hashed: { readonly key: Buffer; readonly hash: string } | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  names(url: string): Names {
    const names = this.#names.get(url);
    if (names === undefined) throw new Error(`the server sent ${url}, which nobody asked for`);
    return names;
  }

  version(index: number): Version {
    const version = this.#versions[index];
    if (version === undefined) throw new Error(`there is no version ${index}`);
    return version;
  }

  /** A message in the pieces in which it came. */
  read(pieces: readonly Buffer[], length: number): ReadMessage {
    const at = this.#recent.findIndex(({ bytes, nonceAt, nonceEnd }) => {
      return bytes.length === length && isMadeOf(bytes, pieces, nonceAt, nonceEnd);
    });
    const known = this.#recent[at];
    if (known !== undefined) {
      if (at > 0) this.#recent = [known, ...this.#recent.toSpliced(at, 1)];
      const nonce = cut(pieces, known.nonceAt, known.nonceEnd).toString();
      return nonce === known.nonce ? known : { ...known, nonce };
    }
    const message = this.#parse(Buffer.concat(pieces, length));
    this.#recent = [message, ...this.#recent.slice(0, recentMax - 1)];
    return message;
  }

  /** Where the names are in `names(url)`; the same array is looked up once. */
  indexes(url: string, names: readonly string[]): Int32Array {
    let indexes = this.#indexes.get(names);
    if (indexes === undefined) {
      const known = this.names(url);
      indexes = Int32Array.from(names, (name) => known.indexOf(name));
      this.#indexes.set(names, indexes);
    }
    return indexes;
  }

  /** `held`: by type, the version that is held of each name, 0 for none. */
  hash(held: ReadonlyMap<string, Int32Array>): string {
    const key = Buffer.concat(
      sidecarTypes.map((url) => {
        const versions = held.get(url) ?? new Int32Array();
        const end = versions.findLastIndex((version) => version !== 0) + 1;
        return Buffer.concat([
          Buffer.from(`${url} ${end} `),
          Buffer.from(versions.buffer, versions.byteOffset, end * Int32Array.BYTES_PER_ELEMENT),
        ]);
      }),
    );
    if (this.#hashed === undefined || !this.#hashed.key.equals(key))
      this.#hashed = { key, hash: stateHash(this.#entries(held)) };
    return this.#hashed.hash;
  }

  *#entries(held: ReadonlyMap<string, Int32Array>): Generator<[string, string, string]> {
    for (const [url, versions] of held) {
      const { list } = this.names(url);
      for (const [name, version] of versions.entries())
        if (version !== 0) yield [url, list[name] ?? '', this.version(version).content];
    }
  }

  #parse(bytes: Buffer): ReadMessage {
    const response = readResponse(bytes, this.#transport);
    const names = this.names(response.typeUrl);
    const versions = response.resources.map(({ version, any }) => this.#versionIndex(response.typeUrl, version, any));
    for (const { name, aliases } of response.resources)
      for (const alias of aliases) names.aliases.set(alias, names.indexOf(name));
    const nonceAt = nonceOffset(bytes, response.nonce);
    return {
      bytes,
      nonceAt,
      nonceEnd: nonceAt + Buffer.byteLength(response.nonce),
      typeUrl: response.typeUrl,
      version: response.version,
      nonce: response.nonce,
      names: Int32Array.from(response.resources, ({ name }) => names.indexOf(name)),
      versions: Int32Array.from(versions),
      removed: Int32Array.from(response.removed, (name) => names.indexOf(name)),
      children: [...new Set(versions.flatMap((version) => this.version(version).children))].sort(),
      marks: marksIn(bytes),
    };
  }

  #versionIndex(url: string, said: string, any: Buffer): number {
    const content = contentHash(any);
    const key = `${said} ${content}`;
    let index = this.#versionIndexes.get(key);
    if (index === undefined) {
      index = this.#versions.push({ said, content, children: referencesOf(url, any) }) - 1;
      this.#versionIndexes.set(key, index);
    }
    return index;
  }
}

/** Whether they are the same before `from` and from `to` on. */
function isMadeOf(bytes: Buffer, pieces: readonly Buffer[], from: number, to: number): boolean {
  let at = 0;
  return pieces.every((piece) => {
    const begins = at;
    at += piece.length;
    const head = Math.min(Math.max(from - begins, 0), piece.length);
    const tail = Math.min(Math.max(to - begins, 0), piece.length);
    return (
      bytes.compare(piece, 0, head, begins, begins + head) === 0 &&
      bytes.compare(piece, tail, piece.length, begins + tail, at) === 0
    );
  });
}

function cut(pieces: readonly Buffer[], from: number, to: number): Buffer {
  let at = 0;
  const parts = pieces.map((piece) => {
    const begins = at;
    at += piece.length;
    return piece.subarray(Math.max(0, from - begins), Math.max(0, to - begins));
  });
  return Buffer.concat(parts);
}

/** Of the last field 5 (in both kinds of response the nonce) that holds it; the end where there is none. */
function nonceOffset(bytes: Buffer, nonce: string): number {
  const field = Buffer.concat([Buffer.from([5 * 8 + 2, Buffer.byteLength(nonce)]), Buffer.from(nonce)]);
  const at = nonce === '' ? -1 : bytes.lastIndexOf(field);
  return at < 0 ? bytes.length : at + 2;
}
