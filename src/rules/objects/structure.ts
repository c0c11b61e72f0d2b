/**
 * Does a spec have the shape that the schema says? In: the untrusted spec. Out: findings for every departure, and a copy in which whatever
 * has the wrong type is left out, so that the checks of meaning can go on with the rest.
 */

import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import type { ErrorCode } from '../../core/errors.ts';
import type { Findings, Path } from './findings.ts';
import { formatPath, show } from './findings.ts';
import type { Schema } from './schema-types.ts';
import { nearest } from './suggest.ts';

/** Any part may be missing; list items that had the wrong type are undefined. */
export type Sound<T> = T extends readonly (infer I)[]
  ? readonly (Sound<I> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Sound<T[K]> | undefined }
    : T;

/** Compiles a schema at its first use. */
export function schemaCheck(schema: Schema): () => ValidateFunction {
  let validate: ValidateFunction | undefined;
  return () => {
    validate ??= new Ajv({ strict: true, allErrors: true, verbose: true, keywords: ['x-fairway'] }).compile(
      forAjv(schema),
    );
    return validate;
  };
}

/** What to do about text that a schema complains of by this code; undefined where there is nothing special to say. */
export type HintFor = (value: string, code: ErrorCode) => string | undefined;

/** `validate`: of `schemaCheck`, with the schema that `T` is made from. `hintFor`: the kind's own hints. */
export function checkShape<T>(
  spec: unknown,
  findings: Findings,
  validate: ValidateFunction,
  hintFor: HintFor = () => undefined,
): Sound<T> {
  if (validate(spec)) return spec as Sound<T>;
  const errors = validate.errors ?? [];
  const wrongTypes = new Set<string>();
  const told = new Set<string>();
  for (const error of errors) {
    if (error.keyword === 'type') wrongTypes.add(error.instancePath);
    // A value that is both too short and of the wrong pattern gets one finding.
    const id = `${error.instancePath} ${complaint(error)?.code ?? error.keyword} ${JSON.stringify(error.params)}`;
    const onePerValue = complaint(error) === undefined ? id : error.instancePath;
    if (told.has(onePerValue)) continue;
    told.add(onePerValue);
    report(error, spec, findings, hintFor);
  }
  return (without(spec, wrongTypes, '') ?? {}) as Sound<T>;
}

function complaint(error: ErrorObject): Schema['x-fairway'] {
  if (error.keyword === 'type') return undefined;
  return (error.parentSchema as Schema | undefined)?.['x-fairway'];
}

function report(error: ErrorObject, spec: unknown, findings: Findings, hintFor: HintFor): void {
  const path = instancePath(error.instancePath, spec);
  const schema = error.parentSchema as Schema | undefined;
  const says = complaint(error);
  const last = path.findLast((part) => typeof part === 'string') ?? 'spec';
  if (says !== undefined) {
    // Each schema says codes of its own room's table.
    const told = findings as unknown as Findings<ErrorCode>;
    const own = typeof error.data === 'string' ? hintFor(error.data, says.code) : undefined;
    told.error(says.code, path, `${last} ${says.says}; it is ${show(error.data)}`, own ?? 'Correct the value');
    return;
  }
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(error.params['additionalProperty']);
      const known = Object.keys(schema?.properties ?? {});
      const meant = nearest(name, known);
      const hint = meant === undefined ? `Use one of ${known.join(', ')}` : `Did you mean \`${meant}\`?`;
      findings.unknownField([...path, name], `${formatPath(path)} has no field ${show(name)}`, hint);
      return;
    }
    case 'required': {
      const name = String(error.params['missingProperty']);
      const description = schema?.properties?.[name]?.description ?? '';
      findings.error(
        'FW-RULE-008',
        [...path, name],
        `${formatPath(path)} lacks ${name}`,
        `Add ${name}: ${description}`,
        path,
      );
      return;
    }
    case 'type': {
      const wanted = article(schema?.type ?? String(error.params['type']));
      const isText = schema?.type === 'string';
      const scalar = typeof error.data === 'number' || typeof error.data === 'boolean';
      const hint = isText && scalar ? `Put it in quotes: "${String(error.data)}"` : `Write ${wanted}`;
      findings.error('FW-RULE-007', path, `${last} must be ${wanted}; it is ${kindOf(error.data)}`, hint);
      return;
    }
    case 'minItems':
    case 'maxItems': {
      const count = Array.isArray(error.data) ? error.data.length : 0;
      const bound = error.keyword === 'minItems' ? 'at least' : 'at most';
      const limit = Number(error.params['limit']);
      const message = `${last} must have ${bound} ${limit} ${limit === 1 ? 'item' : 'items'}; it has ${count}`;
      findings.error(
        'FW-RULE-009',
        path,
        message,
        bound === 'at least' ? 'Add an item, or leave the list out' : 'Remove items',
      );
      return;
    }
    case 'maxProperties': {
      const limit = Number(error.params['limit']);
      findings.error('FW-RULE-009', path, `${last} must have at most ${limit} entries`, 'Remove entries');
      return;
    }
    case 'minProperties':
      findings.error(
        'FW-RULE-060',
        path,
        `${last} names its service and says nothing more`,
        'Add routes, or say how the endpoints are treated',
      );
      return;
    case 'uniqueItems': {
      // ajv names the pair in falling order; the later one is the one too many.
      const index = Math.max(Number(error.params['i']), Number(error.params['j']));
      const twice = Array.isArray(error.data) ? show(error.data[index]) : '';
      findings.error('FW-RULE-011', [...path, index], `${last} names ${twice} twice`, 'Remove one of them');
      return;
    }
    default:
      // Every keyword of the schema is named above or carries x-fairway; a new one must not go unreported.
      findings.error(
        'FW-RULE-007',
        path,
        `${last} ${error.message ?? 'is not valid'}`,
        'See docs/traffic-rules.md for what the field takes',
      );
  }
}

function article(type: string): string {
  if (type === 'object') return 'a mapping';
  if (type === 'array') return 'a list';
  if (type === 'number') return 'a number';
  if (type === 'boolean') return 'true or false';
  return type === 'integer' ? 'a whole number' : 'text';
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? `text (${show(value)})` : show(value);
}

/** ajv's JSON pointer as a path that begins with `spec`; a part is an index where the value there is a list. */
function instancePath(pointer: string, spec: unknown): Path {
  const path: (string | number)[] = ['spec'];
  let value: unknown = spec;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return path;
}

/** A copy without the values at these JSON pointers; a list keeps its length. Only own keys of the schema's are followed. */
function without(value: unknown, pointers: ReadonlySet<string>, at: string): unknown {
  if (pointers.has(at)) return undefined;
  if (Array.isArray(value)) return value.map((item, i) => without(item, pointers, `${at}/${i}`));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, without(item, pointers, `${at}/${key}`)]));
}

/** Plain JSON schema, closed against unknown fields: what OpenAPI and Kubernetes add is left out. */
function forAjv(schema: Schema): object {
  const { properties, additionalProperties, items, format, default: _default, ...rest } = schema;
  const kept = Object.fromEntries(Object.entries(rest).filter(([key]) => !key.startsWith('x-kubernetes-')));
  return {
    ...kept,
    ...(schema['x-kubernetes-list-type'] === 'set' ? { uniqueItems: true } : {}),
    ...(items === undefined ? {} : { items: forAjv(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: forAjv(additionalProperties) }),
    ...(properties === undefined
      ? {}
      : {
          additionalProperties: false,
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, forAjv(property)]),
          ),
        }),
  };
}
