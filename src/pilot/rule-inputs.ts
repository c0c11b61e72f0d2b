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
import type { RuleSet } from '../rules/rule-set.ts';
import type { RuleMemory } from './rule-memory.ts';

interface Input {
  readonly name: string;
  readonly source: RuleSource;
  readonly state: InputState;
}

interface InputState {
  synced: boolean;
  findings: readonly Finding[];
}

export interface RuleInputReport {
  readonly name: string;
  readonly synced: boolean;
  readonly findings: readonly Finding[];
}

export class RuleInputs {
  readonly #rules: RuleSet;
  readonly #logger: Logger;
  readonly #memory: RuleMemory | undefined;
  readonly #inputs: Input[] = [];
  readonly #onSynced: () => void;

  /** `onSynced` is called each time a source has been read for the first time. */
  constructor(rules: RuleSet, logger: Logger, memory: RuleMemory | undefined, onSynced: () => void) {
    this.#rules = rules;
    this.#logger = logger;
    this.#memory = memory;
    this.#onSynced = onSynced;
  }

  get synced(): boolean {
    return this.#inputs.every(({ state }) => state.synced);
  }

  reports(): readonly RuleInputReport[] {
    return this.#inputs.map(({ name, state }) => ({ name, ...state }));
  }

  attach(name: string, start: (sink: RuleSink) => RuleSource): void {
    const state: InputState = { synced: false, findings: [] };
    this.#inputs.push({ name, state, source: start(this.#sink(name, state)) });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#inputs.map(({ source }) => source.stop()));
    await this.#memory?.close();
  }

  #sink(name: string, state: InputState): RuleSink {
    const target = this.#rules.source(name);
    const held = new Map<string, unknown>();
    const remembered = this.#recall(name, held);
    const save = (): void => {
      if (state.synced) this.#memory?.save(name, () => [...held].map(([id, object]) => ({ id, object })));
    };
    return {
      put: (raw, id) => {
        remembered.delete(id);
        held.set(id, raw.object);
        target.put(raw, id);
        save();
      },
      remove: (id) => {
        remembered.delete(id);
        held.delete(id);
        target.remove(id);
        save();
      },
      problem: (findings) => {
        state.findings = findings;
        for (const finding of findings) this.#logger.warn(formatFinding(finding), { code: finding.code, source: name });
      },
      synced: () => {
        for (const id of remembered) {
          held.delete(id);
          target.remove(id);
        }
        remembered.clear();
        state.synced = true;
        save();
        this.#onSynced();
      },
    };
  }

  /** Puts what was saved of a source; returns the ids that the source has not confirmed yet. */
  #recall(name: string, held: Map<string, unknown>): Set<string> {
    const saved = this.#memory?.load(name);
    if (saved === undefined) return new Set();
    const target = this.#rules.source(name);
    for (const { id, object } of saved.objects) {
      held.set(id, object);
      try {
        target.put(savedObject(object, id, name), id);
      } catch (error) {
        this.#logger.error('a saved rule cannot be used', { code: 'FW-PILOT-001', source: name, id, err: errorMessage(error) });
      }
    }
    this.#logger.info('rules as they were saved are in force until their source answers', { source: name, objects: saved.objects.length, saved_at: saved.savedAt });
    return new Set(saved.objects.map(({ id }) => id));
  }
}

function savedObject(object: unknown, id: string, source: string): RawObject {
  return { object, origin: source, where: () => ({ object: id }) };
}
