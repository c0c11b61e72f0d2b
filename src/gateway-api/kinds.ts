/**
 * The kinds of the Gateway API that are read: routes, and the grants by which a namespace lets others refer to what is in it.
 * https://gateway-api.sigs.k8s.io/reference/spec/
 */

import { type ForeignObject, foreignParser } from '../rules/foreign-object.ts';
import type { ForeignKind, KindHead, ShownColumn } from '../rules/kind-types.ts';
import { field } from '../rules/raw-fields.ts';

const group = 'gateway.networking.k8s.io';

/** Under which our entries stand in `status.parents`. */
export const controllerName = 'fairway.dev/gateway-controller';

/** `versions`: newest first. */
function head(kind: string, plural: string, versions: readonly [string, ...string[]], specFields: readonly string[]) {
  const [newest, ...older] = versions;
  return {
    apiVersion: `${group}/${newest}`,
    olderVersions: older.map((version) => `${group}/${version}`),
    kind,
    plural,
    shortNames: [],
    namespaced: true,
    specFields,
  } satisfies KindHead;
}

function route(of: KindHead, shown: readonly ShownColumn[]): ForeignKind<ForeignObject> {
  return {
    ...of,
    foreign: true,
    standard: 'gateway-api',
    statusShape: 'parents',
    shown: [...shown, { title: 'PARENTS', of: parents }],
    parse: foreignParser(of, (object) => object),
  };
}

const hostnames: ShownColumn = { title: 'HOSTNAMES', of: (spec) => texts(field(spec, 'hostnames')) };

export const httpRouteKind = route(
  head('HTTPRoute', 'httproutes', ['v1', 'v1beta1'], ['parentRefs', 'hostnames', 'rules']),
  [hostnames],
);

export const grpcRouteKind = route(head('GRPCRoute', 'grpcroutes', ['v1'], ['parentRefs', 'hostnames', 'rules']), [
  hostnames,
]);

export const tlsRouteKind = route(
  head('TLSRoute', 'tlsroutes', ['v1', 'v1alpha3', 'v1alpha2'], ['parentRefs', 'hostnames', 'rules']),
  [hostnames],
);

export const tcpRouteKind = route(head('TCPRoute', 'tcproutes', ['v1', 'v1alpha2'], ['parentRefs', 'rules']), []);

const grantHead: KindHead = {
  ...head('ReferenceGrant', 'referencegrants', ['v1', 'v1beta1'], ['from', 'to']),
  shortNames: ['refgrant'],
};

export const referenceGrantKind: ForeignKind<ForeignObject> = {
  ...grantHead,
  foreign: true,
  standard: 'gateway-api',
  statusShape: 'none',
  shown: [
    { title: 'FROM', of: (spec) => references(field(spec, 'from'), 'namespace') },
    { title: 'TO', of: (spec) => references(field(spec, 'to'), 'name') },
  ],
  parse: foreignParser(grantHead, (object) => object),
};

export const gatewayApiKinds: readonly ForeignKind[] = [
  httpRouteKind,
  grpcRouteKind,
  tlsRouteKind,
  tcpRouteKind,
  referenceGrantKind,
];

/** `Service reviews, Gateway edge/public` */
function parents(spec: unknown): string {
  return list(field(spec, 'parentRefs'))
    .map((parent) => {
      const namespace = text(field(parent, 'namespace'));
      return `${text(field(parent, 'kind')) || 'Gateway'} ${namespace === '' ? '' : `${namespace}/`}${text(field(parent, 'name'))}`;
    })
    .join(', ');
}

/** `HTTPRoute shop, …`: the kind and where it is, or what it is called. */
function references(value: unknown, what: 'namespace' | 'name'): string {
  return list(value)
    .map((item) => `${text(field(item, 'kind'))} ${text(field(item, what))}`.trim())
    .join(', ');
}

function texts(value: unknown): string {
  return list(value).map(text).join(', ');
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
