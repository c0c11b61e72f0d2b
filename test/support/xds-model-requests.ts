/** Requests as the model of a client makes them, and what it takes for granted of types and transports. */

import { typeUrl as types } from '../../src/core/type-urls.ts';
import type { XdsRequest } from '../../src/xds/request.ts';

export type Transport = 'sotw' | 'delta';

export const wholeSet = (transport: Transport, typeUrl: string): boolean =>
  transport === 'sotw' && (typeUrl === types.cluster || typeUrl === types.listener);

export const impliedWildcard = (typeUrl: string): boolean => typeUrl === types.cluster || typeUrl === types.listener;

/** As the server's decoder does for long lists, but for all: equal lists come as the very same list and set. */
const sharedLists = new Map<
  string,
  { readonly subscribe: readonly string[]; readonly subscribeSet: ReadonlySet<string> }
>();

function shared(names: readonly string[]): Pick<XdsRequest, 'subscribe' | 'subscribeSet'> {
  if (names.length === 0) return { subscribe: names };
  const key = names.join('\0');
  const list = sharedLists.get(key) ?? { subscribe: names, subscribeSet: new Set(names) };
  sharedLists.set(key, list);
  return list;
}

export function request(typeUrl: string, fields: Partial<XdsRequest>): XdsRequest {
  return {
    typeUrl,
    node: undefined,
    nonce: '',
    error: undefined,
    unsubscribe: [],
    initialVersions: new Map(),
    resumes: (fields.initialVersions?.size ?? 0) > 0,
    ...fields,
    ...shared(fields.subscribe ?? []),
  };
}

export function short(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}
