/** The application behind a sidecar, reachable through it alone: says which version it is, and in which cluster. */

import { createServer } from 'node:http';

const { VERSION = '', CLUSTER = '' } = process.env;

const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'x-version': VERSION, 'x-cluster': CLUSTER });
  response.end(`${JSON.stringify({ version: VERSION, cluster: CLUSTER })}\n`);
});
server.listen(8080, '127.0.0.1', () => console.log(`${VERSION} in ${CLUSTER} listens on 127.0.0.1:8080`));
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
