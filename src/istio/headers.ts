/** Header operations as a TrafficRule writes them. `host` among the request's is no header there, but what the backend is asked for. */

import type { RawHeaderChange } from '../rules/traffic-rule/schema/spec.ts';
import type { Notes } from './notes.ts';
import { child, entriesOf, type Part, textOf, textsOf } from './parts.ts';

export interface HeaderChanges {
  readonly requestHeaders?: RawHeaderChange;
  readonly responseHeaders?: RawHeaderChange;
  /** What the request's Host is set to, and where that stands. */
  readonly authority?: { readonly value: string; readonly at: Part };
}

export function headerChangesOf(headers: Part | undefined, notes: Notes): HeaderChanges {
  const request = child(headers, 'request');
  const response = child(headers, 'response');
  const requestHeaders = changeOf(request, notes);
  const responseHeaders = changeOf(response, notes);
  const authority = ['add', 'set']
    .flatMap((name) => entriesOf(child(request, name)))
    .filter(([name]) => isAuthority(name))
    .map(([, at]) => ({ at, value: textOf(at, notes) ?? '' }))
    .at(-1);
  return {
    ...(requestHeaders === undefined ? {} : { requestHeaders }),
    ...(responseHeaders === undefined ? {} : { responseHeaders }),
    ...(authority === undefined || authority.value === '' ? {} : { authority }),
  };
}

function isAuthority(name: string): boolean {
  return [':authority', 'host'].includes(name.toLowerCase());
}

function changeOf(operations: Part | undefined, notes: Notes): RawHeaderChange | undefined {
  const set = written(child(operations, 'set'), notes);
  const add = written(child(operations, 'add'), notes);
  const remove = textsOf(child(operations, 'remove'), notes);
  if (set.length === 0 && add.length === 0 && remove.length === 0) return undefined;
  return {
    ...(set.length === 0 ? {} : { set }),
    ...(add.length === 0 ? {} : { add }),
    ...(remove.length === 0 ? {} : { remove }),
  };
}

/** Values are literal here; in Istio `%REQ(x)%` stands for something of the request, and `%%` for one `%`. */
function written(map: Part | undefined, notes: Notes): { readonly name: string; readonly value: string }[] {
  return entriesOf(map).flatMap(([name, part]) => {
    if (isAuthority(name)) return [];
    const value = typeof part.value === 'string' ? part.value : (textOf(part, notes) ?? '');
    if (/%[A-Z_]+(\(|%)/.test(value.replaceAll('%%', ''))) {
      const message = `is left out: values are written as they stand, and ${JSON.stringify(value)} asks for something of the request`;
      notes.warn('FW-ISTIO-004', part, message, 'Write a fixed value');
      return [];
    }
    return [{ name, value: value.replaceAll('%%', '%') }];
  });
}
