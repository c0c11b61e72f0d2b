/** What a kind of object consists of, for all that carries objects without knowing them: sources, memory, API, command line. */

import type { Finding } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import type { Condition } from '../model/rule.ts';
import type { Schema } from './schema-types.ts';

/** What it is called, and where Kubernetes keeps it. */
export interface KindHead {
  /** `fairway.dev/v1alpha1` */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Other words for it on the command line, and kubectl's short names. */
  readonly shortNames: readonly string[];
  /** false: one name in the whole mesh (and in the primary cluster), without a namespace. */
  readonly namespaced: boolean;
  /** Fields that people write at the top by mistake. */
  readonly specFields: readonly string[];
}

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
}

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  /** 1: with -o wide only. */
  readonly priority?: number;
}

/** One row of the table of kinds (kinds.ts). */
export interface ObjectKind extends KindHead {
  /** One sentence: the CRD's description. */
  readonly description: string;
  readonly spec: Schema;
  /** Where `spec` is written, for whoever wants to change it. */
  readonly schemaFile: string;
  readonly status: Schema;
  readonly columns: readonly PrinterColumn[];
  /** Columns of `fairway get` besides names, conditions and age: out of the spec as it was given, which may be anything, and the conditions. */
  readonly shown: readonly {
    readonly title: string;
    readonly of: (spec: unknown, conditions: readonly Condition[]) => string;
  }[];
  readonly parse: (raw: RawObject, options: ParseObjectOptions) => ParsedObject;
}
