/**
 * The kinds of the Gateway API that are read: routes, and the grants by which a namespace lets others refer to what is in it.
 * https://gateway-api.sigs.k8s.io/reference/spec/
 */

import type { ForeignKind, KindHead, ShownColumn } from '../rules/objects/kind-types.ts';
import { field, items, text, texts } from '../rules/objects/raw-fields.ts';
import { grantParser, grpcRouteParser, httpRouteParser, tcpRouteParser, tlsRouteParser } from './parse.ts';
import { type GatewayRoute, type Grant, gatewayGroup } from './route.ts';

/** `versions`: newest first. */
function head(kind: string, plural: string, versions: readonly [string, ...string[]], specFields: readonly string[]) {
  const [newest, ...older] = versions;
  return {
    apiVersion: `${gatewayGroup}/${newest}`,
    olderVersions: older.map((version) => `${gatewayGroup}/${version}`),
    kind,
    plural,
    shortNames: [],
    namespaced: true,
    specFields,
  } satisfies KindHead;
}

function route(
  of: KindHead,
  parser: (head: KindHead) => ForeignKind<GatewayRoute>['parse'],
  shown: readonly ShownColumn[],
): ForeignKind<GatewayRoute> {
  return {
    ...of,
    foreign: true,
    standard: 'gateway-api',
    statusShape: 'parents',
    shown: [{ title: 'PARENTS', of: parents }, ...shown],
    parse: parser(of),
  };
}

const hostnames: ShownColumn = { title: 'HOSTNAMES', of: (spec) => texts(field(spec, 'hostnames')).join(', ') };

export const httpRouteKind = route(
  head('HTTPRoute', 'httproutes', ['v1', 'v1beta1'], ['parentRefs', 'hostnames', 'rules']),
  httpRouteParser,
  [hostnames],
);

export const grpcRouteKind = route(
  head('GRPCRoute', 'grpcroutes', ['v1'], ['parentRefs', 'hostnames', 'rules']),
  grpcRouteParser,
  [hostnames],
);

export const tlsRouteKind = route(
  head('TLSRoute', 'tlsroutes', ['v1', 'v1alpha3', 'v1alpha2'], ['parentRefs', 'hostnames', 'rules']),
  tlsRouteParser,
  [hostnames],
);

export const tcpRouteKind = route(
  head('TCPRoute', 'tcproutes', ['v1', 'v1alpha2'], ['parentRefs', 'rules']),
  tcpRouteParser,
  [],
);

const grantHead: KindHead = {
  ...head('ReferenceGrant', 'referencegrants', ['v1', 'v1beta1'], ['from', 'to']),
  shortNames: ['refgrant'],
};

export const referenceGrantKind: ForeignKind<Grant> = {
  ...grantHead,
  foreign: true,
  standard: 'gateway-api',
  forOwnRules: true,
  statusShape: 'none',
  shown: [
    { title: 'FROM', of: (spec) => references(field(spec, 'from'), 'namespace') },
    { title: 'TO', of: (spec) => references(field(spec, 'to'), 'name') },
  ],
  parse: grantParser(grantHead),
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
  return items(field(spec, 'parentRefs'))
    .map((parent) => {
      const namespace = text(field(parent, 'namespace'));
      return `${text(field(parent, 'kind')) || 'Gateway'} ${namespace === '' ? '' : `${namespace}/`}${text(field(parent, 'name'))}`;
    })
    .join(', ');
}

/** `HTTPRoute shop, …`: the kind and where it is, or what it is called. */
function references(value: unknown, what: 'namespace' | 'name'): string {
  return items(value)
    .map((item) => `${text(field(item, 'kind'))} ${text(field(item, what))}`.trim())
    .join(', ');
}
