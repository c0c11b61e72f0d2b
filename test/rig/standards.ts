/**
 * CRDs of the standards that Fairway reads, as their own Go modules ship them. In: nothing (the modules are those that the rig's programs are
 * built from); out: folders, for `startRig({ manifests })`. To be called outside, where there is a way to the module proxy.
 */

import { join } from 'node:path';
import { goModuleFolder } from './go-programs.ts';

export const standards = ['gateway-api', 'gateway-api-experimental', 'mcs'] as const;
export type Standard = (typeof standards)[number];

const modules: Readonly<Record<Standard, { readonly of: string; readonly module: string; readonly folder: string }>> = {
  'gateway-api': { of: 'echo', module: 'sigs.k8s.io/gateway-api', folder: 'config/crd/standard' },
  'gateway-api-experimental': { of: 'echo', module: 'sigs.k8s.io/gateway-api', folder: 'config/crd/experimental' },
  mcs: { of: 'mcs', module: 'sigs.k8s.io/mcs-api', folder: 'config/crd' },
};

export function standardCrds(standard: Standard): string {
  const { of, module, folder } = modules[standard];
  return join(goModuleFolder(join(import.meta.dirname, of), module), folder);
}
