/**
 * The rules in force for services, with what was in force before: in come rules as they come into force; out come since when a form is there,
 * and the earlier forms that a proxy goes on with which rejects the present one.
 */

import { ruleId, type TrafficRule } from '../model/rule.ts';
import type { ServiceKey } from '../model/service.ts';

interface Entry {
  readonly present: TrafficRule;
  /** Distinct earlier forms, the newest first. */
  readonly earlier: readonly TrafficRule[];
  /** The mesh revision that brought `present` into force. */
  readonly since: number;
  /** The mesh revision in which proxies last came to see more of it: `since`, or one in which its service got other ports, or came at all. */
  readonly shown: number;
}

/** How many earlier forms of a rule a proxy may fall back to. */
const earlierMax = 4;

export class RuleHistory {
  readonly #entries = new Map<ServiceKey, Entry>();
  /** The revision that brought a form into force. */
  readonly #broughtBy = new WeakMap<TrafficRule, number>();

  get size(): number {
    return this.#entries.size;
  }

  present(key: ServiceKey): TrafficRule | undefined {
    return this.#entries.get(key)?.present;
  }

  *all(): Generator<readonly [ServiceKey, TrafficRule]> {
    for (const [key, { present }] of this.#entries) yield [key, present];
  }

  /** Says whether the service's rule is another than before. */
  remember(key: ServiceKey, rule: TrafficRule | undefined, revision: number): boolean {
    const known = this.#entries.get(key);
    if (known?.present === rule) return false;
    if (rule !== undefined) {
      const isKnown = known !== undefined && isSameForm(known.present, rule);
      this.#broughtBy.set(rule, isKnown ? known.since : revision);
    }
    if (rule === undefined) this.#entries.delete(key);
    else if (known === undefined)
      this.#entries.set(key, { present: rule, earlier: [], since: revision, shown: revision });
    // The same form under a new generation or origin: proxies that hold it, hold it.
    else if (isSameForm(known.present, rule)) this.#entries.set(key, { ...known, present: rule });
    else {
      const earlier = [known.present, ...known.earlier].filter((form) => !isSameForm(form, rule)).slice(0, earlierMax);
      this.#entries.set(key, { present: rule, earlier, since: revision, shown: revision });
    }
    return true;
  }

  /** Proxies see more of the service's rule from this revision on. */
  show(key: ServiceKey, revision: number): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#entries.set(key, { ...entry, shown: revision });
  }

  /** The revision since which this form of the rule is in force for its service; undefined: it is not, or not yet. */
  since(rule: TrafficRule): number | undefined {
    const entry = this.#entries.get(rule.service);
    return entry !== undefined && isSameForm(entry.present, rule) ? entry.since : undefined;
  }

  /** The form of the service's rule that was in force at a revision, as far as it is remembered; undefined: there was none. */
  at(key: ServiceKey, revision: number): TrafficRule | undefined {
    const entry = this.#entries.get(key);
    const forms = entry === undefined ? [] : [entry.present, ...entry.earlier];
    return forms.find((form) => (this.#broughtBy.get(form) ?? Number.POSITIVE_INFINITY) <= revision);
  }

  /** Services whose rule proxies saw for the first time, or more of it, after revision `after` and up to `upTo`. */
  changes(after: number, upTo: number): ServiceKey[] {
    const isBetween = (revision: number): boolean => revision > after && revision <= upTo;
    return [...this.#entries]
      .filter(([, { since, shown }]) => isBetween(since) || isBetween(shown))
      .map(([key]) => key);
  }

  /** Every form that is in force or may be fallen back to. */
  *forms(): Generator<TrafficRule> {
    for (const { present, earlier } of this.#entries.values()) {
      yield present;
      yield* earlier;
    }
  }

  /** The newest form of the service's rule that is not set aside; undefined: there is none. */
  without(key: ServiceKey, isAside: (rule: TrafficRule) => boolean): TrafficRule | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    return isAside(entry.present) ? entry.earlier.find((rule) => !isAside(rule)) : entry.present;
  }
}

function isSameForm(a: TrafficRule, b: TrafficRule): boolean {
  return a.hash === b.hash && ruleId(a.ref) === ruleId(b.ref);
}
