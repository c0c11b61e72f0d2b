/** What the runs of Gateway API's suite need that is built or fetched: its tests, the pods that only the Gateways' tests ask for, the CRDs. */

import { join } from 'node:path';
import { goModuleFolder, goPrograms } from '../../rig/go-programs.ts';
import { prepareRig } from '../../rig/rig.ts';

/** Of `sigs.k8s.io/gateway-api` and its conformance module, as go.mod has it. */
export const version = '1.6.3';

export async function prepareSuite(say: (message: string) => void): Promise<Readonly<Record<string, string>>> {
  await prepareRig(say);
  const module = import.meta.dirname;
  const name = 'gateway-api-conformance';
  const tests = await goPrograms({ name, module, programs: { conformance: '.' }, mode: 'test' }, say);
  const echo = { 'echo-basic': 'sigs.k8s.io/gateway-api/conformance/echo-basic' };
  const backends = await goPrograms({ name: 'echo-basic', module, programs: echo }, say);
  return {
    program: join(tests, 'conformance'),
    backend: join(backends, 'echo-basic'),
    crds: join(goModuleFolder(module, 'sigs.k8s.io/gateway-api'), 'config/crd'),
  };
}
