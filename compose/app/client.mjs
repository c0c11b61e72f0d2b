/** Sends twenty requests a second through its sidecar, as an application with a proxy setting does, and prints every second where they went. */

import { Agent, request } from 'node:http';

const { CLUSTER = '', PROXY = '127.0.0.1:15001', TARGET = 'http://reviews.shop/' } = process.env;
const [host, port] = PROXY.split(':');
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
let counts = new Map();

function count(place) {
  counts.set(place, (counts.get(place) ?? 0) + 1);
}

function send() {
  const call = request(
    { agent, host, port, path: TARGET, headers: { host: new URL(TARGET).host }, timeout: 5000 },
    (answer) => {
      answer.resume();
      if (answer.statusCode === 200) count(`${answer.headers['x-version']} ${answer.headers['x-cluster']}`);
      else count(`status ${answer.statusCode}`);
    },
  );
  call.once('timeout', () => call.destroy(new Error('no answer within 5 s')));
  call.once('error', (error) => count(error.code ?? error.message));
  call.end();
}

setInterval(send, 50);
setInterval(() => {
  const shares = [...counts].sort().map(([place, requests]) => `${place}: ${requests}`);
  console.log(`from ${CLUSTER} → ${shares.join(', ') || 'nothing answered'}`);
  counts = new Map();
}, 1000);
process.once('SIGTERM', () => process.exit(0));
