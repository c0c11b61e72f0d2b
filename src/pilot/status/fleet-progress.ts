/**
 * How far what people applied has got with the proxies of all replicas. In: what this replica's own statuses counted, and what the others say;
 * out: the sums, and the text that tells the others of this one.
 *
 * The text is bounded and mostly one list: eight characters per form of an object, grouped by how many of how many proxies hold it, so that a
 * replica that does not know a form yet is told from one where all proxies hold it.
 */

import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from '../../core/logger.ts';
import { trimWords } from '../../rules/objects/findings.ts';
import type { Programming } from '../../rules/status/programming.ts';

/** What a replica says of itself. */
export interface PilotProgress {
  readonly proxies: number;
  /** By `formKey`. */
  readonly forms: ReadonlyMap<string, Programming>;
  /** Forms that found no room: nothing is known of them. */
  readonly unsaid: number;
}

interface Written {
  readonly proxies: number;
  /** Acknowledged, total, and the keys of the forms of which that is so, one after the other. */
  readonly groups: readonly (readonly [number, number, string])[];
  /** Key, how many refused it, some of them with their words. */
  readonly rejected: readonly (readonly [string, number, readonly (readonly [string, string])[]])[];
  readonly unsaid: number;
}

const keyLength = 8;
/** Annotations may have 256 KiB in all. */
const formsMax = 20_000;
const groupsMax = 500;
const rejectedMax = 50;
const wordsPerForm = 3;
const wordsMax = 200;
const nodeMax = 200;
const textMax = 256 * 1024;

export class FleetProgress {
  readonly #logger: Logger;
  readonly #proxies: () => number;
  /** By kind of object, then by form. */
  readonly #own = new Map<string, ReadonlyMap<string, Programming>>();
  #peers: ReadonlyMap<string, PilotProgress> = new Map();
  #keys = new Map<string, string>();
  #publish: ((text: string) => void) | undefined;
  #changed: (() => void) | undefined;
  readonly #listeners: (() => void)[] = [];
  #saidUnsaid = false;
  /** Of this replica, unique among them: the pod's name, and something that no other process of that name has. */
  readonly name = `${hostname()}-${randomUUID().slice(0, 8)}`;

  /** `proxies`: how many are connected here. */
  constructor(logger: Logger, proxies: () => number) {
    this.#logger = logger;
    this.#proxies = proxies;
  }

  /** From now on `publish` is given what others are to know, and `changed` is called when what they say is another thing. */
  share(publish: (text: string) => void, changed: () => void): void {
    this.#publish = publish;
    this.#changed = changed;
    this.#tell();
  }

  /** What the others say now, by their names. What cannot be read counts as somebody without proxies. */
  heard(texts: ReadonlyMap<string, string>): void {
    this.#peers = new Map([...texts].map(([name, text]) => [name, parseProgress(text)]));
    this.#changed?.();
    for (const listener of this.#listeners) listener();
  }

  /** Called whenever others may say another thing. */
  onHeard(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether this replica hears of others and they of it. */
  get isShared(): boolean {
    return this.#publish !== undefined;
  }

  /** The other replicas, by name. */
  get peers(): ReadonlyMap<string, PilotProgress> {
    return this.#peers;
  }

  /** All forms of one kind that are in force here, and how far each has got with the proxies here. */
  count(kind: string, forms: ReadonlyMap<string, Programming>): void {
    this.#own.set(kind, forms);
    this.#tell();
  }

  /** `own`, with what the other replicas say of that form. */
  sum(form: string, own: Programming): Programming {
    if (this.#peers.size === 0) return own;
    return sumProgress(this.#keyOf(form), own, this.#peers.values());
  }

  #tell(): void {
    if (this.#publish === undefined) return;
    const forms = [...this.#own].flatMap(([, ofKind]) => [...ofKind]);
    const known = this.#keys;
    this.#keys = new Map(forms.map(([form]) => [form, known.get(form) ?? formKey(form)]));
    const written = progressText(
      this.#proxies(),
      forms.map(([form, programming]) => [this.#keyOf(form), programming]),
    );
    this.#publish(written.text);
    if (written.unsaid > 0 && !this.#saidUnsaid) {
      this.#logger.warn('other replicas are not told how far every object has got: there are too many', {
        code: 'FW-PILOT-020',
        unsaid: written.unsaid,
        hint: `Of more than ${formsMax} objects, the statuses of the rest count the proxies of one replica.`,
      });
    }
    this.#saidUnsaid = written.unsaid > 0;
  }

  #keyOf(form: string): string {
    return this.#keys.get(form) ?? formKey(form);
  }
}

/** Pure. */
export function sumProgress(key: string, own: Programming, peers: Iterable<PilotProgress>): Programming {
  let { acknowledged, total, moreRejections = 0 } = own;
  let pilots = 1;
  let behind = 0;
  const rejections = [...own.rejections];
  for (const { proxies, forms, unsaid } of peers) {
    const there = forms.get(key);
    if (there === undefined) {
      if (proxies > 0 && unsaid === 0) behind += 1;
      if (unsaid === 0) pilots += 1;
      continue;
    }
    pilots += 1;
    acknowledged += there.acknowledged;
    total += there.total;
    rejections.push(...there.rejections);
    moreRejections += there.moreRejections ?? 0;
  }
  rejections.sort((a, b) => (a.node < b.node ? -1 : 1));
  return { acknowledged, total, rejections, moreRejections, pilots, behind };
}

export function formKey(form: string): string {
  return createHash('sha256').update(form).digest('base64url').slice(0, keyLength);
}

/** Pure: equal progress gives an equal text, whatever the order. */
export function progressText(
  proxies: number,
  forms: readonly (readonly [key: string, programming: Programming])[],
): { readonly text: string; readonly unsaid: number } {
  // What is not complete goes first: it is what others must know of.
  const isLate = ({ acknowledged, total }: Programming): number => (acknowledged < total ? 0 : 1);
  const sorted = forms.toSorted(([a, one], [b, other]) => isLate(one) - isLate(other) || (a < b ? -1 : 1));
  const groups = new Map<string, { readonly head: readonly [number, number]; readonly keys: string[] }>();
  let said = 0;
  for (const [key, { acknowledged, total }] of sorted) {
    const id = `${acknowledged}/${total}`;
    const group = groups.get(id);
    if (said === formsMax || (group === undefined && groups.size === groupsMax)) continue;
    said += 1;
    if (group === undefined) groups.set(id, { head: [acknowledged, total], keys: [key] });
    else group.keys.push(key);
  }
  const refused = sorted.filter(([, { rejections }]) => rejections.length > 0).slice(0, rejectedMax);
  const written: Written = {
    proxies,
    groups: [...groups.values()].map(({ head: [acknowledged, total], keys }) => [acknowledged, total, keys.join('')]),
    rejected: refused.map(([key, { rejections }]) => [
      key,
      rejections.length,
      rejections
        .slice(0, wordsPerForm)
        .map(({ node, error }) => [trimWords(node, nodeMax), trimWords(error, wordsMax)]),
    ]),
    unsaid: forms.length - said,
  };
  return { text: JSON.stringify(written), unsaid: written.unsaid };
}

/** Of a text that nobody of ours wrote: no proxies and no forms. */
export function parseProgress(text: string): PilotProgress {
  const none: PilotProgress = { proxies: 0, forms: new Map(), unsaid: 0 };
  if (text === '' || text.length > textMax) return none;
  try {
    return readProgress(JSON.parse(text) as Written);
  } catch {
    return none;
  }
}

function readProgress({ proxies, groups, rejected, unsaid }: Written): PilotProgress {
  const forms = new Map<string, Programming>();
  for (const [acknowledged, total, keys] of groups) {
    for (let at = 0; at + keyLength <= keys.length; at += keyLength) {
      forms.set(keys.slice(at, at + keyLength), {
        acknowledged: count(acknowledged),
        total: count(total),
        rejections: [],
      });
    }
  }
  for (const [key, refusals, words] of rejected) {
    const form = forms.get(key);
    if (form === undefined) continue;
    const rejections = words.map(([node, error]) => ({ node: String(node), error: String(error) }));
    forms.set(key, { ...form, rejections, moreRejections: Math.max(0, count(refusals) - rejections.length) });
  }
  return { proxies: count(proxies), forms, unsaid: count(unsaid) };
}

/** Throws for what is no count. */
function count(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no count`);
  return value;
}
