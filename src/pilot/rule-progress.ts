/**
 * How far a rule has got: how many of the connected proxies hold it, and who refused it with which words.
 */

import { typeUrl } from '../core/type-urls.ts';
import type { Scope } from '../model/mesh.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { StreamTypeStatus } from '../xds/view.ts';
import { type Proxy, ruleForm } from './proxies.ts';

export interface RuleProgress {
  readonly acknowledged: number;
  readonly total: number;
  /** By node id, sorted. */
  readonly rejections: readonly { readonly node: string; readonly error: string }[];
}

type StreamStatus = (streamId: number) => ReadonlyMap<string, StreamTypeStatus>;

/** The types through which a rule takes effect. */
const ruleTypes = [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener, typeUrl.route, typeUrl.virtualHost];

/** `since`: the mesh revision that brought this form into force; undefined: it is not compiled yet, and nobody can hold it. */
export function ruleProgress(
  rule: TrafficRule,
  since: number | undefined,
  proxies: Iterable<Proxy>,
  status: StreamStatus,
): RuleProgress {
  const form = ruleForm(rule);
  const rejections: { node: string; error: string }[] = [];
  let acknowledged = 0;
  let total = 0;
  for (const proxy of proxies) {
    total += 1;
    const { quarantine } = proxy;
    const words = quarantine.rejected.get(form);
    if (words !== undefined) rejections.push({ node: proxy.identity.nodeId, error: words });
    else if (since !== undefined && !quarantine.isInDoubt(form) && holds(proxy, since, status)) acknowledged += 1;
  }
  return { acknowledged, total, rejections: rejections.sort((a, b) => (a.node < b.node ? -1 : 1)) };
}

/** The same for what is no rule: `isFor` says which proxies are to hold it. Nobody is known to have refused it. */
export function progressSince(
  since: number | undefined,
  proxies: Iterable<Proxy>,
  isFor: (scope: Scope) => boolean,
  status: StreamStatus,
): RuleProgress {
  let acknowledged = 0;
  let total = 0;
  for (const proxy of proxies) {
    if (!isFor(proxy.view.scope)) continue;
    total += 1;
    if (since !== undefined && holds(proxy, since, status)) acknowledged += 1;
  }
  return { acknowledged, total, rejections: [] };
}

function holds(proxy: Proxy, since: number, status: StreamStatus): boolean {
  let subscribed = false;
  for (const streamId of proxy.streams) {
    const types = status(streamId);
    for (const type of ruleTypes) {
      const one = types.get(type);
      if (one === undefined) continue;
      subscribed = true;
      if (one.ackedRevision < since) return false;
    }
  }
  return subscribed;
}
