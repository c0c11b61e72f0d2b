/**
 * Istio's objects out of files as ours. In: objects of any kind, as they were read. Out: TrafficRules and ExternalServices that could be applied,
 * what became of each object, and findings. Nothing is dropped without being counted or told.
 */

import type { Finding } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import { field, items, text } from '../rules/objects/raw-fields.ts';
import { checkPlace, checkShape } from './check-object.ts';
import { istioCodes } from './codes.ts';
import { keyOf, type ServiceName } from './hosts.ts';
import { istioKinds } from './kinds.ts';
import { Notes, nameOf } from './notes.ts';
import { IstioObjects } from './objects.ts';
import { child, type IstioObject, specOf, textsOf } from './parts.ts';
import { externalObjectOf } from './service-entry.ts';
import { type TranslatedRule, translateService } from './translate.ts';

export interface ConvertOptions {
  /** For objects that name none. */
  readonly defaultNamespace: string;
  readonly clusterDomain: string;
}

export interface ConvertedObject {
  /** `{apiVersion, kind, metadata, spec}`, to be written as it is. */
  readonly object: Readonly<Record<string, unknown>>;
  /** What it was made of: `VirtualService shop/reviews`. */
  readonly from: readonly string[];
}

/** `whole`: nothing is said of it. `changed`: it is translated, and differs in what is told. `refused`: something of it is not translated. */
export type Outcome = 'whole' | 'changed' | 'refused';

export interface Conversion {
  readonly objects: readonly ConvertedObject[];
  readonly findings: readonly Finding[];
  /** Of each object of Istio's, in the order given. */
  readonly outcomes: readonly { readonly object: string; readonly file: string; readonly outcome: Outcome }[];
  /** How many objects are none of Istio's. */
  readonly others: number;
}

export function convertIstio(raws: readonly RawObject[], options: ConvertOptions): Conversion {
  const { clusterDomain } = options;
  const notes = new Notes();
  const read = raws.map((raw, i) => readObject(raw, String(i), options));
  const objects = new IstioObjects(clusterDomain);
  const first = new Map<string, IstioObject>();
  const twice = new Map<string, Finding>();
  for (const { object } of read) {
    if (object === undefined) continue;
    const before = first.get(nameOf(object));
    if (before === undefined) {
      first.set(nameOf(object), object);
      objects.set(object);
    } else twice.set(object.key, givenTwice(object, before));
  }
  const ports = portsOf(raws, options.defaultNamespace);
  const context = { clusterDomain, ports: (service: ServiceName) => ports.get(keyOf(service)) };
  const rules = objects.services().flatMap((key) => {
    const [namespace = '', name = ''] = key.split('/');
    return translateService({ namespace, name }, objects, context, notes) ?? [];
  });
  const owners = new Map<string, IstioObject>();
  const externals = objects.all().flatMap((object) => {
    checkShape(object, notes);
    checkPlace(object, objects, clusterDomain, notes);
    if (object.kind !== 'ServiceEntry') return [];
    const external = externalOf(object, objects, clusterDomain, notes);
    return external === undefined || isTaken(object, owners, notes) ? [] : [external];
  });
  const found = read.map(({ object, findings }) => {
    if (object === undefined) return findings;
    const copy = twice.get(object.key);
    return [...findings, ...(copy === undefined ? notes.of(object) : [copy])];
  });
  return {
    objects: [...namedRules(rules), ...externals],
    findings: [...new Map(found.flat().map((finding) => [JSON.stringify(finding), finding])).values()],
    outcomes: read.flatMap(({ isIstio, id, raw }, i) =>
      isIstio ? [{ object: id, file: raw.origin, outcome: outcomeOf(found[i] ?? []) }] : [],
    ),
    others: read.filter(({ isIstio }) => !isIstio).length,
  };
}

function outcomeOf(findings: readonly Finding[]): Outcome {
  if (findings.some(({ severity }) => severity === 'error')) return 'refused';
  return findings.length > 0 ? 'changed' : 'whole';
}

interface ReadObject {
  readonly raw: RawObject;
  readonly id: string;
  readonly isIstio: boolean;
  readonly object?: IstioObject;
  readonly findings: readonly Finding[];
}

function readObject(raw: RawObject, key: string, { defaultNamespace }: ConvertOptions): ReadObject {
  const apiVersion = text(field(raw.object, 'apiVersion'));
  const kind = text(field(raw.object, 'kind'));
  const row = istioKinds.find((each) => each.kind === kind);
  if (!/(^|\.)istio\.io\//.test(apiVersion) && !(row !== undefined && apiVersion === '')) {
    return { raw, id: '', isIstio: false, findings: [] };
  }
  const metadata = field(raw.object, 'metadata');
  const id = `${kind} ${text(field(metadata, 'namespace')) || defaultNamespace}/${text(field(metadata, 'name'))}`;
  if (row === undefined) {
    const { title, cure } = istioCodes['FW-ISTIO-022'];
    const message = `${title}: ${kind === '' ? 'the object has no kind' : kind}`;
    const where = { ...raw.where(['kind']), object: id };
    return {
      raw,
      id,
      isIstio: true,
      findings: [{ code: 'FW-ISTIO-022', severity: 'error', message, where, hint: cure }],
    };
  }
  const { value, findings } = row.parse(raw, { defaultNamespace });
  // What the parser says of fields is said again, with the rest.
  const own = findings.filter(({ code }) => !code.startsWith('FW-ISTIO-') || value === undefined);
  return { raw, id, isIstio: true, findings: own, ...(value === undefined ? {} : { object: { ...value, key } }) };
}

function givenTwice(object: IstioObject, first: IstioObject): Finding {
  return {
    code: 'FW-ISTIO-023',
    severity: 'error',
    message: `${nameOf(object)} is given twice: the one in ${first.origin} counts`,
    where: { ...object.where(['metadata', 'name']), object: nameOf(object) },
    hint: istioCodes['FW-ISTIO-023'].cure,
  };
}

/** Of the Services among the objects: a destination without a port is the only one of its service. */
function portsOf(raws: readonly RawObject[], defaultNamespace: string): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  for (const { object } of raws) {
    if (field(object, 'kind') !== 'Service' || field(object, 'apiVersion') !== 'v1') continue;
    const metadata = field(object, 'metadata');
    const namespace = text(field(metadata, 'namespace')) || defaultNamespace;
    const ports = items(field(field(object, 'spec'), 'ports')).flatMap((port) => {
      const number = field(port, 'port');
      return typeof number === 'number' ? [number] : [];
    });
    found.set(keyOf({ namespace, name: text(field(metadata, 'name')) }), ports);
  }
  return found;
}

/** Rules that come from one object with several hosts have their services in their names. */
function namedRules(rules: readonly TranslatedRule[]): readonly ConvertedObject[] {
  const count = Map.groupBy(rules, ({ sources: [first] }) => first?.key);
  const taken = new Set<string>();
  return rules.map(({ service, sources, spec }) => {
    const [first] = sources;
    const base = first?.name ?? service.name;
    const isOnly = (count.get(first?.key) ?? []).length === 1 && first?.namespace === service.namespace;
    let name = isOnly ? base : `${base}-${service.name}`.slice(0, 240);
    for (let i = 2; taken.has(`${service.namespace}/${name}`); i += 1) name = `${base}-${service.name}-${i}`;
    taken.add(`${service.namespace}/${name}`);
    const object = {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'TrafficRule',
      metadata: { name, namespace: service.namespace },
      spec,
    };
    return { object, from: sources.map(nameOf) };
  });
}

/** Istio puts the ports of all ServiceEntries with a host together; of ExternalServices one has it. In the order in which they count. */
function isTaken(object: IstioObject, owners: Map<string, IstioObject>, notes: Notes): boolean {
  const part = child(specOf(object), 'hosts') ?? specOf(object);
  const hosts = textsOf(part, notes).map((host) => host.toLowerCase());
  const taken = hosts.find((host) => owners.has(host));
  const owner = taken === undefined ? undefined : owners.get(taken);
  if (owner === undefined) {
    for (const host of hosts) owners.set(host, object);
    return false;
  }
  const message = `${taken} is a host of ${nameOf(owner)} too, which is older, or first by name, and alone counts`;
  notes.error('FW-ISTIO-019', part, message, 'Put the ports of both into one ServiceEntry');
  return true;
}

function externalOf(
  source: IstioObject,
  objects: IstioObjects,
  clusterDomain: string,
  notes: Notes,
): ConvertedObject | undefined {
  const raw = externalObjectOf(source, clusterDomain, notes, objects);
  if (raw === undefined) return undefined;
  const { namespace, name } = source;
  const object = { ...(raw.object as ConvertedObject['object']), metadata: { name, namespace } };
  return { object, from: [nameOf(source)] };
}
