/**
 * A route table (RDS) put together from virtual hosts that are encoded already: a change of one host costs its own encoding, not the table's;
 * or, for proxies that get the hosts over VHDS, the table without them, which stays the same while hosts come and go.
 *
 * What always holds: the parts are in the order of their names and the catch-all comes last, so that equal sets of parts are equal bytes; the
 * version follows the parts' versions. The body is joined only when somebody reads it.
 */

import type { Overlay } from '../core/layered-map.ts';
import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import type { Scope } from '../model/mesh.ts';
import { overAds } from './common.ts';
import { httpProxy } from './names.ts';
import { encodeAny, encodeMessage, encodeResource, ownBytes, type Plain, versionOf } from './proto/encode.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

export class RouteTable {
  readonly #name: string;
  readonly #routes: Scope['routes'];
  #catchAll: VirtualHostPart;
  readonly #parts = new Map<string, VirtualHostPart>();
  /** The parts' names, sorted. */
  readonly #order: string[] = [];
  #resource: EncodedResource | undefined;

  constructor(name: string, catchAll: VirtualHostPart, routes: Scope['routes'] = 'tables') {
    this.#name = name;
    this.#routes = routes;
    this.#catchAll = catchAll;
  }

  get size(): number {
    return this.#parts.size;
  }

  /** By name, without the catch-all. */
  get parts(): ReadonlyMap<string, VirtualHostPart> {
    return this.#parts;
  }

  /** The parts' names, sorted; [] where the table does not hold its hosts. */
  get order(): readonly string[] {
    return this.#order;
  }

  set(part: VirtualHostPart): void {
    const before = this.#parts.get(part.name);
    if (before === part) return;
    this.#parts.set(part.name, part);
    if (this.#routes !== 'tables') return;
    if (before === undefined) this.#order.splice(this.#position(part.name), 0, part.name);
    this.#resource = undefined;
  }

  delete(name: string): void {
    if (!this.#parts.delete(name) || this.#routes !== 'tables') return;
    this.#order.splice(this.#position(name), 1);
    this.#resource = undefined;
  }

  get catchAll(): VirtualHostPart {
    return this.#catchAll;
  }

  setCatchAll(part: VirtualHostPart): void {
    this.#catchAll = part;
    this.#resource = undefined;
  }

  /** The same object until something is set or deleted. */
  resource(): EncodedResource {
    this.#resource ??= this.#encode();
    return this.#resource;
  }

  #encode(): EncodedResource {
    switch (this.#routes) {
      case 'tables':
        return new JoinedTable(this.#name, [
          ...this.#order.map((name) => this.#parts.get(name) as VirtualHostPart),
          this.#catchAll,
        ]);
      case 'vhds':
      case 'on-demand':
        return discoveredTable(this.#name);
    }
  }

  /** The index of the first name that does not sort before `name`. */
  #position(name: string): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#order[middle] as string) < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A whole table that differs from `base`. */
export function tableOver(
  name: string,
  base: RouteTable | undefined,
  own: Overlay<VirtualHostPart>,
  catchAll: VirtualHostPart,
): EncodedResource {
  const parts: VirtualHostPart[] = [];
  const added = [...own.values()].flatMap((part) => part ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
  let at = 0;
  for (const each of base?.order ?? []) {
    for (let next = added[at]; next !== undefined && next.name <= each; next = added[++at]) parts.push(next);
    const part = own.has(each) ? undefined : base?.parts.get(each);
    if (part !== undefined) parts.push(part);
  }
  return new JoinedTable(name, [...parts, ...added.slice(at), catchAll]);
}

class JoinedTable implements EncodedResource {
  readonly name: string;
  readonly version: string;
  #parts: readonly VirtualHostPart[] | undefined;
  #body: Buffer | undefined;

  constructor(name: string, parts: readonly VirtualHostPart[]) {
    this.name = name;
    this.#parts = parts;
    this.version = versionOf(`${name}\n${parts.map(({ version }) => version).join('\n')}`);
  }

  get body(): Buffer {
    if (this.#body === undefined) {
      this.#body = join(this.name, this.#parts ?? []);
      this.#parts = undefined;
    }
    return this.#body;
  }
}

/**
 * The catch-all comes over VHDS too: standing here, it would take requests before the hosts have come; and where hosts come on demand, Envoy
 * asks for a host only if nothing matches it.
 */
export function discoveredTable(name: string): EncodedResource {
  return encodeResource(typeUrl.route, name, { name, vhds: { config_source: overAds }, ...matchingOf(name) });
}

/**
 * A port's own table takes requests to that port, and what port their Host names says nothing more: the Gateway API's rule for every
 * implementation, and what Istio does. In the one table of explicit mode that port is the service's.
 */
function matchingOf(table: string): Plain {
  return { ignore_port_in_host_matching: table !== httpProxy };
}

/** RouteConfiguration: `virtual_hosts` is field 2, repeated; what says how they match comes after it. Fields of one message may be joined as bytes. */
function join(name: string, parts: readonly VirtualHostPart[]): Buffer {
  const encode = (value: Plain): Buffer => ownBytes(encodeMessage('envoy.config.route.v3.RouteConfiguration', value));
  const head = encode({ name });
  const chunks: Buffer[] = [head];
  for (const { body } of parts) chunks.push(fieldHeader(2, body.length), body);
  chunks.push(encode(matchingOf(name)));
  return encodeAny(typeUrl.route, Buffer.concat(chunks));
}

/** The tag of a length-delimited field, and the length (https://protobuf.dev/programming-guides/encoding/#length-types). */
function fieldHeader(field: number, length: number): Buffer {
  const bytes = [(field << 3) | 2];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
