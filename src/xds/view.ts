/**
 * The two sides of the protocol: what the server reads (a view of resources, one per group of clients that see the same) and what it tells
 * its host. The protocol knows nothing of meshes; a host may serve any resources.
 */

import type { Overlay } from '../core/layered-map.ts';
import type { EncodedResource } from '../core/resource.ts';
import type { Meaning } from './spellings.ts';

/** What one group of clients sees. Its maps are live: the host changes them, then calls `XdsServer.changed`. */
export interface ResourceView {
  /** For logs and CSDS. */
  readonly id: string;
  /** Counts up; the host raises it before it calls `changed`. */
  readonly revision: number;
  /** While false nothing is answered: unknown is not empty. Requests are kept, and answered once it is true and `changed` was called. */
  readonly ready: boolean;
  /** All resources of a type by name; empty for a type that this view does not have. */
  resources(typeUrl: string): ReadonlyMap<string, EncodedResource>;
  /**
   * A view that has most of this one's resources, for many others too: they are copied once for all. The same for good, and without a base of
   * its own. Whenever it changes the host calls `changed` for it, and then in the same turn for every view in use that stands on it, whether or
   * not anything else changed there; and it makes such a view not ready only while it has no clients.
   */
  readonly base?: ResourceView;
  /** With a base: what is other than there, by name; undefined for what is there and not here. */
  own?(typeUrl: string): Overlay<EncodedResource>;
  /**
   * What a client gets that asks by name for something which is not there: an empty assignment, say, so that an Envoy cluster need not warm
   * for 15 s. Undefined: the protocol's own answer (delta: `removed_resources`; SotW: silence, and the resource once it exists).
   * An answer that changes later is sent when a resource of `wildcardNames` changes, or when the client asks again.
   * An empty `body` sends the name without a resource, which tells an Envoy that waits on VHDS that there is no such host.
   */
  missing?(typeUrl: string, name: string): EncodedResource | undefined;
  /**
   * What names of a type mean that clients may spell in more than one way; undefined: names mean themselves. A client that asks by several
   * spellings holds one resource, and is told of it by each of them. What comes back is the very same function wherever it says the same.
   */
  meaningOf?(typeUrl: string): Meaning | undefined;
  /**
   * Names that a client gets which asks for all of a type (live); the others it gets by asking for them by name, or by an alias. Undefined: all
   * that there is, which is so for good or never. With a base: besides those of the base. A name that comes among them or goes counts as
   * changed, though its resource be as before. A client that was given one keeps it, as if it had asked for it, until its resource goes.
   */
  wildcardNames?(typeUrl: string): NameSet | undefined;
  /**
   * Where `wildcardNames` says less than all: the Envoy clusters that this virtual host sends requests to, whether they are there or not. A client
   * is sent those before it, as if it had asked for them: it would ask while a request waits, and an answer that it is not there any more
   * would fail that request. Called when the virtual host is about to be sent.
   */
  leadsTo?(virtualHost: EncodedResource): readonly string[];
  /** Whether a first request without names means all. Default: yes, except for endpoints, routes, virtual hosts and secrets. */
  impliedWildcard?(typeUrl: string): boolean;
}

/** Names, to be looked up and gone through. */
export interface NameSet extends Iterable<string> {
  has(name: string): boolean;
}

/** A client as its first request showed it. */
export interface ClientHello {
  /** Unique per stream, in this process. */
  readonly streamId: number;
  /** The decoded envoy.config.core.v3.Node; metadata as plain JSON. */
  readonly node: XdsNode;
  /** `ip:port` of the peer. */
  readonly peer: string;
  readonly transport: 'sotw' | 'delta';
  /** The one type of a separate service (CDS, EDS, …); undefined on an aggregated stream. */
  readonly onlyType?: string;
}

export interface XdsNode {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  readonly userAgentName: string;
  readonly userAgentVersion: string;
  readonly clientFeatures: readonly string[];
}

export interface XdsHost {
  /** False: it does not know yet who sees what, so streams wait unread until it calls `XdsServer.opened`. Default: it always does. */
  takesClients?(): boolean;
  /** Decides what a client sees. A string refuses it: the stream ends with INVALID_ARGUMENT and these words. */
  connect(client: ClientHello): ResourceView | string;
  /** `asked`: by type, the names that the client had asked for one by one and that are there. */
  disconnect(streamId: number, asked: () => ReadonlyMap<string, readonly string[]>): void;
  /**
   * What a client gets of a type as if it had asked for it, where all does not mean everything (`wildcardNames`) and its first request brings
   * and names nothing. Default: nothing.
   */
  remembered?(streamId: number, typeUrl: string): readonly string[];
  /** A request that was taken, before it is answered: what it asks for may be made now (and `XdsServer.changed` be called). SotW names all. */
  asked?(
    streamId: number,
    typeUrl: string,
    names: { readonly subscribe: readonly string[]; readonly unsubscribe: readonly string[] },
  ): void;
  /** After each send, ACK and NACK; cheap, and called often. */
  progress(event: ProgressEvent): void;
}

export interface ProgressEvent {
  readonly streamId: number;
  readonly typeUrl: string;
  readonly kind: 'sent' | 'acked' | 'nacked';
  /** `sent`, `nacked`: the view's revision that the message carries. `acked`: the revision up to which the client now holds everything of this type. */
  readonly revision: number;
  /** `nacked`: the client's own words, and the names in the message it refused; those that the words point at come first. */
  readonly error?: string;
  readonly names?: readonly string[];
}

/** One type on one stream, for `fairway get proxies` and the rules' Programmed condition. */
export interface StreamTypeStatus {
  readonly state: 'synced' | 'pending' | 'rejected';
  /** When this state began; wall time, ms since the epoch. */
  readonly sinceMs: number;
  /** How many resources the client holds. */
  readonly resources: number;
  readonly sentRevision: number;
  /** The client holds everything of this type up to this revision; moves on without a message when there was nothing to send. */
  readonly ackedRevision: number;
  /** The client's words on its last NACK, until nothing that it refused is current any more. */
  readonly error: string;
}
