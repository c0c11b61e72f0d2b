/** The application behind a sidecar: says which version it is, and in which cluster. */

import { createServer, type Server } from 'node:http';
import { listen } from './ports.ts';
import type { Workload } from './scene.ts';

export interface RunningWorkload {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startWorkload(workload: Workload): Promise<RunningWorkload> {
  const body = JSON.stringify({ version: workload.version, cluster: workload.cluster, workload: workload.name });
  const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'x-version': workload.version,
      'x-cluster': workload.cluster,
    });
    response.end(`${body}\n`);
  });
  const port = await listen(server, 0);
  return { port, stop: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
