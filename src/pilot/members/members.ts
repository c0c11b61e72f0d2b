/** The members' side of a pilot, connected: policies, what members hold, and who reads it. */

import type { Clock } from '../../core/clock.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { Inventory } from '../../registry/inventory.ts';
import type { OpenMember } from '../../registry/member-host.ts';
import { uidOf } from '../../rules/objects/object-generation.ts';
import type { ObjectSet } from '../../rules/objects/object-set.ts';
import type { Permits } from '../../rules/traffic-rule/cross-namespace.ts';
import { trafficRuleKind } from '../../rules/traffic-rule/kind.ts';
import type { RuleRecord } from '../../rules/traffic-rule/rule-record.ts';
import type { RuleSet } from '../../rules/traffic-rule/rule-set.ts';
import type { Engine } from '../engine.ts';
import type { RuleInputs } from '../rules/rule-inputs.ts';
import type { FleetProgress } from '../status/fleet-progress.ts';
import { RuleStatus } from '../status/rule-status.ts';
import { type MemberRules, memberSourceName } from './member-rules.ts';
import { MemberSources } from './member-sources.ts';
import { policiesThatCount } from './policies.ts';

export interface Members {
  /** For discoveries of clusters. */
  readonly open: OpenMember;
  /** The members' rules as people are shown them. */
  readonly status: RuleStatus;
  /** Every rule that some member holds, in force or not. */
  records(): readonly RuleRecord[];
  /** What is wrong with what a cluster holds of its own, or with reading it. */
  findings(cluster: string): ReturnType<MemberRules['findings']>;
  /** Who may write statuses into members; until it is said, nobody. */
  leadBy(isLeader: () => boolean): void;
  stop(): void;
}

export interface MembersInputs {
  readonly memberRules: MemberRules;
  readonly policies: ObjectSet<ClusterPolicy>;
  /** The primary's. */
  readonly rules: RuleSet;
  readonly inputs: RuleInputs;
  readonly engine: Engine;
  readonly inventory: Inventory;
  readonly clock: Clock;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
  readonly isPrimary: (cluster: string) => boolean;
  /** Where other replicas' proxies are counted. */
  readonly fleet: FleetProgress;
  /** What rules may refer to in other namespaces. */
  readonly permits: Permits;
  /** With the next batch, statuses are judged again that go by these services. */
  readonly touched: (services: Iterable<ServiceKey>) => void;
}

/** From here on those of rules that are gone are looked for. */
const judgedMax = 10_000;

export function assembleMembers({
  memberRules,
  policies,
  rules,
  inputs,
  engine,
  inventory,
  clock,
  clusters,
  isPrimary,
  fleet,
  permits,
  touched,
}: MembersInputs): Members {
  let isLeader = (): boolean => false;
  const status = new RuleStatus({
    clock,
    rules: memberRules,
    engine,
    clusters,
    fleet,
    fleetKind: 'MemberRule',
    permits,
  });
  fleet.onHeard(() => status.touch());
  const sources = new MemberSources({
    isLeader: () => isLeader(),
    inputs,
    isGranted: (cluster) => memberRules.grants.ofCluster(cluster).length > 0,
    isPrimary,
    clusters: () => inventory.clusters(),
  });
  rules.onChange(({ services }) => memberRules.primaryChanged(services));
  memberRules.onChange((dirt) => {
    for (const services of dirt.values()) touched(services);
    engine.memberRulesChanged(dirt);
  });
  memberRules.onRecords((records) => status.touchRecords(records));
  /** By record: what was judged last, for members that are written to later. */
  const judged = new Map<string, unknown>();
  const write = ({ key, holder = '', namespace, name, raw }: RuleRecord): void => {
    if (!judged.has(key) || memberRules.grants.of(holder, namespace, trafficRuleKind.kind)?.writesStatus !== true)
      return;
    const uid = uidOf(raw);
    sources.writerOf(holder)?.({ namespace, name, uid: typeof uid === 'string' ? uid : '' }, judged.get(key));
  };
  const forgetGone = (): void => {
    for (const key of judged.keys()) if (memberRules.record(key) === undefined) judged.delete(key);
  };
  status.listen((record, latest) => {
    if (judged.size >= judgedMax) forgetGone();
    judged.set(record.key, latest);
    write(record);
  });
  inventory.onChange(({ cluster, stateChanged }) => {
    if (stateChanged) sources.settle(cluster);
  });
  let isDue = false;
  const settlePolicies = (): void => {
    if (!isDue) return;
    isDue = false;
    memberRules.setPolicies(policiesThatCount(policies));
    sources.settleAll();
    forgetGone();
    for (const record of memberRules.records()) write(record);
  };
  // Policies come in crowds: all of one reading are one change, in force before anybody learns that it is over.
  policies.onChange(() => {
    if (isDue) return;
    isDue = true;
    queueMicrotask(settlePolicies);
  });
  inputs.onProgress(settlePolicies);
  return {
    open(cluster, link) {
      const close = sources.open(cluster, link);
      for (const record of memberRules.recordsOf(cluster)) write(record);
      return close;
    },
    status,
    records: () => memberRules.records(),
    leadBy(given) {
      isLeader = given;
    },
    findings: (cluster) => [
      ...memberRules.findings(cluster),
      ...inputs.findingsOf(memberSourceName(cluster)),
      ...(isPrimary(cluster) ? inputs.findingsOf(`cluster ${cluster}`) : []),
    ],
    stop() {
      sources.stop();
      status.stop();
    },
  };
}
