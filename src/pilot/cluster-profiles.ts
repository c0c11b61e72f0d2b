/**
 * ClusterProfiles in the pilot's namespace of the primary: clusters registered from them, and registered clusters told of in them, each only
 * where the operator asks for it.
 */

import { readFile } from 'node:fs/promises';
import type { Clock } from '../core/clock.ts';
import { FairwayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Inventory } from '../registry/inventory.ts';
import type { Access } from '../registry/kube/access.ts';
import { type AccessProvider, readProviders } from '../registry/kube/access-providers.ts';
import { ProfileWriter } from '../registry/kube/cluster-profile-writer.ts';
import { ProfileDiscovery } from '../registry/kube/cluster-profiles.ts';
import type { OpenMember } from '../registry/member-host.ts';
import type { PilotConfig } from './config.ts';

/** undefined: no file is named. Throws FW-KUBE-025 for one that is no list of providers or cannot be read. */
export async function accessProviders({
  clusterProfiles: file,
}: PilotConfig): Promise<readonly AccessProvider[] | undefined> {
  if (file === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new FairwayError({
      code: 'FW-KUBE-025',
      message: `the file of access providers cannot be read: ${error.code ?? error.message}`,
      where: { file },
      hint: 'Give a readable file with --cluster-profiles.',
    });
  });
  return readProviders(text, { file });
}

export interface ProfileInputs {
  readonly config: PilotConfig;
  /** The primary's API. */
  readonly access: Access;
  readonly providers: readonly AccessProvider[] | undefined;
  readonly inventory: Inventory;
  readonly openMember: OpenMember;
  readonly isLeader: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function attachClusterProfiles(inputs: ProfileInputs): readonly (ProfileDiscovery | ProfileWriter)[] {
  const { config, access, providers, inventory, openMember, isLeader, clock, logger } = inputs;
  const { namespace } = config;
  const common = { access, namespace, clock, logger };
  const parts: (ProfileDiscovery | ProfileWriter)[] = [];
  if (providers !== undefined)
    parts.push(new ProfileDiscovery({ ...common, providers, registrar: inventory, openMember }));
  if (config.publishClusters === true) {
    parts.push(
      new ProfileWriter({
        ...common,
        clusters: () => inventory.clusters().values(),
        isComplete: () => inventory.settled(),
        isWhole: () => inventory.isWhole(),
        isLeader,
      }),
    );
  }
  return parts;
}
