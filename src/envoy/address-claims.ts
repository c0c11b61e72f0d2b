/**
 * Whose an address is. In one cluster a cluster IP belongs to one service; where a source says otherwise (a folder written by hand), the
 * oldest service keeps it, ties go to the name that sorts first, and the others go without it, which is reported.
 */

import type { Finding } from '../core/errors.ts';
import type { ServiceKey } from '../model/service.ts';

interface Claim {
  readonly key: ServiceKey;
  readonly createdAtMs: number;
}

const nobody: ReadonlySet<ServiceKey> = new Set();

export class AddressClaims {
  readonly #byAddress = new Map<string, readonly Claim[]>();
  readonly #byService = new Map<ServiceKey, readonly string[]>();
  #ipv6 = 0;

  /** Some address is IPv6. */
  get hasIpv6(): boolean {
    return this.#ipv6 > 0;
  }

  /** The service claims any address. */
  has(key: ServiceKey): boolean {
    return this.#byService.has(key);
  }

  /** Those that claim any. */
  services(): Iterable<ServiceKey> {
    return this.#byService.keys();
  }

  /** Replaces what `key` claims ([]: nothing); returns the other services that claim any address it claimed or claims, if that is a difference. */
  set(key: ServiceKey, createdAtMs: number, addresses: readonly string[]): ReadonlySet<ServiceKey> {
    if (this.#isAsBefore(key, createdAtMs, addresses)) return nobody;
    const others = new Set<ServiceKey>();
    for (const address of this.#byService.get(key) ?? []) {
      const rest = (this.#byAddress.get(address) ?? []).filter((claim) => claim.key !== key);
      if (rest.length === 0) this.#byAddress.delete(address);
      else this.#byAddress.set(address, rest);
      for (const claim of rest) others.add(claim.key);
      if (address.includes(':')) this.#ipv6 -= 1;
    }
    const distinct = [...new Set(addresses)].sort();
    for (const address of distinct) {
      const claims = [...(this.#byAddress.get(address) ?? []), { key, createdAtMs }];
      this.#byAddress.set(
        address,
        claims.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.key < b.key ? -1 : 1)),
      );
      for (const claim of claims) if (claim.key !== key) others.add(claim.key);
      if (address.includes(':')) this.#ipv6 += 1;
    }
    if (distinct.length === 0) this.#byService.delete(key);
    else this.#byService.set(key, distinct);
    return others;
  }

  /** The usual case: no other service's share can be another. */
  #isAsBefore(key: ServiceKey, createdAtMs: number, addresses: readonly string[]): boolean {
    const before = this.#byService.get(key) ?? [];
    if (before.length !== addresses.length || !addresses.every((address) => before.includes(address))) return false;
    return before.every((address) =>
      this.#byAddress.get(address)?.some((claim) => claim.key === key && claim.createdAtMs === createdAtMs),
    );
  }

  /** The addresses that are the service's, sorted. */
  of(key: ServiceKey): readonly string[] {
    return (this.#byService.get(key) ?? []).filter((address) => this.#byAddress.get(address)?.[0]?.key === key);
  }

  /** `cluster`: in whose words; for the report. */
  findings(cluster: string): Finding[] {
    return [...this.#byAddress]
      .filter(([, claims]) => claims.length > 1)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([address, [owner, ...others]]) => ({
        code: 'FW-ENVOY-001' as const,
        severity: 'warning' as const,
        message: `address ${address} is claimed by ${owner?.key} (oldest, keeps it) and by ${others.map(({ key }) => key).join(', ')}, which sidecars reach by name only`,
        where: { cluster, object: `Service ${others[0]?.key}` },
        hint: 'give each Service its own clusterIP',
      }));
  }
}
