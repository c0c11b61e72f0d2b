/**
 * A workload as tests need it: it says who answered. In: ports and a name on the command line; out: one JSON line `{"listening":true}` on
 * stdout, then answers.
 *
 * HTTP/1 and HTTP/2 without TLS answer JSON with the version, the cluster, the pod and what was asked; requests with a gRPC content type
 * get gRPC's trailers. TCP sends one JSON line, then echoes. On SIGTERM it goes on serving for `--drain-ms`, as a well-behaved
 * workload does while the news of its end travels; then it finishes what is open and ends.
 */

import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { createServer as createTcpServer, type Server } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '0.0.0.0' },
    http: { type: 'string' },
    h2c: { type: 'string' },
    tcp: { type: 'string' },
    'version-label': { type: 'string', default: '' },
    cluster: { type: 'string', default: '' },
    pod: { type: 'string', default: '' },
    'drain-ms': { type: 'string', default: '2000' },
  },
});
const who = { version: values['version-label'], cluster: values.cluster, pod: values.pod };
const servers: Server[] = [];
const sessions = new Set<ServerHttp2Session>();
let draining = false;

function answer(protocol: string, method: string, path: string, headers: IncomingHttpHeaders): string {
  return `${JSON.stringify({ ...who, protocol, method, path, headers })}\n`;
}

/** `/status/503` answers 503, `/delay/200` answers after 200 ms. */
function behaviour(path: string): { status: number; delayMs: number } {
  const status = /^\/status\/(\d{3})/.exec(path)?.[1];
  const delay = /^\/delay\/(\d{1,5})/.exec(path)?.[1];
  return { status: status === undefined ? 200 : Number(status), delayMs: delay === undefined ? 0 : Number(delay) };
}

const http = createHttpServer((request, response) => {
  const { status, delayMs } = behaviour(request.url ?? '/');
  request.resume();
  request.on('end', () => {
    setTimeout(() => {
      if (draining) response.setHeader('connection', 'close');
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(answer('http/1.1', request.method ?? '', request.url ?? '', request.headers));
    }, delayMs);
  });
});
// The sidecar decides how long an idle connection lives; a server that closes first would race with its next request.
http.keepAliveTimeout = 0;

const h2c = createHttp2Server();
h2c.on('session', (session) => {
  sessions.add(session);
  session.on('close', () => sessions.delete(session));
});
h2c.on('stream', (stream, headers) => {
  const path = String(headers[':path'] ?? '/');
  const { status, delayMs } = behaviour(path);
  const grpc = String(headers['content-type'] ?? '').startsWith('application/grpc');
  stream.on('error', () => {});
  stream.resume();
  stream.on('end', () => {
    setTimeout(() => {
      if (stream.destroyed) return;
      const plain = Object.fromEntries(Object.entries(headers).filter(([name]) => typeof name === 'string'));
      const body = answer('h2', String(headers[':method'] ?? ''), path, plain);
      stream.respond(
        { ':status': status, 'content-type': grpc ? 'application/grpc+json' : 'application/json' },
        { waitForTrailers: grpc },
      );
      if (grpc) stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(grpc ? grpcMessage(body) : body);
    }, delayMs);
  });
});

const tcp = createTcpServer((socket) => {
  socket.on('error', () => {});
  socket.write(`${JSON.stringify({ ...who, protocol: 'tcp' })}\n`);
  socket.pipe(socket);
});

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses: a flag byte and the length, then the message. */
function grpcMessage(body: string): Buffer {
  const message = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function listen(server: Server, port: string | undefined): Promise<void> {
  if (port === undefined) return;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: Number(port), host: values.address, backlog: 1024 }, resolve);
  });
  servers.push(server);
}

process.on('SIGTERM', () => {
  if (draining) return;
  draining = true;
  setTimeout(() => {
    for (const server of servers) server.close();
    http.closeIdleConnections();
    for (const session of sessions) session.close();
    // Echoing connections have no end of their own.
    setTimeout(() => process.exit(0), 1000).unref();
  }, Number(values['drain-ms']));
});

await Promise.all([listen(http, values.http), listen(h2c as unknown as Server, values.h2c), listen(tcp, values.tcp)]);
process.stdout.write(`${JSON.stringify({ listening: true, pid: process.pid })}\n`);
