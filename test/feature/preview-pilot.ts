/**
 * A pilot over the clusters and rules of test/support/preview-files.ts, asked what objects would change. In: the folder and its files. Out: what
 * `fairway diff` and `apply` say, and clients that show what proxies are really sent.
 */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { PreviewReport } from '../../src/model/preview.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { envoyNode } from '../support/pilot.ts';
import type { PreviewFiles } from '../support/preview-files.ts';
import { XdsClient } from '../support/xds-client.ts';
import { fairway } from './cli-run.ts';

export interface PreviewPilot {
  readonly pilot: Pilot;
  /** `host:port` */
  readonly admin: string;
  /** A proxy of the cluster that has been sent its Envoy clusters, and goes on following them. */
  follow(name: string, cluster: string): Promise<XdsClient>;
  /** Writes the text into a file of the folder, in place of the text before. Returns its path. */
  file(text: string): string;
  diff(text: string): Promise<PreviewReport & { readonly exit: number | null }>;
  apply(text: string): Promise<void>;
  /** Ends the pilot and all that follows it. */
  stop(): Promise<void>;
}

/** `args`: options of `fairway serve` besides the folders. */
export async function startPreviewPilot(
  folder: string,
  files: PreviewFiles,
  args: readonly string[] = [],
): Promise<PreviewPilot> {
  const port = await freePort();
  const admin = `127.0.0.1:${await freePort()}`;
  const clients: XdsClient[] = [];
  const pilot = await startPilot({
    xds: `127.0.0.1:${port}`,
    admin,
    args: ['--clusters', files.clusters, '--rules', files.rules, ...args],
    logFile: join(folder, 'pilot.log'),
  });
  const file = (text: string): string => {
    const path = join(folder, 'given.yaml');
    writeFileSync(path, text);
    return path;
  };
  return {
    pilot,
    admin,
    file,
    async follow(name, cluster) {
      const node = envoyNode({ name, cluster, metadata: { FAIRWAY_ROUTES: 'vhds' } });
      const client = XdsClient.open({ port, transport: 'delta', node });
      clients.push(client);
      client.subscribe(typeUrl.cluster);
      await client.until(() => client.held(typeUrl.cluster).size > 0);
      return client;
    },
    async diff(text) {
      const { exit, out, err } = await fairway(['diff', '--admin', admin, '-f', file(text), '-o', 'json']);
      assert.notEqual(out, '', err);
      return { ...(JSON.parse(out) as PreviewReport), exit };
    },
    async apply(text) {
      const applied = await fairway(['apply', '--admin', admin, '-f', file(text)]);
      assert.equal(applied.exit, 0, applied.err);
    },
    async stop() {
      for (const client of clients) client.close();
      await pilot.stop();
    },
  };
}
