/**
 * What happens to objects and clusters, as news for people: transitions of conditions of every kind, and clusters that are lost and come back.
 * Statuses and the inventory's changes come in; each piece of news goes out once, to whoever listens (the log, and Kubernetes' Events).
 */

import type { Logger } from '../../core/logger.ts';
import type { ClusterPhase } from '../../model/cluster.ts';
import type { RawObject } from '../../model/object.ts';
import type { Condition } from '../../model/rule.ts';
import type { Inventory } from '../../registry/inventory.ts';
import type { KindHead } from '../../rules/objects/kind-types.ts';
import { type Transition, transitions } from '../../rules/status/transitions.ts';
import { trafficRuleHead } from '../../rules/traffic-rule/head.ts';
import type { ObjectStage } from './object-stage.ts';
import type { RuleStatus } from './rule-status.ts';

/** An object of a source, in the generation that the news is of. */
export interface ObjectSubject {
  readonly head: KindHead;
  readonly source: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly raw: RawObject;
}

export interface News extends Transition {
  /** undefined: of a cluster. */
  readonly object?: ObjectSubject;
  readonly cluster?: string;
}

export interface NewsSources {
  readonly ruleStatus: Pick<RuleStatus, 'listen'>;
  readonly stages: readonly Pick<ObjectStage, 'head' | 'listen'>[];
  readonly inventory: Pick<Inventory, 'onChange' | 'clusters'>;
}

export type NewsListener = (news: News) => void;

type Subject = Omit<ObjectSubject, 'head' | 'generation'>;

interface Judged {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
}

export function listenForNews({ ruleStatus, stages, inventory }: NewsSources, tell: NewsListener): void {
  const judged = (head: KindHead) => (subject: Subject, after: Judged, before: Judged | undefined) => {
    const { source, namespace, name, raw } = subject;
    const object = { head, source, namespace, name, raw, generation: after.observedGeneration };
    for (const transition of transitions(before?.conditions, after.conditions)) tell({ ...transition, object });
  };
  ruleStatus.listen(judged(trafficRuleHead));
  for (const stage of stages) stage.listen(judged(stage.head));
  listenToClusters(inventory, tell);
}

function listenToClusters(inventory: NewsSources['inventory'], tell: NewsListener): void {
  const phases = new Map<string, ClusterPhase>();
  inventory.onChange(({ cluster, stateChanged }) => {
    if (!stateChanged) return;
    const state = inventory.clusters().get(cluster)?.state;
    const before = phases.get(cluster);
    if (state === undefined) phases.delete(cluster);
    else phases.set(cluster, state.phase);
    if (state === undefined || state.phase === before) return;
    if (state.phase === 'stale' || state.phase === 'refused') {
      const why = state.problem === undefined ? '' : `: ${state.problem.code} ${state.problem.message}`;
      const [reason, what] =
        state.phase === 'stale'
          ? ['ClusterLost', 'is lost, and what it last said stays in force']
          : ['ClusterRefused', 'is refused'];
      tell(ofCluster(cluster, 'False', reason, `cluster ${cluster} ${what}${why}`));
    } else if (state.phase === 'fresh' && (before === 'stale' || before === 'refused')) {
      tell(ofCluster(cluster, 'True', 'ClusterRecovered', `cluster ${cluster} is there again`));
    }
  });
}

function ofCluster(cluster: string, status: 'True' | 'False', reason: string, message: string): News {
  const severity = status === 'True' ? 'Normal' : 'Warning';
  return { cluster, condition: 'Reachable', status, reason, message, severity };
}

/** One line for each transition of an object. Of clusters the inventory has its own. */
export function logNews(logger: Logger): NewsListener {
  return ({ object, condition, status, reason, message, severity }) => {
    if (object === undefined) return;
    const { head, namespace, name, generation, source } = object;
    const id = `${head.kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
    const fields = { object: id, source, generation, condition, status, reason, message: message.slice(0, 1000) };
    if (severity === 'Warning') logger.warn('a condition changed', fields);
    else logger.info('a condition changed', fields);
  };
}
