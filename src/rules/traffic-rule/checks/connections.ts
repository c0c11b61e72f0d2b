/**
 * What a schema cannot say of where a route leads, and of routes that take connections. In: a route whose parts all have the right type (or are
 * missing). Out: findings. The CEL rules of schema/route.ts and schema/backend.ts say the same to the API server.
 */

import type { Findings, Path } from '../../objects/findings.ts';
import type { Sound } from '../../objects/structure.ts';
import { doneWithRequests } from '../schema/route.ts';
import type { RawRoute } from '../schema/spec.ts';

export function checkConnections(route: Sound<RawRoute>, path: Path, findings: Findings): void {
  for (const name of ['backends', 'mirrors'] as const) {
    for (const [i, target] of (route[name] ?? []).entries()) {
      if (target?.namespace === undefined || Object.hasOwn(target, 'service')) continue;
      const hint = 'Add service, or remove namespace';
      findings.error('FW-RULE-185', [...path, name, i, 'namespace'], 'namespace needs service', hint);
    }
  }
  if (Object.hasOwn(route, 'sni') && route.takes !== 'connections') {
    findings.error('FW-RULE-186', [...path, 'sni'], 'sni needs takes: connections', 'Add takes: connections');
  }
  if (route.takes !== 'connections') return;
  for (const name of ['redirect', 'respond', ...doneWithRequests] as const) {
    if (!Object.hasOwn(route, name)) continue;
    const message = `${name} is done with a request, and this route takes connections`;
    findings.error('FW-RULE-187', [...path, name], message, `Remove ${name}, or takes`);
  }
}
