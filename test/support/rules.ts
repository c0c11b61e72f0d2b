/** Rules for tests: what people write, as text, and objects made from it. */

import { parse } from 'yaml';
import type { RawObject } from '../../src/model/object.ts';
import { formatPath } from '../../src/rules/objects/findings.ts';

/** The rule that the documentation shows, word for word. */
export const exampleRule = `
apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: reviews, namespace: shop}
spec:
  service: reviews
  routes:
  - name: beta
    matches: [{headers: [{name: x-group, value: beta}]}]
    backends: [{version: v3, cluster: west, fallback: [{version: v2}, {}]}]
  - backends:
    - {version: v1, weight: 90}
    - {version: v2, cluster: west, weight: 10}
    timeouts: {request: 3s, backendRequest: 1s}
    retry: {attempts: 2, on: [connect-failure, "503"]}
`;

/** A spec of a rule for the service reviews with this one route, in YAML flow style without the braces. */
export function oneRoute(route: string): string {
  return `{service: reviews, routes: [{${route}}]}`;
}

export function ruleText(spec: string, name = 'reviews'): string {
  return `apiVersion: fairway.dev/v1alpha1\nkind: TrafficRule\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
}

/** Says of each part that it stands in the file `origin`, with its path as text in `object`. */
export function rawObject(object: unknown, origin = 'rules/a.yaml'): RawObject {
  return { object, origin, where: (path) => ({ file: origin, object: formatPath(path) }) };
}

export function rawRule(spec: string, metadata: Readonly<Record<string, unknown>> = {}, origin?: string): RawObject {
  const object = parse(ruleText(spec)) as { metadata: object };
  return rawObject({ ...object, metadata: { ...object.metadata, ...metadata } }, origin);
}
