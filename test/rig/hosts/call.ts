/**
 * One request, made on a host. In: a protocol, a target and a host name on the command line; out: one JSON line
 * `{status, headers, body, trailers}` (TCP: `{greeting, echo}`), or `{error}`. Never waits longer than 10 s.
 */

import { request } from 'node:http';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'http1' },
    target: { type: 'string', default: '' },
    host: { type: 'string', default: '' },
    path: { type: 'string', default: '/' },
    header: { type: 'string', multiple: true, default: [] },
  },
});
const colon = values.target.lastIndexOf(':');
const address = { host: values.target.slice(0, colon), port: Number(values.target.slice(colon + 1)) };
const headers = Object.fromEntries(values.header.map((header) => header.split(':').map((part) => part.trim())));

function print(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
}

function http1(): void {
  const outgoing = request(
    { ...address, path: values.path, headers: { ...headers, host: values.host } },
    (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        print({ status: response.statusCode, headers: response.headers, body, trailers: response.trailers }),
      );
    },
  );
  outgoing.on('error', (error) => print({ error: error.message }));
  outgoing.end();
}

/** gRPC is HTTP/2 with its content type, a message with a five-byte head, and the status in the trailers. */
function http2(grpc: boolean): void {
  const session = connectHttp2(`http://${values.target}`);
  session.on('error', (error) => print({ error: error.message }));
  const extra = grpc ? { ':method': 'POST', 'content-type': 'application/grpc+json', te: 'trailers' } : {};
  const stream = session.request({ ':path': values.path, ':authority': values.host, ...headers, ...extra });
  const answer: { status?: number; headers?: unknown; trailers?: unknown } = {};
  const chunks: Buffer[] = [];
  stream.on('response', (received: IncomingHttpHeaders) => {
    answer.status = Number(received[':status']);
    answer.headers = { ...received };
  });
  stream.on('trailers', (received) => {
    answer.trailers = { ...received };
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', (error) => print({ error: error.message }));
  stream.on('end', () => {
    const body = Buffer.concat(chunks);
    print({ ...answer, body: (grpc ? body.subarray(5) : body).toString() });
  });
  stream.end(grpc ? Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]) : undefined);
}

function tcp(): void {
  const socket = connect(address);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const greeted = text.includes('\n');
    text += chunk;
    const lines = text.split('\n');
    if (!greeted && lines.length > 1) socket.write('ping\n');
    if (lines.length > 2) print({ greeting: JSON.parse(lines[0] ?? ''), echo: lines[1] });
  });
  socket.on('error', (error) => print({ error: error.message }));
  socket.on('close', () => print({ error: `closed after "${text}"` }));
}

setTimeout(() => print({ error: 'no answer in 10 s' }), 10_000).unref();
if (values.protocol === 'http1') http1();
else if (values.protocol === 'tcp') tcp();
else http2(values.protocol === 'grpc');
