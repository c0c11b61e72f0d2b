/**
 * The sources of rules, attached to the rule set: what each holds goes in under its name; whether all have been read at least once is part of
 * the pilot's readiness (routing without the rules would be worse than waiting for them).
 *
 * A source that is out of reach at the start is represented by what was saved of it; what of that is really gone is removed when it answers.
 */

import { errorMessage, type Finding, formatFinding } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { RawObject } from '../model/object.ts';
import type { RuleSink, RuleSource } from '../registry/rule-sink.ts';
import type { ObjectForms, ObjectTarget } from './object-router.ts';
import type { RememberedObject, RuleMemory } from './rule-memory.ts';

interface Input {
  readonly name: string;
  readonly state: InputState;
  readonly source: RuleSource;
}

interface InputState {
  synced: boolean;
  findings: readonly Finding[];
  /** Its rules as they were saved before the start are in force. */
  recalled: boolean;
  /** Objects in force, by id. */
  readonly held: Set<string>;
  /** Of these, those of before the start that the source has not confirmed yet. */
  readonly unconfirmed: Set<string>;
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

export class RuleInputs {
  readonly #rules: ObjectTarget;
  readonly #logger: Logger;
  readonly #memory: RuleMemory | undefined;
  readonly #inputs: Input[] = [];

  constructor(rules: ObjectTarget, logger: Logger, memory: RuleMemory | undefined) {
    this.#rules = rules;
    this.#logger = logger;
    this.#memory = memory;
  }

  get synced(): boolean {
    return this.#inputs.every(({ state }) => state.synced);
  }

  /** Whether the pilot may answer `waitedMs` after its start: every source has been read, or is not worth waiting for any longer. */
  settled(waitedMs: number, waits: RuleWaits): boolean {
    return this.#inputs.every(({ state }) => {
      if (state.synced) return true;
      const wait = state.recalled ? waits.recalledMs : state.findings.length > 0 ? waits.unreachableMs : waits.silentMs;
      return waitedMs >= wait;
    });
  }

  /** An object of any source, by `<source>#<id>`. */
  record(key: string): ObjectForms | undefined {
    return this.#rules.record(key);
  }

  reports(): readonly RuleInputReport[] {
    return this.#inputs.map(({ name, state: { synced, findings } }) => ({ name, synced, findings }));
  }

  /** Attaches a source under a name of its own. */
  attach<S extends RuleSource>(name: string, start: (sink: RuleSink) => S): S {
    const state: InputState = { synced: false, findings: [], recalled: false, held: new Set(), unconfirmed: new Set() };
    this.#recall(name, state);
    const source = start(this.#sink(name, state));
    this.#inputs.push({ name, state, source });
    return source;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#inputs.map(({ source }) => source.stop()));
    await this.#memory?.close();
  }

  #sink(name: string, state: InputState): RuleSink {
    const target = this.#rules.source(name);
    const save = (): void => {
      if (state.synced)
        this.#memory?.save(name, () => [...state.held].flatMap((id) => this.#forms(`${name}#${id}`, id)));
    };
    return {
      put: (raw, id) => {
        state.unconfirmed.delete(id);
        state.held.add(id);
        target.put(raw, id);
        save();
      },
      remove: (id) => {
        state.unconfirmed.delete(id);
        state.held.delete(id);
        target.remove(id);
        save();
      },
      problem: (findings) => {
        state.findings = findings;
        for (const finding of findings) this.#logger.warn(formatFinding(finding), { code: finding.code, source: name });
      },
      synced: () => {
        for (const id of state.unconfirmed) {
          state.held.delete(id);
          target.remove(id);
        }
        state.unconfirmed.clear();
        state.synced = true;
        save();
      },
    };
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

function savedObject(object: unknown, id: string, source: string): RawObject {
  return { object, origin: source, where: () => ({ object: id }) };
}
