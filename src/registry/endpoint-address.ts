/** Which addresses an endpoint may have. In: an address as an object writes it; out: its one canonical form, or nothing. */

import { BlockList, isIP } from 'node:net';

/** What the API itself refuses as endpoints: https://github.com/kubernetes/kubernetes/blob/v1.36.1/pkg/apis/core/validation/validation.go (ValidateEndpointIP). */
const forbidden = new BlockList();
forbidden.addAddress('0.0.0.0');
forbidden.addSubnet('169.254.0.0', 16);
forbidden.addSubnet('224.0.0.0', 4);
forbidden.addAddress('255.255.255.255');
forbidden.addAddress('::', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addSubnet('ff00::', 8, 'ipv6');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');
/** Private IPv4, which is what nearly all endpoints have, and none of which is on a list: 10.0.0.0/8, in the one form that it may be written in. */
const commonAddress = /^10(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
/** IPv4 in IPv6's clothes: would get round the lists above. */
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

/** The address in its one canonical form, or undefined if no endpoint may have it. */
export function endpointAddress(
  address: string,
  addressType: 'IPv4' | 'IPv6',
  allowLoopback: boolean,
): string | undefined {
  if (addressType === 'IPv4' && commonAddress.test(address)) return address;
  const family = addressType === 'IPv4' ? 'ipv4' : 'ipv6';
  if (isIP(address) !== (addressType === 'IPv4' ? 4 : 6) || address.includes('%')) return undefined;
  if (forbidden.check(address, family)) return undefined;
  if (!allowLoopback && loopback.check(address, family)) return undefined;
  if (family === 'ipv4') return address;
  if (mapped.check(address, 'ipv6')) return undefined;
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}
