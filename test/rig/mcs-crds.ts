/** The CRDs of the Multi-Cluster Services API, from their own Go module: a folder for `kubectl apply -f`. */

import { join } from 'node:path';
import { goModuleFolder } from './go-programs.ts';

export function mcsCrds(): string {
  return join(goModuleFolder(join(import.meta.dirname, 'mcs'), 'sigs.k8s.io/mcs-api'), 'config/crd');
}
