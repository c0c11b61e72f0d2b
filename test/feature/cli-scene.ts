/** What tests of the `fairway` command play on: a real admin server with a sample mesh, and a folder, both new for each test. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownVersion } from '../../src/cli/commands/version.ts';
import { type AdminRig, type RigOptions, startRig } from './api-rig.ts';
import { sampleMesh } from './api-sample-mesh.ts';

export const ruleText = (name: string, version = 'v1', namespace = 'shop'): string => `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  service: reviews
  routes:
  - backends:
    - {version: ${version}, weight: 90}
`;

/** To be called in a `describe`; what it gives is of the test that runs. */
export function cliScene() {
  let rig: AdminRig;
  let folder: string;
  let env: Readonly<Record<string, string>>;

  beforeEach(async () => {
    rig = await startRig({ mesh: { ...sampleMesh(Date.now()), version: ownVersion() } });
    folder = mkdtempSync(join(tmpdir(), 'fairway-cli-'));
    env = { FAIRWAY_ADMIN: rig.url, HOME: folder };
  });
  afterEach(async () => {
    await rig.stop();
    rmSync(folder, { recursive: true });
  });

  return {
    get rig() {
      return rig;
    },
    /** The same mesh behind another server. */
    async restart(options: Omit<RigOptions, 'mesh'>): Promise<void> {
      await rig.stop();
      rig = await startRig({ mesh: rig.mesh, ...options });
      env = { ...env, FAIRWAY_ADMIN: rig.url };
    },
    get folder() {
      return folder;
    },
    /** Of a shell that knows the pilot. */
    get env() {
      return env;
    },
    /** Writes a file in the folder, and returns its path. */
    file(name: string, text: string): string {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
  };
}
