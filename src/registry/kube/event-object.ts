/**
 * A piece of news as a Kubernetes Event (events.k8s.io/v1): its name, its place and its object. Pure.
 *
 * What always holds: equal events have one name, which is made of what they say; nothing is longer than the API takes.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */

import { createHash } from 'node:crypto';

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  /** '' for kinds without one: its Events are in `default`. */
  readonly namespace: string;
  readonly name: string;
  /** '' where unknown. */
  readonly uid: string;
}

export interface KubeEvent {
  readonly regarding: EventSubject;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, of at most 128 characters: why. */
  readonly reason: string;
  /** CamelCase: what was done. */
  readonly action: string;
  readonly note: string;
  /** Events that are equal in all but their note and their time, and in this, are one. */
  readonly key: string;
}

const controller = 'fairway.dev/pilot';

/** Where Events about an object are kept: beside it. */
export function pathOf({ regarding }: KubeEvent): string {
  return `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(regarding.namespace || 'default')}/events`;
}

/** The same for equal events. An object's name may have 253 characters, and so may an Event's. */
export function eventName({ regarding, type, reason, action, key }: KubeEvent): string {
  const { kind, namespace, name, uid } = regarding;
  const said = JSON.stringify([kind, namespace, name, uid, type, reason, action, key]);
  return `${name.slice(0, 220).replace(/[^a-z0-9]+$/, '')}.${createHash('sha256').update(said).digest('hex').slice(0, 16)}`;
}

/** An event that happened `times` times, for the last time at `atMs` (wall time). `name`: the object's, of `eventName`. */
interface Happened {
  readonly event: KubeEvent;
  readonly name: string;
  readonly atMs: number;
  readonly times: number;
}

/** `identity`: this process, the pod's name. */
export function eventObject({ event, name, atMs, times }: Happened, identity: string): object {
  const { apiVersion, kind, namespace, name: of, uid } = event.regarding;
  const place = namespace === '' ? {} : { namespace };
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace: namespace || 'default', name },
    eventTime: microTime(atMs),
    type: event.type,
    reason: event.reason.slice(0, 128),
    action: event.action.slice(0, 128),
    note: noteOf(event),
    regarding: { apiVersion, kind, ...place, name: of, ...(uid === '' ? {} : { uid }) },
    reportingController: controller,
    reportingInstance: identity.slice(0, 128),
    ...(times > 1 ? { series: { count: times, lastObservedTime: microTime(atMs) } } : {}),
  };
}

/** The API takes 1 kB. */
function noteOf({ note }: KubeEvent): string {
  const bytes = Buffer.from(note);
  return bytes.length <= 1024
    ? note
    : `${bytes
        .subarray(0, 1000)
        .toString('utf8')
        .replace(/\uFFFD+$/, '')} …`;
}

/** Kubernetes' MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
