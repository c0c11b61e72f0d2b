/**
 * The sources of rules, attached to the rule set: what each holds goes in under its name; whether all have been read at least once is part of
 * the pilot's readiness (routing without the rules would be worse than waiting for them).
 *
 * A source that is out of reach at the start is represented by what was saved of it; what of that is really gone is removed when it answers.
 */

import { errorMessage, type Finding, formatFinding } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { RawObject } from '../../model/object.ts';
import type { RuleSink, RuleSource } from '../../registry/rule-sink.ts';
import type { ObjectForms, ObjectTarget } from './object-router.ts';
import type { RememberedObject, RuleMemory } from './rule-memory.ts';

interface Input {
  readonly name: string;
  readonly state: InputState;
  /** undefined: what was saved of it is in force, and nothing reads it. */
  readonly source: RuleSource | undefined;
}

interface InputState {
  synced: boolean;
  /** It counts whether it has been read, and what is wrong with it is said. */
  isAwaited: () => boolean;
  findings: readonly Finding[];
  /** Its rules as they were saved before the start are in force. */
  recalled: boolean;
  /** Objects in force, by id. */
  readonly held: Set<string>;
  /** Of these, those of before the start that the source has not confirmed yet. */
  readonly unconfirmed: Set<string>;
  /** What is listened to; what others say that were before it is not heard. */
  sink: RuleSink | undefined;
}

/** How long answers wait for a source that has not been read, ms. */
export interface RuleWaits {
  /** Its rules as they were saved are in force. */
  readonly recalledMs: number;
  /** It says that it cannot be reached. */
  readonly unreachableMs: number;
  readonly silentMs: number;
}

export interface RuleInputReport {
  readonly name: string;
  readonly synced: boolean;
  readonly findings: readonly Finding[];
}

/** An object as a source put it just now, which has been taken. */
export interface SeenObject {
  readonly source: string;
  /** `Kind/namespace/name` */
  readonly id: string;
  readonly raw: RawObject;
  readonly generation: number;
  /** This form of it is valid. */
  readonly valid: boolean;
}

export class RuleInputs {
  readonly #rules: ObjectTarget;
  readonly #logger: Logger;
  readonly #memory: RuleMemory | undefined;
  readonly #inputs = new Map<string, Input>();
  readonly #watchers: ((seen: SeenObject) => void)[] = [];
  readonly #progressWatchers: (() => void)[] = [];
  /** Sources that were detached, and are about to end. */
  readonly #ending = new Set<Promise<void>>();

  constructor(rules: ObjectTarget, logger: Logger, memory: RuleMemory | undefined) {
    this.#rules = rules;
    this.#logger = logger;
    this.#memory = memory;
  }

  get synced(): boolean {
    return this.#inputs.values().every(({ state }) => state.synced || !state.isAwaited());
  }

  /** Of each of these sources either all or what was saved of it has been put. */
  isKnown(isMeant: (name: string) => boolean): boolean {
    return this.#inputs.values().every(({ name, state }) => !isMeant(name) || state.synced || state.recalled);
  }

  /** Called when a source was attached, and when it has been read whole. */
  onProgress(watcher: () => void): void {
    this.#progressWatchers.push(watcher);
  }

  /** Whether the pilot may answer `waitedMs` after its start: every source has been read, or is not worth waiting for any longer. */
  settled(waitedMs: number, waits: RuleWaits): boolean {
    return this.#inputs.values().every(({ state }) => {
      if (state.synced || !state.isAwaited()) return true;
      const wait = state.recalled ? waits.recalledMs : state.findings.length > 0 ? waits.unreachableMs : waits.silentMs;
      return waitedMs >= wait;
    });
  }

  /** An object of any source, by `<source>#<id>`. */
  record(key: string): ObjectForms | undefined {
    return this.#rules.record(key);
  }

  /** Told of every form that a source puts from now on; not of what was saved of it. */
  onSeen(watcher: (seen: SeenObject) => void): void {
    this.#watchers.push(watcher);
  }

  reports(): readonly RuleInputReport[] {
    return [...this.#inputs.values()].map(({ name, state: { synced, isAwaited, findings } }) => ({
      name,
      synced: synced || !isAwaited(),
      findings,
    }));
  }

  /** What is wrong with a source itself; nothing is, where there is none. */
  findingsOf(name: string): readonly Finding[] {
    return this.#inputs.get(name)?.state.findings ?? [];
  }

  /**
   * Attaches a source under a name of its own. One that was attached under it before is ended; what it held is to be confirmed. `isAwaited`:
   * nobody waits for a source while it is not, or is told what is wrong with it; default: it always is.
   */
  attach<S extends RuleSource>(name: string, start: (sink: RuleSink) => S, isAwaited = always): S {
    const before = this.#inputs.get(name);
    const state = before?.state ?? newState(isAwaited);
    state.isAwaited = isAwaited;
    if (!isAwaited()) state.findings = [];
    if (before === undefined) this.#recall(name, state);
    else if (before.source !== undefined) {
      this.#end(before.source);
      state.synced = false;
      for (const id of state.held) state.unconfirmed.add(id);
    }
    const sink = this.#sink(name, state);
    state.sink = sink;
    const source = start(sink);
    this.#inputs.set(name, { name, state, source });
    for (const watcher of this.#progressWatchers) watcher();
    return source;
  }

  /** Puts what was saved of a source that nobody can read now; false: there is nothing. `attach` may come later. */
  recall(name: string, isAwaited = always): boolean {
    const state = newState(isAwaited);
    this.#recall(name, state);
    if (state.recalled) this.#inputs.set(name, { name, state, source: undefined });
    return state.recalled;
  }

  /** The source is gone for good: what it held is removed, and forgotten. */
  detach(name: string): void {
    const input = this.#inputs.get(name);
    if (input === undefined) return;
    this.#inputs.delete(name);
    const { state, source } = input;
    state.sink = undefined;
    if (source !== undefined) this.#end(source);
    const target = this.#rules.source(name);
    for (const id of state.held) target.remove(id);
    this.#memory?.forget(name);
    this.#logger.info('a source of rules is no longer read', { source: name, objects: state.held.size });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#inputs.values()].map(({ source }) => source?.stop()));
    await Promise.all(this.#ending);
    await this.#memory?.close();
  }

  #end(source: RuleSource): void {
    const ended = source.stop().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #sink(name: string, state: InputState): RuleSink {
    const target = this.#rules.source(name);
    const save = (): void => {
      if (state.synced)
        this.#memory?.save(name, () => [...state.held].flatMap((id) => this.#forms(`${name}#${id}`, id)));
    };
    const isHeard = (): boolean => state.sink === sink;
    const sink: RuleSink = {
      put: (raw, id) => {
        if (!isHeard()) return;
        state.unconfirmed.delete(id);
        state.held.add(id);
        target.put(raw, id);
        this.#tell(name, raw, id);
        save();
      },
      remove: (id) => {
        if (!isHeard()) return;
        state.unconfirmed.delete(id);
        state.held.delete(id);
        target.remove(id);
        save();
      },
      problem: (findings) => {
        if (!isHeard() || !state.isAwaited()) return;
        const said = new Set(state.findings.map(formatFinding));
        state.findings = findings;
        for (const finding of findings) {
          const text = formatFinding(finding);
          if (!said.has(text)) this.#logger.warn(text, { code: finding.code, source: name });
        }
      },
      synced: (unread = noKinds) => {
        if (!isHeard()) return;
        for (const id of state.unconfirmed) {
          if (unread.has(id.slice(0, id.indexOf('/')))) continue;
          state.unconfirmed.delete(id);
          state.held.delete(id);
          target.remove(id);
        }
        state.synced = true;
        save();
        for (const watcher of this.#progressWatchers) watcher();
      },
    };
    return sink;
  }

  #tell(source: string, raw: RawObject, id: string): void {
    const record = this.#rules.record(`${source}#${id}`);
    if (record === undefined || record.raw !== raw) return;
    const valid = record.lastGoodRaw === raw;
    for (const watcher of this.#watchers) watcher({ source, id, raw, generation: record.generation, valid });
  }

  /** What has to be put again after a restart: the last good form, and the latest one if that is another. */
  #forms(key: string, id: string): RememberedObject[] {
    const record = this.#rules.record(key);
    const forms = new Set([record?.lastGoodRaw?.object, record?.raw.object]);
    return [...forms].filter((object) => object !== undefined).map((object) => ({ id, object }));
  }

  /** Puts what was saved of a source, to be confirmed by it. */
  #recall(name: string, state: InputState): void {
    const { held, unconfirmed } = state;
    const saved = this.#memory?.load(name);
    if (saved === undefined) return;
    state.recalled = true;
    const target = this.#rules.source(name);
    for (const { id, object } of saved.objects) {
      held.add(id);
      unconfirmed.add(id);
      try {
        target.put(savedObject(object, id, name), id);
      } catch (error) {
        this.#logger.error('a saved rule cannot be used', {
          code: 'FW-PILOT-001',
          source: name,
          id,
          err: errorMessage(error),
          hint: 'Nothing needs to be done: the object is in force again once its source has been read.',
        });
      }
    }
    this.#logger.info('rules as they were saved are in force until their source answers', {
      source: name,
      objects: saved.objects.length,
      saved_at: saved.savedAt,
    });
  }
}

const noKinds: ReadonlySet<string> = new Set();

const always = (): boolean => true;

function newState(isAwaited: () => boolean): InputState {
  return {
    synced: false,
    isAwaited,
    findings: [],
    recalled: false,
    held: new Set(),
    unconfirmed: new Set(),
    sink: undefined,
  };
}

function savedObject(object: unknown, id: string, source: string): RawObject {
  return { object, origin: source, where: () => ({ object: id }) };
}
