/** A workload in a process of its own, so that it can be stopped or killed: `node policy-endpoint.ts NAME [h2c]`. Prints its port, answers its name. */

import { createServer } from 'node:http';
import { createServer as createH2cServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

const [name = '', kind = 'http'] = process.argv.slice(2);
const answer = JSON.stringify({ name });
const server =
  kind === 'h2c'
    ? createH2cServer((_incoming, response) => response.end(answer))
    : createServer({ keepAliveTimeout: 0 }, (_incoming, response) => response.end(answer));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
