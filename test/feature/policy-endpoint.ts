/** A workload in a process of its own, so that it can be stopped or killed: `node policy-endpoint.ts NAME`. Prints its port, answers its name. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [name = ''] = process.argv.slice(2);
const server = createServer({ keepAliveTimeout: 0 }, (_incoming, response) => response.end(JSON.stringify({ name })));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
