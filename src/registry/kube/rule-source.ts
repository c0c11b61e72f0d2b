/**
 * Rules (and other kinds that people apply) from one Kubernetes API: objects of all namespaces go to a sink as they are written.
 *
 * What always holds: an object is put again only when something other than its status or bookkeeping changed; nothing is removed because
 * the API cannot be read. A kind whose CRD is not installed has no objects: that is said once, and looked at again from time to time.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import type { Finding, Where } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { RawObject } from '../../model/object.ts';
import { type RuleSink, type RuleSource, ruleObjectId } from '../rule-sink.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import type { ApiError } from './api-error.ts';
import { defaultWatchSettings, ListerWatcher, type WatchSettings } from './lister-watcher.ts';
import { RequestBudget } from './request-budget.ts';

export interface RuleKind {
  readonly kind: string;
  /** `fairway.dev/v1alpha1` */
  readonly apiVersion: string;
  readonly plural: string;
  /** Default true. */
  readonly namespaced?: boolean;
}

export const trafficRuleKind: RuleKind = {
  kind: 'TrafficRule',
  apiVersion: 'fairway.dev/v1alpha1',
  plural: 'trafficrules',
};

export interface KubeRuleSourceOptions {
  readonly access: Access;
  /** The cluster's name, for `where` and `origin`. */
  readonly cluster: string;
  readonly sink: RuleSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: TrafficRule. */
  readonly kinds?: readonly RuleKind[];
  readonly watch?: WatchSettings;
}

/** An absent CRD is looked for this often. */
export const defaultRuleWatchSettings: WatchSettings = { ...defaultWatchSettings, refusedRetryMs: 10_000 };

type Fields = Readonly<Record<string, unknown>>;

export interface RuleView {
  readonly uid: string;
  readonly resourceVersion: string;
  /** undefined without one. */
  readonly status: unknown;
  /** Who wrote what is not status last, as far as the API knows. */
  readonly writer: LastWriter | undefined;
}

export interface LastWriter {
  /** A field manager: `kubectl-client-side-apply`, `fairway-cli`. */
  readonly manager: string;
  /** RFC 3339. */
  readonly at: string;
}

interface HeldRule {
  readonly id: string;
  /** Without managedFields. */
  readonly object: Fields;
  readonly writer: LastWriter | undefined;
  /** What decides whether it is put again. */
  readonly essence: unknown;
}

export class KubeRuleSource implements RuleSource {
  readonly #options: KubeRuleSourceOptions;
  readonly #api: ApiClient;
  readonly #held = new Map<string, HeldRule>();
  readonly #watchers: readonly ListerWatcher<HeldRule>[];
  #synced = false;
  #stopped = false;
  #findings = '[]';

  constructor(options: KubeRuleSourceOptions) {
    this.#options = options;
    this.#api = new ApiClient(options.access, options.clock);
    const budget = new RequestBudget(options.clock);
    this.#watchers = (options.kinds ?? [trafficRuleKind]).map((kind) => this.#watch(kind, budget));
  }

  /** Every kind has been read at least once, or is not installed. */
  get isSynced(): boolean {
    return this.#synced;
  }

  /** What the API holds of an object now, as far as is known. */
  view(id: string): RuleView | undefined {
    const held = this.#held.get(id);
    if (held === undefined) return undefined;
    const { object, writer } = held;
    const metadata = fields(object['metadata']);
    const [uid, resourceVersion] = [text(metadata['uid']), text(metadata['resourceVersion'])];
    return { uid, resourceVersion, status: object['status'], writer };
  }

  /** The API's credential (or address) is another from now on. What is held stays; what waits tries at once. */
  rotate(access: Access): void {
    this.#api.rotate(access);
    for (const watcher of this.#watchers) watcher.kick(this.#options.clock.monotonic());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#api.close();
    await Promise.all(this.#watchers.map((watcher) => watcher.stop()));
  }

  #watch(kind: RuleKind, budget: RequestBudget): ListerWatcher<HeldRule> {
    const { clock, watch } = this.#options;
    const ids = new Set<string>();
    const put = (id: string, rule: HeldRule): void => {
      ids.add(id);
      this.#put(rule);
    };
    const remove = (id: string): void => {
      if (!ids.delete(id) || this.#stopped) return;
      this.#held.delete(id);
      this.#options.sink.remove(id);
    };
    const [group = ''] = kind.apiVersion.split('/');
    return new ListerWatcher<HeldRule>({
      api: this.#api,
      resource: { name: kind.plural, group, path: `/apis/${kind.apiVersion}/${kind.plural}` },
      target: {
        read(raw) {
          const value = readRule(raw, kind);
          return { key: value.id, value };
        },
        size: () => ids.size,
        has: (id) => ids.has(id),
        replace(items) {
          for (const id of [...ids]) if (!items.has(id)) remove(id);
          for (const [id, rule] of items) put(id, rule);
        },
        put,
        remove,
      },
      settings: watch ?? defaultRuleWatchSettings,
      clock,
      budget,
      empty: 'possible',
      verify: () => Promise.resolve(),
      heard: () => undefined,
      changed: () => this.#checkHealth(),
      updated: () => undefined,
    });
  }

  #put(rule: HeldRule): void {
    if (this.#stopped) return;
    const before = this.#held.get(rule.id);
    this.#held.set(rule.id, rule);
    if (before !== undefined && isDeepStrictEqual(before.essence, rule.essence)) return;
    this.#options.sink.put(this.#rawObject(rule), rule.id);
  }

  #rawObject({ object, id }: HeldRule): RawObject {
    const { cluster } = this.#options;
    const [kind = '', namespace = '', name = ''] = id.split('/');
    return {
      object,
      origin: `cluster ${cluster}`,
      where: (path): Where => ({
        cluster,
        object: namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`,
        ...(path.length === 0 ? {} : { field: formatPath(path) }),
      }),
    };
  }

  #checkHealth(): void {
    if (this.#stopped) return;
    const findings: Finding[] = [];
    let ready = true;
    for (const { resource, health } of this.#watchers) {
      const { error, listed, suspicion, truncated } = health;
      const absent = error?.kind === 'not-found' && !listed;
      if (!listed && !absent) ready = false;
      const name = `${resource.name}.${resource.group}`;
      if (error !== undefined && error.kind !== 'expired') findings.push(this.#finding(error, name, absent));
      if (suspicion !== undefined && suspicion.held > 0) {
        findings.push({
          code: 'FW-KUBE-008',
          severity: 'warning',
          message: `the API lists no ${name}; before, there were ${suspicion.held}. That is not believed yet, and nothing is removed`,
          where: { cluster: this.#options.cluster },
          hint: 'If all were really deleted, this passes by itself.',
        });
      }
      if (truncated) {
        findings.push({
          code: 'FW-KUBE-011',
          severity: 'error',
          message: `there are too many ${name}; those over the limit are left out`,
          where: { cluster: this.#options.cluster },
          hint: 'Delete what is not needed.',
        });
      }
    }
    const text = JSON.stringify(findings);
    if (text !== this.#findings) {
      this.#findings = text;
      this.#options.sink.problem(findings);
    }
    if (ready && !this.#synced) {
      this.#synced = true;
      this.#options.sink.synced();
    }
  }

  #finding(error: ApiError, resource: string, absent: boolean): Finding {
    const { cluster } = this.#options;
    if (absent) {
      return {
        code: 'FW-KUBE-014',
        severity: 'warning',
        message: `${resource} is not installed there, so there are no such objects`,
        where: { cluster },
        hint: 'Install the CRDs (kubectl apply -f deploy/crds); they are found without a restart.',
      };
    }
    const hint =
      error.kind === 'forbidden'
        ? `Give the pilot a ClusterRole with get, list and watch on ${resource}.`
        : 'Check that the API is up and that the pilot’s credential is good; it is tried again all the time.';
    return {
      code: 'FW-KUBE-018',
      severity: 'error',
      message: `${resource} cannot be read: ${error.message}; what was read before stays in force`,
      where: { cluster },
      hint,
    };
  }
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** List items do not say their kind. */
function readRule(raw: unknown, { kind, apiVersion }: RuleKind): HeldRule {
  const { managedFields, ...metadata } = fields(fields(raw)['metadata']);
  const object: Fields = { ...fields(raw), kind, apiVersion, metadata };
  const { status: __, ...rest } = object;
  const { resourceVersion: ___, ...meta } = metadata;
  return {
    id: ruleObjectId(kind, text(metadata['namespace']), text(metadata['name'])),
    object,
    writer: lastWriter(managedFields),
    essence: { ...rest, metadata: meta },
  };
}

/** The youngest entry that is about something else than a subresource. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export function lastWriter(managedFields: unknown): LastWriter | undefined {
  let last: LastWriter | undefined;
  for (const entry of Array.isArray(managedFields) ? managedFields : []) {
    const { manager, time, subresource } = fields(entry);
    if (typeof manager !== 'string' || typeof time !== 'string' || (subresource ?? '') !== '') continue;
    if (!Object.hasOwn(fields(fields(entry)['fieldsV1']), 'f:spec')) continue;
    if (last === undefined || time >= last.at) last = { manager, at: time };
  }
  return last;
}

function formatPath(path: readonly (string | number)[]): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else out += out === '' ? part : `.${part}`;
  }
  return out;
}
