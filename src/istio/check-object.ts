/**
 * What is wrong with an object of Istio's whatever others there are, and what depends on no service. In: the object. Out: notes. What it comes to
 * for a service is for translate.ts.
 */

import { checkFields, type Fields } from './fields.ts';
import { destinationRuleFields } from './fields-destination-rule.ts';
import { serviceEntryFields } from './fields-service-entry.ts';
import { virtualServiceFields } from './fields-virtual-service.ts';
import { hostOf } from './hosts.ts';
import { isForMesh } from './http-match.ts';
import { type Notes, nameOf } from './notes.ts';
import { type IstioObjects, isDelegateForm } from './objects.ts';
import { maxHosts } from './outline.ts';
import { child, type IstioKindName, type IstioObject, itemsOf, type Part, specOf, textOf } from './parts.ts';
import { audienceOf } from './visibility.ts';

export const fieldsOfKind: Readonly<Record<IstioKindName, Fields>> = {
  VirtualService: virtualServiceFields,
  DestinationRule: destinationRuleFields,
  ServiceEntry: serviceEntryFields,
};

/** Istio takes no object without them. */
const requiredOfKind: Readonly<Record<IstioKindName, readonly string[]>> = {
  VirtualService: [],
  DestinationRule: ['host'],
  ServiceEntry: ['hosts'],
};

export function checkShape(object: IstioObject, notes: Notes): void {
  const spec = specOf(object);
  checkFields(spec, fieldsOfKind[object.kind], requiredOfKind[object.kind], notes);
  if (object.kind === 'ServiceEntry') checkPortNames(spec, notes);
}

/** Of an ExternalService's ports. */
const maxPortName = 63;

function checkPortNames(spec: Part, notes: Notes): void {
  const seen = new Set<unknown>();
  for (const port of itemsOf(child(spec, 'ports'))) {
    const name = child(port, 'name');
    if (typeof name?.value !== 'string') continue;
    if (name.value === '') notes.error('FW-ISTIO-003', name, 'must not be empty', 'Give the port a name');
    else if (seen.has(name.value))
      notes.error('FW-ISTIO-003', name, `is ${JSON.stringify(name.value)} twice`, 'Give each port a name of its own');
    else if (name.value.length > maxPortName) {
      const message = `has ${name.value.length} characters, of which the first ${maxPortName} are kept`;
      notes.warn('FW-ISTIO-004', name, message, 'Shorten it');
    }
    seen.add(name.value);
  }
}

/** `objects`: all that there are. */
export function checkPlace(object: IstioObject, objects: IstioObjects, clusterDomain: string, notes: Notes): void {
  if (object.kind === 'VirtualService') checkVirtualService(object, objects, clusterDomain, notes);
  if (object.kind === 'DestinationRule') {
    const host = child(specOf(object), 'host');
    if (host === undefined) notes.error('FW-ISTIO-006', specOf(object), 'it names no host', 'Add host');
    else checkHost(host, objects, clusterDomain, notes);
  }
}

function checkVirtualService(object: IstioObject, objects: IstioObjects, clusterDomain: string, notes: Notes): void {
  const spec = specOf(object);
  if (isDelegateForm(object)) {
    if (!objects.isDelegate(object))
      notes.warn('FW-ISTIO-018', spec, 'it has no hosts, and nobody names it as a delegate');
    return;
  }
  const gateways = child(spec, 'gateways');
  if (!isForMesh(gateways, notes)) {
    notes.error('FW-ISTIO-021', gateways ?? spec, 'it is for gateways alone, and nothing of it is translated');
    return;
  }
  if (audienceOf(object)?.length === 0) {
    notes.warn(
      'FW-ISTIO-021',
      child(spec, 'exportTo') ?? spec,
      'it is exported to nobody, and nothing of it is translated',
    );
  }
  const hosts = itemsOf(child(spec, 'hosts'));
  const isForGatewaysToo = itemsOf(gateways).some(({ value }) => value !== 'mesh');
  for (const host of hosts.slice(0, maxHosts)) {
    if (!isForGatewaysToo || !isUnknownOutside(host, objects, clusterDomain)) {
      checkHost(host, objects, clusterDomain, notes);
      continue;
    }
    const message = `${JSON.stringify(host.value)} is no host of the mesh, and taken for one of the gateways alone`;
    notes.warn('FW-ISTIO-007', host, message, 'If the mesh is to reach it too, give the ServiceEntry that has it');
  }
  const [over] = hosts.slice(maxHosts);
  if (over !== undefined) {
    const message = `it has ${hosts.length} hosts, of which the first ${maxHosts} are translated`;
    notes.error('FW-ISTIO-006', over, message, 'Split the VirtualService');
  }
}

/** Generated objects name the host that a gateway serves beside the service: `[app.example.com, podinfo]`. */
function isUnknownOutside(part: Part, objects: IstioObjects, clusterDomain: string): boolean {
  const { value } = part;
  if (typeof value !== 'string' || hostOf(value, part.object.namespace, clusterDomain).kind !== 'outside') return false;
  return value.split('.').length > 2 && objects.entryOf(value) === undefined;
}

function checkHost(part: Part, objects: IstioObjects, clusterDomain: string, notes: Notes): void {
  const text = textOf(part, notes);
  if (text === undefined) return;
  const host = hostOf(text, part.object.namespace, clusterDomain);
  switch (host.kind) {
    case 'service':
      return;
    case 'wildcard':
      notes.error('FW-ISTIO-006', part, `${JSON.stringify(text)} stands for many hosts: a rule is for one service`);
      return;
    case 'workload':
      notes.error('FW-ISTIO-006', part, `${JSON.stringify(text)} is one workload: a rule is for a service`);
      return;
    case 'outside':
      checkOutside(part, text, objects, clusterDomain, notes);
  }
}

/** A rule for hosts outside is one for all hosts of a ServiceEntry. */
function checkOutside(part: Part, text: string, objects: IstioObjects, clusterDomain: string, notes: Notes): void {
  const entry = objects.entryOf(text);
  if (entry === undefined) {
    const [name = '', space = '', ...more] = text.split('.');
    const hint =
      more.length === 0
        ? `If the service is meant, write ${name}.${space}.svc.${clusterDomain}, as Istio wants it`
        : 'Give the ServiceEntry that has the host too';
    notes.error(
      'FW-ISTIO-006',
      part,
      `${JSON.stringify(text)} is no service of the mesh, and no ServiceEntry has it`,
      hint,
    );
    return;
  }
  const all = objects.outsideHosts(entry);
  const named = objects.claims(entry).concat(objects.policies(entry));
  if (named.some(({ key }) => key === part.object.key)) return;
  const message = `${JSON.stringify(text)} is one of ${all.length} hosts of ${nameOf(entry)}, which are ruled together`;
  notes.error('FW-ISTIO-006', part, message, 'Name all of its hosts, or give the host a ServiceEntry of its own');
}
