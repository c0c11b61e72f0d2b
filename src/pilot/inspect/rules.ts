/** Which proxies hold a rule, which do not yet and since when, and who rejected it with which words: for `fairway inspect rule`. */

import type { RuleHoldings } from '../../api/inspection-source.ts';
import { typeUrl } from '../../core/type-urls.ts';
import type { HoldingState, RuleHolding } from '../../model/inspection.ts';
import type { TrafficRule } from '../../model/rule.ts';
import { isInForce } from '../../rules/traffic-rule/conditions.ts';
import type { RuleRecord } from '../../rules/traffic-rule/rule-record.ts';
import type { Proxy } from '../proxies/proxies.ts';
import { ruleForm } from '../proxies/proxies.ts';
import { type InspectInputs, isoTime } from './inputs.ts';

/** The types through which a rule takes effect. */
const ruleTypes: readonly string[] = [
  typeUrl.cluster,
  typeUrl.endpoint,
  typeUrl.listener,
  typeUrl.route,
  typeUrl.virtualHost,
];

/** `holder`: of this cluster's own rules; left out: the primary's, or else a cluster's own. */
export function ruleHoldings(
  inputs: InspectInputs,
  namespace: string,
  name: string,
  holder?: string,
): RuleHoldings | undefined {
  const isMeant = (one: RuleRecord): boolean => one.namespace === namespace && one.name === name;
  const ofPrimary = holder === undefined ? inputs.rules.records().filter(isMeant) : [];
  const ofMembers = (inputs.members?.records() ?? []).filter(
    (one) => isMeant(one) && (holder === undefined || one.holder === holder),
  );
  const records = ofPrimary.length > 0 ? ofPrimary : ofMembers;
  const record = records.find(isInForce) ?? records[0];
  const status = record?.holder === undefined ? inputs.ruleStatus : inputs.members?.status;
  const [rule] = record === undefined ? [] : (status?.reports([record]) ?? []);
  if (record === undefined || rule === undefined) return undefined;
  const present = ruleInForce(record);
  const items =
    present === undefined
      ? []
      : concerned(present, record.holder, inputs).map((proxy) => holdingOf(proxy, present, inputs));
  const count = (state: HoldingState): number => items.filter((item) => item.state === state).length;
  return {
    rule,
    ...(present === undefined ? {} : { inForce: present.ref.generation }),
    counts: {
      rejected: count('rejected'),
      'in-doubt': count('in-doubt'),
      pending: count('pending'),
      holds: count('holds'),
    },
    items,
  };
}

function ruleInForce(record: RuleRecord): TrafficRule | undefined {
  return isInForce(record) ? record.lastGood : undefined;
}

/** All proxies, or those of the cluster that holds it; but for those of clusters in which another rule is in force for the service. */
function concerned(rule: TrafficRule, holder: string | undefined, { engine }: InspectInputs): readonly Proxy[] {
  const all = [...engine.proxies.all()].filter(({ identity }) => holder === undefined || identity.cluster === holder);
  const seeing = all.filter(({ identity }) => engine.reach.ruleSince(rule, identity.cluster) !== undefined);
  // It was not compiled yet: nobody can have it.
  return seeing.length === 0 ? all : seeing;
}

function holdingOf(proxy: Proxy, rule: TrafficRule, inputs: InspectInputs): RuleHolding {
  const { identity } = proxy;
  const { nodeId, workload, namespace, cluster } = identity;
  return { nodeId, workload, namespace, cluster, ...stateOf(proxy, rule, inputs) };
}

type Standing = Pick<RuleHolding, 'state' | 'since' | 'error' | 'has'>;

function stateOf({ identity, quarantine, streams }: Proxy, rule: TrafficRule, inputs: InspectInputs): Standing {
  const { engine, streamStatus } = inputs;
  const form = ruleForm(rule);
  const words = quarantine.rejected.get(form);
  if (words !== undefined || quarantine.isInDoubt(form)) {
    const aside = new Set(quarantine.aside());
    const earlier = engine.reach.ruleWithout(rule.service, (one) => aside.has(ruleForm(one)), identity.cluster);
    const sinceMs = quarantine.sinceMs(form);
    return {
      state: words === undefined ? 'in-doubt' : 'rejected',
      ...(sinceMs === undefined ? {} : { since: isoTime(sinceMs) }),
      error: words ?? '',
      ...has(earlier, rule),
    };
  }
  const statuses = [...streams].flatMap((id) =>
    [...streamStatus(id)].filter(([type]) => ruleTypes.includes(type)).map(([, status]) => status),
  );
  const since = engine.reach.ruleSince(rule, identity.cluster);
  const behind = statuses.filter(({ ackedRevision }) => since === undefined || ackedRevision < since);
  if (statuses.length > 0 && behind.length === 0) return { state: 'holds', error: '', ...has(rule, rule) };
  const waiting = behind.filter(({ state }) => state === 'pending').map(({ sinceMs }) => sinceMs);
  // It acts by the oldest of what it holds.
  const floor = Math.min(...statuses.map(({ ackedRevision }) => ackedRevision));
  const held = engine.reach.ruleAt(rule.service, floor, identity.cluster);
  return {
    state: 'pending',
    ...(waiting.length === 0 ? {} : { since: isoTime(Math.min(...waiting)) }),
    error: behind.find(({ error }) => error !== '')?.error ?? '',
    ...(statuses.length === 0 ? {} : has(held, rule)),
  };
}

function has(form: TrafficRule | undefined, present: TrafficRule): Pick<Standing, 'has'> {
  if (form === undefined) return {};
  return { has: { generation: form.ref.generation, isPresent: form.hash === present.hash } };
}
