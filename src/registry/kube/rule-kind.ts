/** A kind of objects that people apply, as a Kubernetes API has it. */

export interface RuleKind {
  readonly kind: string;
  /** `fairway.dev/v1alpha1`: the newest version. */
  readonly apiVersion: string;
  /** Others of the same group that are read where the newest is not served, newest first. */
  readonly olderVersions?: readonly string[];
  readonly plural: string;
  /** Default true. */
  readonly namespaced?: boolean;
  /** Others define it: its CRD may be missing, and of its versions the newest that is served is read. */
  readonly foreign?: boolean;
  /** Default: our own, with conditions. */
  readonly statusShape?: 'parents' | 'none';
}

export const trafficRuleKind: RuleKind = {
  kind: 'TrafficRule',
  apiVersion: 'fairway.dev/v1alpha1',
  plural: 'trafficrules',
};

export function groupOf({ apiVersion }: RuleKind): string {
  return apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')));
}

/** `httproutes.gateway.networking.k8s.io` */
export function resourceOf(kind: RuleKind): string {
  return `${kind.plural}.${groupOf(kind)}`;
}

/** Newest first. */
export function versionsOf({ apiVersion, olderVersions = [] }: RuleKind): readonly string[] {
  return [apiVersion, ...olderVersions];
}
