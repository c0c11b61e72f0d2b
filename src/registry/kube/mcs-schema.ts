/**
 * Which of the fields that are written an API's CRDs of the Multi-Cluster Services API have: older ones lack some. In: the API's own description
 * of its kinds. Out: what takes away from an object the fields that are not there, and says which those were.
 *
 * What always holds: where nothing is known of the CRDs, nothing is taken away.
 */

import { isDeepStrictEqual } from 'node:util';
import { type Fields, fields, list, text } from '../object-fields.ts';
import type { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';

/** Of a kind: the names of fields under `spec` and `status`, and of those of a condition; undefined: not known. */
interface KindShape {
  readonly spec: ReadonlySet<string> | undefined;
  readonly status: ReadonlySet<string> | undefined;
  readonly condition: ReadonlySet<string> | undefined;
  /** Of `spec.ips`. */
  readonly ipsMax: number;
}

export class McsSchema {
  readonly #kinds: ReadonlyMap<string, KindShape>;
  /** Fields that were taken away: `ServiceImport.spec.ipFamilies`. */
  readonly #missing = new Set<string>();

  constructor(kinds: ReadonlyMap<string, KindShape> = new Map()) {
    this.#kinds = kinds;
  }

  /** Takes away the same. */
  isLike(other: McsSchema): boolean {
    return isDeepStrictEqual(this.#kinds, other.#kinds);
  }

  /** Sorted. */
  get missing(): readonly string[] {
    return [...this.#missing].sort();
  }

  spec(kind: string, spec: Fields): Fields {
    const shape = this.#kinds.get(kind);
    const fitting = this.#pick(`${kind}.spec`, spec, shape?.spec);
    const ips = list(fitting['ips']);
    if (shape === undefined || ips.length <= shape.ipsMax) return fitting;
    this.#missing.add(`${kind}.spec.ips[${shape.ipsMax}]`);
    return { ...fitting, ips: ips.slice(0, shape.ipsMax) };
  }

  status(kind: string, status: Fields): Fields {
    const shape = this.#kinds.get(kind);
    const fitting = this.#pick(`${kind}.status`, status, shape?.status);
    if (fitting['conditions'] === undefined) return fitting;
    const conditions = list(fitting['conditions']).map((condition) =>
      this.#pick(`${kind}.status.conditions[]`, fields(condition), shape?.condition),
    );
    return { ...fitting, conditions };
  }

  #pick(where: string, object: Fields, known: ReadonlySet<string> | undefined): Fields {
    if (known === undefined) return object;
    const unknown = Object.keys(object).filter((name) => !known.has(name));
    if (unknown.length === 0) return object;
    for (const name of unknown) this.#missing.add(`${where}.${name}`);
    return Object.fromEntries(Object.entries(object).filter(([name]) => known.has(name)));
  }
}

/** As the API describes its kinds (OpenAPI v3); one that does not describe them is taken to have every field. Throws an ApiError. */
export async function readMcsSchema(api: ApiClient, apiVersion: string, signal: AbortSignal): Promise<McsSchema> {
  let document: Fields;
  try {
    document = fields(await api.json({ path: `/openapi/v3/apis/${apiVersion}`, signal }));
  } catch (thrown) {
    const { kind } = networkError(thrown);
    if (kind === 'not-found' || kind === 'forbidden' || kind === 'malformed') return new McsSchema();
    throw thrown;
  }
  const kinds = new Map<string, KindShape>();
  for (const schema of Object.values(fields(fields(document['components'])['schemas']))) {
    for (const each of list(fields(schema)['x-kubernetes-group-version-kind'])) {
      const { group, version, kind } = fields(each);
      if (`${text(group)}/${text(version)}` === apiVersion) kinds.set(text(kind), shapeOf(fields(schema)));
    }
  }
  return new McsSchema(kinds);
}

function shapeOf(schema: Fields): KindShape {
  const { spec, status } = propertiesOf(schema) ?? {};
  const statusFields = propertiesOf(status);
  const max = fields(propertiesOf(spec)?.['ips'])['maxItems'];
  return {
    spec: namesIn(propertiesOf(spec)),
    status: namesIn(statusFields),
    condition: namesIn(propertiesOf(fields(statusFields?.['conditions'])['items'])),
    ipsMax: typeof max === 'number' ? max : Number.POSITIVE_INFINITY,
  };
}

/** A field that is described by reference, or takes anything, has none that could be told. */
function propertiesOf(schema: unknown): Fields | undefined {
  const properties = fields(schema)['properties'];
  return properties === undefined ? undefined : fields(properties);
}

function namesIn(properties: Fields | undefined): ReadonlySet<string> | undefined {
  return properties === undefined ? undefined : new Set(Object.keys(properties));
}
