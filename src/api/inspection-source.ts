/** What the admin API reads for people who look closer. The pilot implements it; every answer is plain JSON, made at the time of the call. */

import type { Finding } from '../core/errors.ts';
import type {
  AskedRequest,
  PodDescription,
  ProxyRequestPath,
  RuleHolding,
  RuleInspection,
  ServiceDescription,
} from '../model/inspection.ts';

export type RuleHoldings = Omit<RuleInspection, 'items' | 'continue'> & { readonly items: readonly RuleHolding[] };

/** Which proxy is meant could not be told: none, or several. */
export interface ProxyChoice {
  /** Node ids, at most ten. */
  readonly candidates: readonly string[];
}

export interface InspectionSource {
  /** All that is wrong, in no order. */
  findings(): readonly Finding[];
  /** Undefined: no cluster has it. */
  service(namespace: string, name: string): ServiceDescription | undefined;
  /** Undefined: no cluster has it behind a service, and no proxy of that name is connected. */
  pod(namespace: string, name: string): PodDescription | undefined;
  /**
   * Of the object that is in force, if several sources have it; undefined: there is none. `holder`: the rule that this cluster holds of its own;
   * left out: the primary's, or else one that some cluster holds.
   */
  rule(namespace: string, name: string, holder?: string): RuleHoldings | undefined;
  /** `proxy`: a node id, `namespace/pod` or `pod.namespace`. */
  requestPath(proxy: string, host: string, port: number, request?: AskedRequest): ProxyRequestPath | ProxyChoice;
}
