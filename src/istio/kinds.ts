/**
 * The kinds of Istio that are read as they are. Their versions have the same shape. https://istio.io/latest/docs/reference/config/networking/
 */

import type { RawObject } from '../model/object.ts';
import { foreignParser } from '../rules/objects/foreign-object.ts';
import type {
  ForeignKind,
  KindHead,
  ParsedObject,
  ParseObjectOptions,
  ShownColumn,
} from '../rules/objects/kind-types.ts';
import { field, items, text, texts } from '../rules/objects/raw-fields.ts';
import { checkShape } from './check-object.ts';
import { Notes } from './notes.ts';
import type { IstioKindName, IstioObject } from './parts.ts';

const group = 'networking.istio.io';

interface Words {
  readonly kind: IstioKindName;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly specFields: readonly string[];
}

function row(words: Words, shown: readonly ShownColumn[]): ForeignKind<IstioObject> {
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
    parse: istioParser(words.kind, head),
  };
}

/** The object, with a finding for each field that has no equal here. Its key is for whoever holds it. */
function istioParser(
  kind: IstioKindName,
  head: KindHead,
): (raw: RawObject, options: ParseObjectOptions) => ParsedObject<IstioObject> {
  const parse = foreignParser(head, (object) => object);
  return (raw, options) => {
    const { value, findings, ...rest } = parse(raw, options);
    if (value === undefined) return { ...rest, findings };
    const { namespace, name, createdAtMs, generation, origin, spec } = value;
    const where: IstioObject['where'] = (path, what) => raw.where(path, what);
    const object: IstioObject = { key: origin, kind, namespace, name, createdAtMs, generation, origin, spec, where };
    const notes = new Notes();
    checkShape(object, notes);
    const all = [...findings, ...notes.of(object)];
    return notes.errors > 0 ? { ...rest, findings: all } : { ...rest, value: object, findings: all };
  };
}

const hosts: ShownColumn = { title: 'HOSTS', of: (spec) => texts(field(spec, 'hosts')).join(', ') };

export const virtualServiceKind = row(
  {
    kind: 'VirtualService',
    plural: 'virtualservices',
    shortNames: ['vs'],
    specFields: ['hosts', 'gateways', 'http', 'tls', 'tcp', 'exportTo'],
  },
  [hosts, { title: 'GATEWAYS', of: (spec) => texts(field(spec, 'gateways')).join(', ') }],
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
    {
      title: 'SUBSETS',
      of: (spec) =>
        items(field(spec, 'subsets'))
          .map((subset) => text(field(subset, 'name')))
          .join(', '),
    },
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

export const istioKinds: readonly ForeignKind<IstioObject>[] = [
  virtualServiceKind,
  destinationRuleKind,
  serviceEntryKind,
];
