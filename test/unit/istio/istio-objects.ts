/** Istio's objects for tests, out of YAML in flow style, and what they are converted to. */

import { parse } from 'yaml';
import type { Finding } from '../../../src/core/errors.ts';
import { type Conversion, convertIstio } from '../../../src/istio/convert.ts';
import { rawObject } from '../../support/rules.ts';

export function istioObject(
  kind: string,
  name: string,
  spec: string,
  metadata: Readonly<Record<string, unknown>> = {},
): unknown {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: { name, namespace: 'shop', ...metadata },
    spec: parse(spec) as unknown,
  };
}

export function convert(...objects: readonly unknown[]): Conversion {
  const raws = objects.map((object) => rawObject(object, 'istio.yaml'));
  return convertIstio(raws, { defaultNamespace: 'shop', clusterDomain: 'cluster.local' });
}

export function specOf(conversion: Conversion, index = 0): Readonly<Record<string, unknown>> {
  return (conversion.objects[index]?.object['spec'] ?? {}) as Readonly<Record<string, unknown>>;
}

export function codes({ findings }: { readonly findings: readonly Finding[] }): string[] {
  return findings.map(({ code, severity, where }) => `${severity} ${code} ${where.field ?? ''}`);
}

/** A VirtualService for reviews with these HTTP routes. */
export function routes(...http: readonly string[]): unknown {
  return istioObject('VirtualService', 'reviews', `{hosts: [reviews], http: [${http.join(', ')}]}`);
}

/** The routes of the only rule that these HTTP routes become. */
export function ruleRoutes(...http: readonly string[]): readonly unknown[] {
  return (specOf(convert(routes(...http)))['routes'] ?? []) as readonly unknown[];
}

export const toReviews = 'route: [{destination: {host: reviews}}]';
