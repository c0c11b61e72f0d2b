/**
 * A table of kinds, asked by whoever carries objects without knowing them. Which rows it has is said where it is made: `ownKinds` (kinds.ts) are
 * Fairway's own; `src/kinds/all-kinds.ts` adds those that others define.
 */

import type { RawObject } from '../../model/object.ts';
import { readEnvelope } from './envelope.ts';
import { type AnyKind, groupOf, type ParsedObject, type ParseObjectOptions } from './kind-types.ts';

export interface KindTable<Row extends AnyKind = AnyKind> {
  readonly rows: readonly [Row, ...Row[]];
  /** By its `kind`, in this very spelling. */
  named(name: unknown): Row | undefined;
  /**
   * By any word that people use for it: `externalservice`, `externalservices`, `es`, `httproute.gateway.networking.k8s.io`. Case does not matter;
   * of two rows with one word the first has it.
   */
  called(word: string): Row | undefined;
  /** Kinds without a namespace: what names their objects alone. */
  clusterScoped(): ReadonlySet<string>;
  /** An object of any kind; one of a kind that is not in the table is told so. */
  parse(raw: RawObject, options: ParseObjectOptions): ParsedObject;
}

export function kindTable<Row extends AnyKind>(rows: readonly [Row, ...Row[]]): KindTable<Row> {
  const byName = new Map(rows.map((row) => [row.kind, row]));
  const byWord = new Map<string, Row>();
  for (const row of rows) {
    const words = [row.kind.toLowerCase(), row.plural];
    for (const word of [...words, ...words.map((each) => `${each}.${groupOf(row)}`), ...row.shortNames])
      if (!byWord.has(word)) byWord.set(word, row);
  }
  const named = (name: unknown): Row | undefined => (typeof name === 'string' ? byName.get(name) : undefined);
  return {
    rows,
    named,
    called: (word) => byWord.get(word.toLowerCase()),
    clusterScoped: () => new Set(rows.filter(({ namespaced }) => !namespaced).map(({ kind }) => kind)),
    parse(raw, options) {
      const row = named((raw.object as { readonly kind?: unknown } | null | undefined)?.kind);
      if (row !== undefined) return row.parse(raw, options);
      const { findings, ...rest } = readEnvelope(raw, options.defaultNamespace, rows[0], rows);
      return {
        namespace: rest.namespace,
        name: rest.name,
        createdAtMs: rest.createdAtMs,
        spec: undefined,
        findings: findings.list(),
      };
    },
  };
}
