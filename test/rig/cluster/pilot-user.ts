/**
 * Who the pilot is in a cluster, by the very manifests that deploy/ gives people: the primary's or a member's service account, its rights, and
 * a token for it. So a right that is missing there is missing here.
 */

import { join } from 'node:path';
import type { KubeApi } from '../kubernetes/api.ts';

const deploy = join(import.meta.dirname, '../../../deploy');
const namespace = 'fairway-system';

/** Of deploy/pilot, without what runs the pilot as a pod. */
const primaryManifests = ['pilot/namespace.yaml', 'pilot/service-account.yaml', 'pilot/roles.yaml'];
const memberManifests = ['remote/reader.yaml'];

export interface PilotUserOptions {
  readonly primary: boolean;
  /** More of deploy/, as in `remote/member-rules.yaml`. */
  readonly roles: readonly string[];
}

/** Applies the manifests; gives a token for a day. */
export async function pilotToken(api: KubeApi, { primary, roles }: PilotUserOptions): Promise<string> {
  for (const file of [...(primary ? primaryManifests : memberManifests), ...roles]) {
    await api.kubectl(['apply', '-f', join(deploy, file)]);
  }
  const account = primary ? 'fairway' : 'fairway-reader';
  return (await api.kubectl(['create', 'token', account, '-n', namespace, '--duration=24h'])).trim();
}
