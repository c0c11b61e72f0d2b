/**
 * The part of OpenAPI schemas that Kubernetes calls structural and that Fairway uses, and the TypeScript type that a schema describes.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */

import type { ErrorCode } from '../../core/errors.ts';

/** What a node says of itself when a value breaks its pattern, enum or bounds. Both the API server's and Fairway's own messages say it. */
export interface SchemaComplaint {
  readonly code: ErrorCode;
  /** Ends a sentence that begins with the field: `must be …`. */
  readonly says: string;
  /** The API server gets the bare pattern: where strings are long and lists deep, a CEL rule costs more than it allows. */
  readonly keepsPattern?: true;
}

export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  /** Of a map: what its values are. A schema has these or `properties`. */
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[] | readonly number[];
  readonly pattern?: string;
  readonly format?: 'date-time' | 'int32' | 'int64';
  readonly default?: number;
  readonly 'x-fairway'?: SchemaComplaint;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** The values that satisfy a schema written `as const`. */
export type FromSchema<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly type: 'string' }
    ? string
    : S extends { readonly type: 'integer' | 'number' }
      ? number
      : S extends { readonly type: 'boolean' }
        ? boolean
        : S extends { readonly type: 'array'; readonly items: infer I }
          ? readonly FromSchema<I>[]
          : S extends { readonly type: 'object'; readonly properties: infer P }
            ? ObjectOf<P, S extends { readonly required: readonly (infer R)[] } ? R : never>
            : S extends { readonly type: 'object'; readonly additionalProperties: infer V }
              ? Readonly<Record<string, FromSchema<V>>>
              : never;

type ObjectOf<P, R> = { readonly [K in keyof P as K extends R ? K : never]: FromSchema<P[K]> } & {
  readonly [K in keyof P as K extends R ? never : K]?: FromSchema<P[K]>;
};
