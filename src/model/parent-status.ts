/**
 * The status of one parent of a Gateway API route, as it stands in `status.parents`: each controller writes the entries with its own name, and
 * leaves the others alone. https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus
 */

import type { Condition } from './rule.ts';

/** Under which our entries stand. */
export const gatewayControllerName = 'fairway.dev/gateway-controller';

/** `type`: Accepted, ResolvedRefs, PartiallyInvalid, or with a domain, one of our own. */
export interface ParentCondition extends Omit<Condition, 'type'> {
  readonly type: string;
}

export interface ParentStatus {
  /** As the route's spec has it. */
  readonly parentRef: Readonly<Record<string, unknown>>;
  readonly controllerName: string;
  readonly conditions: readonly ParentCondition[];
}
