/** How messages of a type are written on a transport. Data only. */

import { typeUrl as types } from '../core/type-urls.ts';

export interface TypeTraits {
  readonly typeUrl: string;
  readonly transport: 'sotw' | 'delta';
  readonly maxResponseBytes: number;
  /** SotW: a response says all that there is; what it leaves out is deleted. */
  readonly wholeSet: boolean;
  /** Others lead to it: what goes, goes only after those. */
  readonly ledTo: boolean;
  /** As `ledTo`, where the transport can say that something is gone. */
  readonly lingers: boolean;
}

const namedOnly: ReadonlySet<string> = new Set([types.endpoint, types.route, types.virtualHost, types.secret]);

/** Whether a first request without names means all of a type, if the view does not say. */
export function impliesWildcard(typeUrl: string): boolean {
  return !namedOnly.has(typeUrl);
}

export function traitsOf(typeUrl: string, transport: 'sotw' | 'delta', maxResponseBytes: number): TypeTraits {
  const wholeSet = transport === 'sotw' && (typeUrl === types.cluster || typeUrl === types.listener);
  const ledTo = typeUrl === types.cluster || typeUrl === types.endpoint || typeUrl === types.secret;
  const lingers = ledTo && (transport === 'delta' || wholeSet);
  return { typeUrl, transport, maxResponseBytes, wholeSet, ledTo, lingers };
}
