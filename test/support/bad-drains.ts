/**
 * One table of Drains that are wrong, and what is said of each: by Fairway's own check, and by an API server that has the CRD. Both are held to
 * it, so that neither can take what the other refuses without a word here.
 */

export interface BadDrain {
  readonly name: string;
  /** YAML flow style. */
  readonly spec: string;
  readonly codes: readonly string[];
  readonly field: string;
  /** In the message or the hint. */
  readonly says: string;
  /** What the API server's message holds. */
  readonly api: string;
}

export const badDrains: readonly BadDrain[] = [
  {
    name: 'no place',
    spec: '{over: 5m}',
    codes: ['FW-RULE-210'],
    field: 'spec.cluster',
    says: 'neither a cluster nor a zone',
    api: 'must name a cluster, a zone, or both',
  },
  {
    name: 'a bad cluster name',
    spec: '{cluster: west.eu}',
    codes: ['FW-RULE-211'],
    field: 'spec.cluster',
    says: 'must be the name of a cluster',
    api: 'spec.cluster',
  },
  {
    name: 'a bad zone',
    spec: '{zone: "eu 1a"}',
    codes: ['FW-RULE-212'],
    field: 'spec.zone',
    says: 'must be the name of a zone',
    api: 'spec.zone',
  },
  ...['reviews', 'shop/reviews/v1', 'Shop/reviews', 'shop/'].map((service) => ({
    name: `the service ${service}`,
    spec: `{cluster: west, services: ["${service}"]}`,
    codes: ['FW-RULE-213'],
    field: 'spec.services[0]',
    says: 'must be NAMESPACE/NAME',
    api: 'spec.services[0]',
  })),
  {
    name: 'no services',
    spec: '{cluster: west, services: []}',
    codes: ['FW-RULE-009'],
    field: 'spec.services',
    says: 'at least 1 item',
    api: 'should have at least 1 items',
  },
  {
    name: 'a service that stands there twice',
    spec: '{cluster: west, services: [shop/reviews, shop/reviews]}',
    codes: ['FW-RULE-011'],
    field: 'spec.services[1]',
    says: 'twice',
    api: 'Duplicate value',
  },
  ...['5 minutes', '-5m', '5'].map((over) => ({
    name: `over ${over}`,
    spec: `{cluster: west, over: "${over}"}`,
    codes: ['FW-RULE-214'],
    field: 'spec.over',
    says: 'must be a duration',
    api: 'spec.over',
  })),
  {
    name: 'over more than a week',
    spec: '{cluster: west, over: 169h}',
    codes: ['FW-RULE-214'],
    field: 'spec.over',
    says: 'at most 168h',
    api: 'must be a duration of at most 168h',
  },
  ...['tomorrow', '2026-01-31', '2026-01-31T08:00:00+01:00'].map((startAt) => ({
    name: `startAt ${startAt}`,
    spec: `{cluster: west, startAt: "${startAt}"}`,
    codes: ['FW-RULE-215'],
    field: 'spec.startAt',
    says: 'must be a time in UTC',
    api: 'spec.startAt',
  })),
  {
    name: 'a day that no calendar has',
    spec: '{cluster: west, startAt: "2026-02-31T08:00:00Z"}',
    codes: ['FW-RULE-215'],
    field: 'spec.startAt',
    says: 'must be a time that there is',
    api: 'spec.startAt',
  },
  {
    name: 'a way back without a start',
    spec: '{cluster: west, undrain: {over: 5m}}',
    codes: ['FW-RULE-008'],
    field: 'spec.undrain.startAt',
    says: 'startAt',
    api: 'spec.undrain.startAt',
  },
  {
    name: 'a way back of more than a week',
    spec: '{cluster: west, undrain: {startAt: "2026-01-31T08:00:00Z", over: 169h}}',
    codes: ['FW-RULE-214'],
    field: 'spec.undrain.over',
    says: 'at most 168h',
    api: 'must be a duration of at most 168h',
  },
  {
    name: 'a way back on a day that no calendar has',
    spec: '{cluster: west, undrain: {startAt: "2026-02-31T08:00:00Z"}}',
    codes: ['FW-RULE-215'],
    field: 'spec.undrain.startAt',
    says: 'must be a time that there is',
    api: 'spec.undrain.startAt',
  },
  {
    name: 'force that is not a boolean',
    spec: '{cluster: west, force: "yes"}',
    codes: ['FW-RULE-007'],
    field: 'spec.force',
    says: 'force must be',
    api: 'spec.force',
  },
  {
    name: 'an unknown field',
    spec: '{cluster: west, region: eu}',
    codes: ['FW-RULE-006'],
    field: 'spec.region',
    says: 'Use one of cluster',
    api: 'unknown field "spec.region"',
  },
];

export function drainText(spec: string, name = 'west', metadata = ''): string {
  return `apiVersion: fairway.dev/v1alpha1\nkind: Drain\nmetadata: {name: ${name}${metadata}}\nspec: ${spec}\n`;
}

/** The one that docs/drain.md shows, word for word. */
export const exampleDrain = `
apiVersion: fairway.dev/v1alpha1
kind: Drain
metadata: {name: west}
spec:
  cluster: west
  zone: eu-1a
  services: [shop/reviews, shop/ratings]
  over: 5m
  startAt: "2026-01-31T08:00:00Z"
  force: false
`;
