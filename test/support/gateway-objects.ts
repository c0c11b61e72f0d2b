/** Objects of the Gateway API as tests write them: YAML through the real parsers, into a real table of routes. */

import assert from 'node:assert/strict';
import { parseAllDocuments } from 'yaml';
import type { Finding } from '../../src/core/errors.ts';
import type { Outcome } from '../../src/gateway-api/compile.ts';
import { gatewayApiKinds } from '../../src/gateway-api/kinds.ts';
import { type GatewayRoute, type Grant, type RouteId } from '../../src/gateway-api/route.ts';
import { RouteTable } from '../../src/gateway-api/route-table.ts';
import type { TargetPort, TargetService } from '../../src/gateway-api/targets.ts';
import type { Merging } from '../../src/model/clusterset.ts';
import type { TrafficRule } from '../../src/model/rule.ts';
import type { ServiceKey } from '../../src/model/service.ts';
import { rawObject } from './rules.ts';

export interface Parsed {
  readonly id: string;
  readonly kind: string;
  readonly value: GatewayRoute | Grant | undefined;
  readonly findings: readonly Finding[];
}

/** YAML, or what it says; `apiVersion` may be left out. */
export function parseGatewayObjects(given: string | readonly unknown[]): readonly Parsed[] {
  const objects = typeof given === 'string' ? parseAllDocuments(given).map((document) => document.toJS()) : given;
  return objects.map((one) => {
    const object = one as { readonly kind: string };
    const row = gatewayApiKinds.find(({ kind }) => kind === object.kind);
    assert.ok(row !== undefined, `no kind ${object.kind}`);
    const raw = rawObject({ apiVersion: row.apiVersion, ...object }, 'routes.yaml');
    const { value, findings, namespace, name } = row.parse(raw, { defaultNamespace: 'shop' });
    return { id: `${object.kind} ${namespace}/${name}`, kind: object.kind, value: value as Parsed['value'], findings };
  });
}

/** Of one valid object. */
export function parseOne(text: string): GatewayRoute {
  const [parsed] = parseGatewayObjects(text);
  assert.ok(parsed?.value !== undefined, JSON.stringify(parsed?.findings, undefined, 2));
  return parsed.value as GatewayRoute;
}

/** `80 http`, `6379 connections redis`, `443 connections https tls`, `53 connections dns udp`. */
export function target(...ports: readonly string[]): TargetService {
  return {
    isAlias: false,
    isImported: true,
    ports: ports.map((text): TargetPort => {
      const [number, carries, name = 'http', more] = text.split(' ');
      return {
        port: Number(number),
        name,
        transport: more === 'udp' ? 'UDP' : 'TCP',
        carries: carries === 'connections' ? 'connections' : 'requests',
        tls: more === 'tls',
      };
    }),
  };
}

export class GatewayScene {
  readonly services = new Map<ServiceKey, TargetService>();
  readonly table: RouteTable;
  readonly #held = new Map<string, Parsed>();

  constructor(merging: Merging = 'all') {
    this.table = new RouteTable((key) => this.services.get(key), merging);
  }

  service(key: ServiceKey, ...ports: readonly string[]): this {
    this.services.set(key, target(...(ports.length === 0 ? ['80 requests'] : ports)));
    this.table.servicesChanged([key]);
    return this;
  }

  removeService(key: ServiceKey): void {
    this.services.delete(key);
    this.table.servicesChanged([key]);
  }

  /** Returns the services whose rule is another. */
  apply(text: string): ReadonlySet<ServiceKey> {
    for (const parsed of parseGatewayObjects(text)) this.#put(parsed.id, parsed);
    return this.table.update();
  }

  delete(id: string): ReadonlySet<ServiceKey> {
    this.#put(id, undefined);
    return this.table.update();
  }

  rule(key: ServiceKey = 'shop/reviews'): TrafficRule | undefined {
    return this.table.rules.get(key);
  }

  outcome(id: RouteId, index = 0): Outcome {
    const outcome = this.table.outcomes(id).find((each) => each.index === index);
    assert.ok(outcome !== undefined, `${id} has no parent ${index}`);
    return outcome;
  }

  #put(id: string, parsed: Parsed | undefined): void {
    const before = this.#held.get(id);
    assert.ok(parsed === undefined || parsed.value !== undefined, JSON.stringify(parsed?.findings, undefined, 2));
    if (parsed === undefined) this.#held.delete(id);
    else this.#held.set(id, parsed);
    if ((parsed ?? before)?.kind === 'ReferenceGrant')
      this.table.setGrant(id, before?.value as Grant | undefined, parsed?.value as Grant | undefined);
    else this.table.setRoute(id, before?.value as GatewayRoute | undefined, parsed?.value as GatewayRoute | undefined);
  }
}
