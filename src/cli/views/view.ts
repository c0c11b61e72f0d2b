/** How `fairway get` shows one kind of report: its columns, its notes under a row, and its name for `-o name`. */

import type { Column } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export interface ViewContext {
  readonly nowMs: number;
  readonly paint: Terminal['paint'];
}

export interface View<Row> {
  readonly columns: readonly Column<Row>[];
  readonly notes: (row: Row) => readonly string[];
  /** `service/reviews`, as `kubectl get -o name` writes it. */
  readonly resourceName: (row: Row) => string;
}

/** Sorted names, `-` for none. */
export function joinNames(names: readonly string[]): string {
  return names.length === 0 ? '-' : names.join(',');
}

export function orDash(text: string): string {
  return text === '' ? '-' : text;
}

/** `region/zone/subzone` as far as known. */
export function formatLocality(locality: { region: string; zone: string; subzone: string }): string {
  const parts = [locality.region, locality.zone, locality.subzone];
  while (parts.at(-1) === '') parts.pop();
  return orDash(parts.map((part) => part || '?').join('/'));
}

/** `reviews` where the row already says that the namespace is shop, else `other/reviews`. */
export function within(namespace: string, qualified: string): string {
  return qualified.startsWith(`${namespace}/`) ? qualified.slice(namespace.length + 1) : qualified;
}
