/**
 * All that is wrong in the running mesh, for `fairway analyze`: clusters, services, rules and other objects, proxies. In: the pilot's stages.
 * Out: coded findings that say which object or cluster they are about, in no order, each once.
 */

import type { Finding } from '../../core/errors.ts';
import { shortTypeName, type TypeUrl } from '../../core/type-urls.ts';
import { ruleFindings } from '../../mesh/rule-findings.ts';
import { serviceFindings } from '../../mesh/service-findings.ts';
import { clustersetKey, exportedKey } from '../../model/clusterset.ts';
import { ruleId, type TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { ClusterRecord } from '../../registry/inventory-record.ts';
import { isInForce } from '../../rules/traffic-rule/conditions.ts';
import type { RuleRecord } from '../../rules/traffic-rule/rule-record.ts';
import { profileFindings } from '../profile-findings.ts';
import { ruleForm } from '../proxies/proxies.ts';
import { findingsOfExports } from './export-findings.ts';
import { type InspectInputs, isoTime } from './inputs.ts';

/** A proxy that has not answered for so long is worth a look. */
const slowMs = 30_000;

export function meshFindings(inputs: InspectInputs): readonly Finding[] {
  const { engine, ruleStatus, stages, rules, members } = inputs;
  const found: Finding[] = [
    ...clusterFindings(inputs),
    ...[...engine.catalog.values()].flatMap((service) => [
      ...serviceFindings(service),
      ...findingsOfExports(service, inputs),
    ]),
    ...ruleStatus.reports().flatMap(({ findings }) => findings),
    ...(members?.status.reports() ?? []).flatMap(({ findings }) => findings),
    ...rules.records().flatMap((record) => findingsInForce(record, inputs)),
    ...stages.flatMap((stage) => stage.reports().flatMap(({ findings }) => findings)),
    ...rejectedRules(inputs),
    ...proxyFindings(inputs),
  ];
  // Views of one cluster say the same, and so do two views of one object.
  return [...new Map(found.map((finding) => [JSON.stringify(finding), finding])).values()];
}

/** What a rule does not do although it is in force. */
export function findingsInForce(record: RuleRecord, { engine }: Pick<InspectInputs, 'engine'>): readonly Finding[] {
  const { lastGood, lastGoodRaw = record.raw } = record;
  const service = lastGood === undefined ? undefined : engine.ruled(lastGood.service);
  if (lastGood === undefined || service === undefined || !isInForce(record)) return [];
  return ruleFindings(lastGood, service, engine.mesh.settings, (path) => lastGoodRaw.where(path));
}

function clusterFindings({ inventory, members }: InspectInputs): Finding[] {
  const registered = [...inventory.clusters().values()].flatMap((record) => [
    ...phaseFindings(record),
    ...[
      ...record.findings,
      ...profileFindings(record, inventory.notes),
      ...(members?.findings(record.info.name) ?? []),
    ].map((finding) => ({
      ...finding,
      where: { cluster: record.info.name, ...finding.where },
    })),
  ]);
  const refused = inventory.refused().map(
    ({ name, problem }): Finding => ({
      code: problem.code,
      severity: 'error',
      message: `the cluster is refused: ${problem.message}`,
      where: { cluster: name },
      hint: problem.hint,
    }),
  );
  return [...registered, ...refused];
}

function phaseFindings({ info, state, lastNewsMs }: ClusterRecord): Finding[] {
  const { phase, sinceMs, problem } = state;
  const where = { cluster: info.name };
  if (phase === 'fresh' && problem === undefined) return [];
  if (problem === undefined) {
    return [
      {
        code: 'FW-PILOT-010',
        severity: 'warning',
        message: `the cluster is ${phase} since ${isoTime(sinceMs)}: it has not answered in full yet`,
        where,
        hint: 'Wait for its first full list, or look at its API',
      },
    ];
  }
  const kept = phase === 'stale' ? `; what it said at ${isoTime(lastNewsMs ?? sinceMs)} is in force` : '';
  return [
    {
      code: problem.code,
      severity: phase === 'stale' || phase === 'refused' ? 'error' : 'warning',
      message: `the cluster is ${phase} since ${isoTime(sinceMs)}: ${problem.message}${kept}`,
      where,
      hint: problem.hint,
    },
  ];
}

/** One finding per rule, however many proxies rejected it. */
function rejectedRules({ engine, rules }: InspectInputs): Finding[] {
  const byForm = new Map<string, { readonly words: string; readonly node: string; count: number }>();
  for (const { quarantine, identity } of engine.proxies.all()) {
    for (const [form, words] of quarantine.rejected) {
      const seen = byForm.get(form);
      if (seen === undefined) byForm.set(form, { words, node: identity.nodeId, count: 1 });
      else seen.count += 1;
    }
  }
  if (byForm.size === 0) return [];
  return rules.records().flatMap((record): Finding[] => {
    const rule: TrafficRule | undefined = record.lastGood;
    const rejection = rule === undefined ? undefined : byForm.get(ruleForm(rule));
    if (rule === undefined || rejection === undefined || !isInForce(record)) return [];
    const { count, node, words } = rejection;
    const id = ruleId(rule.ref);
    return [
      {
        code: 'FW-PILOT-011',
        severity: 'error',
        message: `${count === 1 ? 'one proxy' : `${count} proxies`} rejected the rule, and kept an earlier form; ${node}: ${words}`,
        where: { ...record.raw.where([]), object: `TrafficRule ${id}` },
        hint: `Correct the rule; \`fairway inspect rule ${id}\` shows who holds what`,
      },
    ];
  });
}

export function proxyFindings({
  engine,
  streamStatus,
  clock,
}: Pick<InspectInputs, 'engine' | 'streamStatus' | 'clock'>): Finding[] {
  const found = [...engine.views()].filter(({ users }) => users > 0).flatMap((view) => view.findings());
  found.push(...notThere(engine));
  const slowSince = clock.now() - slowMs;
  for (const { identity, streams } of engine.proxies.all()) {
    const where = { object: `Proxy ${identity.nodeId}` };
    for (const [typeUrl, { state, sinceMs, error }] of [...streams].flatMap((id) => [...streamStatus(id)])) {
      const type = shortTypeName[typeUrl as TypeUrl] ?? typeUrl;
      if (state === 'rejected') {
        found.push({
          code: 'FW-PILOT-012',
          severity: 'error',
          message: `the proxy rejects ${type} since ${isoTime(sinceMs)}: ${error || 'it gives no reason'}`,
          where,
          hint: 'What it held before stays in force; see the rules for the one that is set aside',
        });
      } else if (state === 'pending' && sinceMs <= slowSince) {
        found.push({
          code: 'FW-PILOT-013',
          severity: 'warning',
          message: `the proxy has not answered its newest ${type} since ${isoTime(sinceMs)}`,
          where,
          hint: 'Look at that Envoy and its network',
        });
      }
    }
  }
  return found;
}

/** What gRPC clients without a proxy ask for and nobody has. */
function notThere({ wanted, mesh }: InspectInputs['engine']): Finding[] {
  const isThere = (key: ServiceKey): boolean => mesh.services.has(key) || mesh.services.has(clustersetKey(key));
  return [...wanted]
    .filter((key) => exportedKey(key) === key && !isThere(key))
    .sort()
    .map((key) => ({
      code: 'FW-PILOT-014' as const,
      severity: 'warning' as const,
      message: `gRPC clients without a proxy ask for ${key}, which is not there: their calls fail with UNAVAILABLE`,
      where: { object: `Service ${key}` },
      hint: 'Create the Service, or correct the target that the client is given',
    }));
}
