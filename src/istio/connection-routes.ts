/** TCP and TLS routes as a TrafficRule writes them: routes that take connections, those of TLS by the names that they ask for. */

import type { RawBackend } from '../rules/traffic-rule/schema/spec.ts';
import { type DestinationContext, targetOf } from './destinations.ts';
import { isForMesh, sourceOf } from './http-match.ts';
import type { TranslatedRoute } from './http-routes.ts';
import { child, entriesOf, itemsOf, numberOf, type Part, textsOf } from './parts.ts';

export function translatedConnectionRoutes(
  route: Part,
  kind: 'tcp' | 'tls',
  context: DestinationContext,
): readonly TranslatedRoute[] {
  const { notes } = context;
  const matches = itemsOf(child(route, 'match'));
  const backends = backendsOf(route, context);
  if (backends.length === 0) return [];
  if (matches.length === 0) {
    if (kind === 'tls') {
      notes.error('FW-ISTIO-005', route, 'a route for TLS needs a match with sniHosts');
      return [];
    }
    return [{ route: { takes: 'connections', backends }, name: '', at: route }];
  }
  return matches.flatMap((match): TranslatedRoute[] => {
    if (!isForMesh(child(match, 'gateways'), notes)) return [];
    for (const name of ['destinationSubnets', 'sourceSubnet']) {
      const part = child(match, name);
      const hint = 'Tell connections apart by port, by server name or by their source';
      if (part !== undefined)
        notes.error('FW-ISTIO-005', part, 'connections are not told apart by their addresses', hint);
    }
    const sni = textsOf(child(match, 'sniHosts'), notes).map((name) => name.toLowerCase());
    if (kind === 'tls' && sni.length === 0) {
      notes.error('FW-ISTIO-005', match, 'a match for TLS needs sniHosts', 'Name the hosts, or use tcp');
      return [];
    }
    const port = numberOf(child(match, 'port'), notes);
    const source = sourceOf(child(match, 'sourceNamespace'), new Map(entriesOf(child(match, 'sourceLabels'))), notes);
    return [
      {
        route: {
          ...(source === undefined ? {} : { matches: [{ source }] }),
          ...(port === undefined || port === 0 ? {} : { ports: [port] }),
          takes: 'connections',
          ...(sni.length === 0 ? {} : { sni: [...new Set(sni)] }),
          backends,
        },
        name: '',
        at: route,
      },
    ];
  });
}

function backendsOf(route: Part, context: DestinationContext): readonly RawBackend[] {
  const { notes } = context;
  const items = itemsOf(child(route, 'route'));
  if (items.length === 0)
    notes.error('FW-ISTIO-005', route, 'the route leads nowhere', 'Give it a route with a destination');
  return items.flatMap((item): RawBackend[] => {
    const destination = child(item, 'destination');
    if (destination === undefined) {
      notes.error('FW-ISTIO-003', item, 'must have a destination');
      return [];
    }
    const target = targetOf(destination, context);
    const weight = numberOf(child(item, 'weight'), notes) ?? 0;
    return target === undefined ? [] : [{ ...target, ...(items.length === 1 ? {} : { weight }) }];
  });
}
