/** A pilot's settings for tests that assemble one in their own process: no cluster, no file, nothing to wait for. */

import type { PilotConfig } from '../../src/pilot/config.ts';

const anyPort = { host: '127.0.0.1', port: 0 };

export const bareConfig: PilotConfig = {
  contexts: [],
  inCluster: false,
  inClusterName: '',
  allowExecCredentials: false,
  xds: anyPort,
  admin: anyPort,
  namespace: '',
  outbound: 'allow-any',
  mode: 'eager',
  clusterDomain: 'cluster.local',
  accessLog: true,
  logLevel: 'error',
  logFormat: 'json',
  syncWaitMs: 0,
  drainMs: 0,
};
