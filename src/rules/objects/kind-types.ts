/** What a kind of object consists of, for all that carries objects without knowing them: sources, memory, API, command line. */

import type { Finding } from '../../core/errors.ts';
import type { RawObject } from '../../model/object.ts';
import type { Condition } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { Schema } from './schema-types.ts';

/** What it is called, and where Kubernetes keeps it. */
export interface KindHead {
  /** `fairway.dev/v1alpha1`: the newest version. */
  readonly apiVersion: string;
  /** Other apiVersions of the same group in which the same objects are written, newest first. */
  readonly olderVersions?: readonly string[];
  readonly kind: string;
  readonly plural: string;
  /** Other words for it on the command line, and kubectl's short names. */
  readonly shortNames: readonly string[];
  /** What a message calls one of them; left out: its kind. */
  readonly word?: string;
  /** false: one name in the whole mesh (and in the primary cluster), without a namespace. */
  readonly namespaced: boolean;
  /** Fields that people write at the top by mistake. */
  readonly specFields: readonly string[];
  /** undefined: our own, with conditions. */
  readonly statusShape?: StatusShape;
}

/**
 * What the status of kinds that others define looks like, and so how it is written. `parents`: a list with one entry per parent and controller, of
 * which those with our controller's name are ours (Gateway API's routes). `none`: it is never written.
 */
export type StatusShape = 'parents' | 'none';

export interface ParseObjectOptions {
  /** For objects of namespaced kinds that name none. */
  readonly defaultNamespace: string;
}

export interface ParsedObject<T = unknown> {
  /** Undefined exactly when a finding is an error. */
  readonly value?: T;
  readonly findings: readonly Finding[];
  /** Which object this is, as far as it says so; '' where it does not, and for the namespace of kinds without one. */
  readonly namespace: string;
  readonly name: string;
  /** 0 where there is no creation time. */
  readonly createdAtMs: number;
  /** metadata.generation, if it is a positive whole number. */
  readonly generation?: number;
  /** As given; undefined where it was not looked at. */
  readonly spec: unknown;
  /** Of kinds whose objects are each for one service: which, if that much is valid. */
  readonly service?: ServiceKey;
}

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  /** 1: with -o wide only. */
  readonly priority?: number;
}

/** A column of `fairway get` besides names, conditions and age. */
export interface ShownColumn {
  readonly title: string;
  /** Out of the spec as it was given, which may be anything, and the conditions. */
  readonly of: (spec: unknown, conditions: readonly Condition[]) => string;
}

interface KindBase<T> extends KindHead {
  readonly shown: readonly ShownColumn[];
  readonly parse: (raw: RawObject, options: ParseObjectOptions) => ParsedObject<T>;
}

/** One row of the table of our own kinds (kinds.ts). */
export interface ObjectKind extends KindBase<unknown> {
  readonly foreign?: false;
  /** One sentence: the CRD's description. */
  readonly description: string;
  readonly spec: Schema;
  /** Where `spec` is written, for whoever wants to change it. */
  readonly schemaFile: string;
  readonly status: Schema;
  readonly columns: readonly PrinterColumn[];
}

/** Sets of kinds that others define, each read or not as a whole. */
export const standards = ['gateway-api', 'istio'] as const;
export type Standard = (typeof standards)[number];

/** A row for a kind that others define: its CRD is not ours, and may not be installed. */
export interface ForeignKind<T = unknown> extends KindBase<T> {
  readonly foreign: true;
  readonly standard: Standard;
  /** Fairway's own rules go by it too: it is read whether its standard is on or not. */
  readonly forOwnRules?: boolean;
  readonly statusShape: StatusShape;
}

export type AnyKind = ObjectKind | ForeignKind;

/** `gateway.networking.k8s.io` */
export function groupOf({ apiVersion }: Pick<KindHead, 'apiVersion'>): string {
  return apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')));
}

/** All apiVersions under which its objects are read, newest first. */
export function versionsOf({
  apiVersion,
  olderVersions = [],
}: Pick<KindHead, 'apiVersion' | 'olderVersions'>): readonly [string, ...string[]] {
  return [apiVersion, ...olderVersions];
}
