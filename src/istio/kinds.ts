/**
 * The kinds of Istio that are read as they are. Their versions have the same shape. https://istio.io/latest/docs/reference/config/networking/
 */

import { type ForeignObject, foreignParser } from '../rules/foreign-object.ts';
import type { ForeignKind, KindHead, ShownColumn } from '../rules/kind-types.ts';
import { field } from '../rules/raw-fields.ts';

const group = 'networking.istio.io';

interface Words {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly specFields: readonly string[];
}

function row(words: Words, shown: readonly ShownColumn[]): ForeignKind<ForeignObject> {
  const head: KindHead = {
    ...words,
    apiVersion: `${group}/v1`,
    olderVersions: [`${group}/v1beta1`, `${group}/v1alpha3`],
    namespaced: true,
  };
  return {
    ...head,
    foreign: true,
    standard: 'istio',
    statusShape: 'none',
    shown,
    parse: foreignParser(head, (object) => object),
  };
}

const hosts: ShownColumn = { title: 'HOSTS', of: (spec) => texts(field(spec, 'hosts')) };

export const virtualServiceKind = row(
  {
    kind: 'VirtualService',
    plural: 'virtualservices',
    shortNames: ['vs'],
    specFields: ['hosts', 'gateways', 'http', 'tls', 'tcp', 'exportTo'],
  },
  [hosts, { title: 'GATEWAYS', of: (spec) => texts(field(spec, 'gateways')) }],
);

export const destinationRuleKind = row(
  {
    kind: 'DestinationRule',
    plural: 'destinationrules',
    // Istio's `dr` is Drain's here.
    shortNames: [],
    specFields: ['host', 'subsets', 'trafficPolicy', 'exportTo', 'workloadSelector'],
  },
  [
    { title: 'HOST', of: (spec) => text(field(spec, 'host')) },
    { title: 'SUBSETS', of: (spec) => list(field(spec, 'subsets')).map((subset) => text(field(subset, 'name'))).join(', ') },
  ],
);

export const serviceEntryKind = row(
  {
    kind: 'ServiceEntry',
    plural: 'serviceentries',
    shortNames: ['se'],
    specFields: ['hosts', 'addresses', 'ports', 'location', 'resolution', 'endpoints', 'exportTo'],
  },
  [
    hosts,
    { title: 'LOCATION', of: (spec) => text(field(spec, 'location')) },
    { title: 'RESOLUTION', of: (spec) => text(field(spec, 'resolution')) },
  ],
);

export const istioKinds: readonly ForeignKind[] = [virtualServiceKind, destinationRuleKind, serviceEntryKind];

function texts(value: unknown): string {
  return list(value).map(text).join(', ');
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
