/**
 * What a pilot records in its primary besides statuses: Events on what happens to objects and clusters, and the forms that objects had.
 * Both are for people: whatever goes wrong with them is said, and stops nothing.
 */

import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Access } from '../registry/kube/access.ts';
import { type KubeEvent } from '../registry/kube/event-object.ts';
import { type EventOutcome, EventWriter } from '../registry/kube/event-writer.ts';
import type { RuleView } from '../registry/kube/held-rule.ts';
import { RevisionWriter } from '../registry/kube/revision-writer.ts';
import { ownKinds } from '../rules/kinds.ts';
import { specHash } from '../rules/objects/spec-hash.ts';
import type { RuleInputs, SeenObject } from './rules/rule-inputs.ts';
import { listenForNews, type News, type NewsSources } from './status/news.ts';

export interface PrimaryRecordsInputs extends NewsSources {
  readonly access: Access;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The pilot's own namespace, and in it the Lease that stands for the pilot where there is no object. */
  readonly namespace: string;
  readonly leaseName: string;
  readonly identity: string;
  readonly isLeader: () => boolean;
  readonly inputs: Pick<RuleInputs, 'onSeen'>;
  /** What the primary's objects are called among the sources. */
  readonly source: string;
  readonly view: (id: string) => RuleView | undefined;
  readonly countEvent: (outcome: EventOutcome) => void;
}

export interface PrimaryRecords {
  readonly events: EventWriter;
  readonly revisions: RevisionWriter;
}

export function recordInPrimary(inputs: PrimaryRecordsInputs): PrimaryRecords {
  const { access, clock, logger, identity, isLeader, namespace, source, countEvent } = inputs;
  const events = new EventWriter({ access, clock, logger, isLeader, identity, count: countEvent });
  listenForNews(inputs, (news) => {
    const event = eventOf(news, inputs);
    if (event !== undefined) events.put(event);
  });
  const revisions = new RevisionWriter({ access, clock, logger, isLeader, namespace });
  inputs.inputs.onSeen((seen) => {
    if (seen.source === source) keepForm(revisions, seen, inputs.view(seen.id), clock);
  });
  return { events, revisions };
}

/** undefined: of an object that is not in the primary. */
function eventOf(news: News, { source, namespace, leaseName }: PrimaryRecordsInputs): KubeEvent | undefined {
  const { object, cluster = '', severity: type, reason, message: note, condition, status } = news;
  if (object === undefined) {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: leaseName, uid: '' };
    return { regarding: lease, type, reason, action: 'WatchCluster', note, key: cluster };
  }
  if (object.source !== source) return undefined;
  const { kind } = object.head;
  // In the version in which it was read: of kinds that others define not every API serves the newest.
  const { apiVersion } = object.raw.object as { readonly apiVersion: string };
  const regarding = { apiVersion, kind, namespace: object.namespace, name: object.name, uid: uidIn(object.raw.object) };
  const key = `${object.generation} ${condition} ${status}`;
  return { regarding, type, reason, action: condition, note, key };
}

function keepForm(revisions: RevisionWriter, seen: SeenObject, view: RuleView | undefined, clock: Clock): void {
  const [kind = '', namespace = '', name = ''] = seen.id.split('/');
  const uid = uidIn(seen.raw.object);
  const spec = (seen.raw.object as { readonly spec?: unknown }).spec;
  const hash = specHash(spec);
  // Of kinds that others define nothing is written beside the objects.
  const apiVersion = ownKinds.named(kind)?.apiVersion;
  // Everything that the API holds has a uid and can be written as JSON.
  if (uid === '' || hash === undefined || apiVersion === undefined) return;
  const { manager: by = '', at = new Date(clock.now()).toISOString() } = view?.writer ?? {};
  const { generation, valid } = seen;
  revisions.put({ apiVersion, kind, namespace, name, uid }, { generation, at, by, hash, valid, spec });
}

function uidIn(object: unknown): string {
  const uid = (object as { readonly metadata?: { readonly uid?: unknown } } | null | undefined)?.metadata?.uid;
  return typeof uid === 'string' ? uid : '';
}
