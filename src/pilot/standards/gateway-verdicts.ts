/** What is said of an object of the Gateway API: whether it is in force for each of its parents, what it refers to, who holds it. */

import type { Outcome } from '../../gateway-api/compile.ts';
import { type GatewayRoute, type Grant, routeId } from '../../gateway-api/route.ts';
import type { RouteTable } from '../../gateway-api/route-table.ts';
import { type Overruling, parentVerdicts, routeFindings } from '../../gateway-api/verdicts.ts';
import { ruleId, type TrafficRule } from '../../model/rule.ts';
import { type ServiceKey, serviceKey } from '../../model/service.ts';
import type { ObjectRecord } from '../../rules/objects/object-set.ts';
import { invalidVerdict, type Verdict } from '../../rules/status/object-status.ts';
import type { ParentVerdicts } from '../../rules/status/parent-status.ts';
import type { Programming } from '../../rules/status/programming.ts';
import type { Judgement } from '../status/object-stage.ts';

export interface RouteVerdictInputs {
  readonly table: RouteTable;
  readonly trafficRules: Pick<ReadonlyMap<ServiceKey, TrafficRule>, 'get'>;
  readonly progress: (rule: TrafficRule) => Programming;
  /** Proxies are connected that do not look into tunnels. */
  readonly hasExplicit: () => boolean;
}

export function judgeRoute(record: ObjectRecord<GatewayRoute>, inputs: RouteVerdictInputs): Judgement {
  const { lastGood, raw } = record;
  const { table, trafficRules } = inputs;
  const invalid = invalidVerdict(record);
  if (lastGood === undefined) {
    const none: Verdict = { status: 'False', reason: 'Invalid', message: 'no form of it is valid' };
    return { accepted: invalid ?? none, parents: [], findings: [] };
  }
  const id = routeId(lastGood);
  const holder = table.holder(id);
  if (holder !== undefined && holder !== record.key) return duplicate(record, holder);
  const outcomes = table.outcomes(id);
  const overruling = (outcome: Outcome): Overruling | undefined => {
    const rule = trafficRules.get(serviceOf(outcome));
    return rule === undefined || rule.policyOnly === true ? undefined : { by: `TrafficRule ${ruleId(rule.ref)}` };
  };
  if (outcomes.length === 0) {
    const message = 'no parent of it is a Service or a ServiceImport: it is not for the mesh';
    const accepted = invalid ?? { status: 'Unknown', reason: 'NotForTheMesh', message };
    return { accepted, parents: [], isForProxies: false, findings: [] };
  }
  const inForce = outcomes.filter((outcome) => outcome.ports.length > 0 && overruling(outcome) === undefined);
  const services = new Set(inForce.map(serviceOf));
  const isByName = lastGood.kind === 'TLSRoute';
  const parents = outcomes.map((outcome): ParentVerdicts => {
    const verdicts = parentVerdicts(outcome, overruling(outcome), isByName && inputs.hasExplicit());
    const programming = inForce.includes(outcome) ? programmingOf([outcome], inputs) : undefined;
    return {
      parentRef: outcome.parent.given,
      // Of an object that is not valid the standard has no reason of its own.
      verdicts:
        invalid === undefined
          ? verdicts
          : verdicts.map(([type, verdict]) => [type, type === 'Accepted' ? invalid : verdict] as const),
      ...(programming === undefined ? {} : { programming, form: services.size > 1 ? serviceOf(outcome) : '' }),
    };
  });
  const programming = programmingOf(inForce, inputs);
  return {
    accepted: invalid ?? { status: 'True', reason: 'Accepted', message: 'the route is valid' },
    parents,
    ...(programming === undefined ? {} : { programming }),
    findings: routeFindings(lastGood, outcomes, overruling, raw),
  };
}

function serviceOf({ parent }: Outcome): ServiceKey {
  return serviceKey(parent.namespace, parent.name);
}

function duplicate({ namespace, name, raw, lastGood }: ObjectRecord<GatewayRoute>, holder: string): Judgement {
  const message = `the same object from ${holder.slice(0, Math.max(0, holder.indexOf('#')))} goes before this one`;
  const object = `${lastGood?.kind} ${namespace}/${name}`;
  return {
    accepted: { status: 'False', reason: 'Conflicted', message },
    parents: [],
    findings: [
      {
        code: 'FW-RULE-041',
        severity: 'error',
        message,
        where: { ...raw.where(['metadata', 'name']), object },
        hint: 'Keep it in one place',
      },
    ],
  };
}

/** Of all services that it is in force for: a proxy counts when it holds the rules of all, as far as can be told from the least of them. */
function programmingOf(inForce: readonly Outcome[], { table, progress }: RouteVerdictInputs): Programming | undefined {
  const services = new Set(inForce.map(serviceOf));
  const all = [...services].flatMap((service) => table.rules.get(service) ?? []).map(progress);
  const [first, ...rest] = all;
  if (first === undefined) return undefined;
  return rest.reduce((sum, one) => {
    const nodes = new Set(sum.rejections.map(({ node }) => node));
    return {
      acknowledged: Math.min(sum.acknowledged, one.acknowledged),
      total: Math.max(sum.total, one.total),
      rejections: [...sum.rejections, ...one.rejections.filter(({ node }) => !nodes.has(node))],
    };
  }, first);
}

export function judgeGrant(record: ObjectRecord<Grant>): Judgement {
  const message = 'the grant is valid and counts';
  const accepted = invalidVerdict(record) ?? { status: 'True', reason: 'Accepted', message };
  return { accepted, isForProxies: false, findings: [] };
}
