/**
 * What would otherwise keep the first proxies waiting, and everybody else with them, done before they come: Envoy's protos are read and their
 * encoders made, and once the services are known, what each gives to most sidecars is encoded, in slices between which others have their turn.
 */

import { assignmentKey } from '../envoy/locality-levels.ts';
import { ScopeResources } from '../envoy/scope-resources.ts';
import { servicePieces } from '../envoy/service-pieces.ts';
import { defaultMeshSettings, type Mesh, type Scope } from '../model/mesh.ts';
import { discoveryProtos } from '../xds/protos.ts';

/** How long one slice may take, ms. */
const sliceMs = 4;

const somebody: Scope = {
  cluster: '',
  network: '',
  namespace: '',
  mode: 'explicit',
  outbound: { address: '127.0.0.1', port: 0 },
  inboundAddress: '127.0.0.1',
  inbound: [],
  routes: 'tables',
  rejected: [],
};

/** Makes ready what is needed as soon as a proxy comes: about 200 ms, once per process. */
export function readProtos(): void {
  const nothing: Mesh = { revision: 0, settings: defaultMeshSettings, services: new Map() };
  for (const mode of ['explicit', 'captured'] as const)
    new ScopeResources({ ...somebody, mode }).update(nothing, 'all');
  const { sotwRequest, deltaRequest } = discoveryProtos();
  for (const type of [sotwRequest, deltaRequest]) type.decode(Buffer.alloc(0));
}

/** Encodes what the services of `mesh` give to sidecars. `enqueue` gives a job its turn soon, once; `now` is monotonic, ms. */
export function warmUp(
  mesh: Pick<Mesh, 'services' | 'settings'>,
  enqueue: (job: { turn(): void }) => void,
  now: () => number,
): void {
  // By name, since a service may be another by the time it is its turn.
  const names = [...mesh.services.keys()].values();
  const job = {
    turn(): void {
      const untilMs = now() + sliceMs;
      for (const name of names) {
        const service = mesh.services.get(name);
        if (service !== undefined) servicePieces(service, mesh.settings).assignments(assignmentKey(service, somebody));
        if (now() < untilMs) continue;
        enqueue(job);
        return;
      }
    },
  };
  enqueue(job);
}
