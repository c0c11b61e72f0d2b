/** A rule's header changes in Envoy's words. */

import type { HeaderChange } from '../model/rule.ts';
import type { Plain } from './proto/encode.ts';

export function headersToAdd(change: HeaderChange): Plain[] {
  return [
    ...change.set.map((header) => headerOption(header, 'OVERWRITE_IF_EXISTS_OR_ADD')),
    ...change.add.map((header) => headerOption(header, 'APPEND_IF_EXISTS_OR_ADD')),
  ];
}

/** Values are meant as they stand: Envoy's own substitutions (`%…%`) are switched off by doubling the sign. */
function headerOption({ name, value }: { readonly name: string; readonly value: string }, action: string): Plain {
  return { header: { key: name, value: value.replaceAll('%', '%%') }, append_action: action, keep_empty_value: true };
}
