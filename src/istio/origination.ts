/** TLS that proxies begin with the hosts of a ServiceEntry: the DestinationRule in force for them says it, for all ports or for some. */

import { Notes } from './notes.ts';
import type { IstioObjects } from './objects.ts';
import { child, type IstioObject } from './parts.ts';
import { chosenPolicy } from './policy-choice.ts';
import { portPolicies, type RawTls, simpleTls } from './policy-tls.ts';

/** undefined: none on that port. */
export type TlsOfPort = (port: number) => RawTls | undefined;

/** What is wrong with the policy is told where it is translated. */
export function tlsOfEntry(entry: IstioObject, objects: IstioObjects): TlsOfPort {
  const notes = new Notes();
  const policy = chosenPolicy(entry, objects.policies(entry), notes)?.at;
  const general = simpleTls(child(policy, 'tls'), notes);
  const ofPorts = new Map(portPolicies(policy, notes).map(({ port, tls }) => [port, simpleTls(tls, notes)]));
  return (port) => (ofPorts.has(port) ? ofPorts.get(port) : general);
}
