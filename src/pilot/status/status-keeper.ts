/**
 * The statuses of all objects of one kind, whatever they look like: judged anew when somebody looks, and, while somebody keeps statuses elsewhere
 * (Kubernetes), soon after anything that may change them. How an object is judged is handed in.
 *
 * A change has those objects judged again that it concerns: what was touched is looked up in what each object's last judgement went by. What proxies
 * acknowledge concerns objects alone that some proxy does not hold yet.
 *
 * What always holds: an unchanged status is the same value as before, and nobody is told of it twice; an object that was made anew under its old name has
 * nothing of what was said of the former; who looks in between keeps no listener from hearing;
 * after a restart what was written last goes on, so its transition times stay true, and nothing is written that says the same.
 */

import type { Clock } from '../../core/clock.ts';
import { Debounce } from '../../core/debounce.ts';
import type { RawObject } from '../../model/object.ts';
import { uidOf } from '../../rules/objects/object-generation.ts';
import type { Programming } from '../../rules/status/programming.ts';
import { Due, JudgedRecords } from './judged-records.ts';
import { StatusGate } from './status-gate.ts';

/** What a keeper has to know of an object. */
interface Kept {
  readonly key: string;
  readonly generation: number;
  readonly raw: RawObject;
}

/** What was said, and of which object (its uid, if it has one). */
interface Said<S> {
  readonly uid: unknown;
  readonly status: S;
}

interface AnyStatus {
  readonly observedGeneration: number;
}

/** How far each form has got with the proxies here, for other replicas. */
export type Counted = Map<string, Programming>;

/** What a judgement goes by, besides the object itself: the key of a service, or any other name that whoever touches it says too. */
export type Link = string;

export interface StatusKeeperInputs<R extends Kept, J, S extends AnyStatus> {
  readonly clock: Clock;
  readonly records: () => readonly R[];
  readonly record: (key: string) => R | undefined;
  /** What the object carries already, as far as it could have been written here. */
  readonly written: (record: R) => S | undefined;
  /** What is to be said of it; `counted` takes how far it has got with the proxies here. */
  readonly judge: (record: R, counted: Counted | undefined) => J;
  /** The very `previous` if that says the same. */
  readonly make: (record: R, judged: J, nowMs: number, previous: S | undefined) => S;
  /** What the last judgement of the record went by. Left out: nobody knows, and whatever is touched concerns it. */
  readonly links?: (record: R) => Iterable<Link>;
  /** All proxies that are to hold it do: what they acknowledge changes nothing. Left out: it always may. */
  readonly isSettled?: (judged: J) => boolean;
  /** Called before objects are judged, and with what was counted of all after, if that is another than before. */
  readonly begin?: () => void;
  readonly end?: (counted: ReadonlyMap<string, Programming>) => void;
}

/**
 * Told of each status at first, and then whenever it is another than `before`; that is what was told last, or what the object carried at the start
 * (then the very same, if it still holds: whoever writes it knows what to put right, and nobody has news).
 */
export type KeptListener<R, S> = (record: R, status: S, before: S | undefined) => void;

/** Acknowledgements come in crowds: a status is judged once for many of them. */
const judgeWindow = { minWindowMs: 100, maxWindowMs: 1000, costFactor: 10 };

export class StatusKeeper<R extends Kept, J, S extends AnyStatus> {
  readonly gate: StatusGate;
  readonly #inputs: StatusKeeperInputs<R, J, S>;
  readonly #debounce: Debounce;
  /** By record: judged last, and told last. */
  readonly #known = new Map<string, Said<S>>();
  readonly #told = new Map<string, Said<S>>();
  readonly #listeners: KeptListener<R, S>[] = [];
  readonly #judged = new JudgedRecords();
  #due = new Due();
  #stopped = false;

  constructor(inputs: StatusKeeperInputs<R, J, S>) {
    this.#inputs = inputs;
    this.#debounce = new Debounce(inputs.clock, judgeWindow, () => this.#tell());
    this.gate = new StatusGate(inputs.clock, () => this.touch());
  }

  /** From now on statuses are judged after every change, and `listener` is told, from the first judgement on if it listens before that. */
  listen(listener: KeptListener<R, S>): void {
    this.#listeners.push(listener);
    this.touch();
  }

  /** Something that statuses depend on may be another now: all of them. */
  touch(): void {
    this.#due.all = true;
    this.#trigger();
  }

  /** These objects came, changed or went. Where nobody knows what judgements go by, that concerns all. */
  touchRecords(keys: Iterable<string>): void {
    if (this.#inputs.links === undefined) return this.touch();
    for (const key of keys) this.#due.records.add(key);
    if (this.#due.records.size > 0) this.#trigger();
  }

  /** What has one of these names may be another. */
  touchLinks(links: Iterable<Link>): void {
    if (this.#inputs.links === undefined) return this.touch();
    let isAny = false;
    for (const link of links) isAny = this.#judged.find(link, this.#due.records) || isAny;
    if (isAny) this.#trigger();
  }

  /** Proxies have acknowledged something. */
  touchProgress(): void {
    if (this.#judged.findUnsettled(this.#due.records)) this.#trigger();
  }

  #trigger(): void {
    if (this.#listeners.length > 0 && !this.#stopped) this.#debounce.trigger();
  }

  /** Nobody is told from here on: proxies that leave a pilot which ends do not stop holding what they hold. */
  stop(): void {
    this.#stopped = true;
    this.gate.stop();
    this.#debounce.stop();
  }

  /** For whoever looks now. */
  statusOf(record: R, judged: J): S {
    const { clock, make, written } = this.#inputs;
    const status = make(record, judged, clock.now(), saidOf(this.#known, record) ?? written(record));
    this.#known.set(record.key, { uid: uidOf(record.raw), status });
    return status;
  }

  forgetGone(): void {
    for (const statuses of [this.#known, this.#told]) {
      for (const key of statuses.keys()) if (this.#inputs.record(key) === undefined) statuses.delete(key);
    }
  }

  #tell(): void {
    if (this.gate.isHeld) return;
    const { records, record, begin, end } = this.#inputs;
    const due = this.#due;
    this.#due = new Due();
    begin?.();
    if (due.all) this.#judged.clear();
    else for (const key of due.records) this.#judged.forget(key);
    if (due.all) {
      for (const each of records()) this.#tellOf(each);
      this.forgetGone();
    } else {
      for (const key of due.records) {
        const each = record(key);
        if (each !== undefined) this.#tellOf(each);
        else for (const statuses of [this.#known, this.#told]) statuses.delete(key);
      }
    }
    const counted = this.#judged.takeCounted(due.all);
    if (counted !== undefined) end?.(counted);
  }

  #tellOf(record: R): void {
    const { written, judge, links, isSettled } = this.#inputs;
    const told = saidOf(this.#told, record);
    const before = told ?? written(record);
    // Others are to know of it even where nothing is told of it yet.
    const counted: Counted = new Map();
    const judged = judge(record, counted);
    if (told !== undefined || !this.gate.keeps(record.generation, before)) {
      const status = this.statusOf(record, judged);
      this.#told.set(record.key, { uid: uidOf(record.raw), status });
      if (status !== before || told === undefined)
        for (const listener of this.#listeners) listener(record, status, before);
    }
    // What a status is made of may be looked up as late as here.
    this.#judged.set(record.key, counted, links?.(record) ?? [], isSettled?.(judged) ?? false);
  }
}

function saidOf<S>(statuses: ReadonlyMap<string, Said<S>>, { key, raw }: Kept): S | undefined {
  const said = statuses.get(key);
  return said?.uid === uidOf(raw) ? said?.status : undefined;
}
