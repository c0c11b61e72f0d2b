/** TLS that a sidecar begins with hosts outside: real Envoy, real TLS servers, and an authority of the test's own. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { waitFor } from '../rig/wait.ts';
import { makeAuthority } from '../support/certificates.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type EnvoyRig, startEnvoyRig } from './envoy-rig.ts';

interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

describe('TLS to hosts outside', function () {
  this.timeout(60_000);
  const authority = makeAuthority('the test’s own');
  const stranger = makeAuthority('somebody else');
  const folder = mkdtempSync(join(tmpdir(), 'fairway-external-tls-'));
  const servers: Server[] = [];
  let rig: EnvoyRig;

  before(async function () {
    const started = await startEnvoyRig({ mode: 'explicit', inboundTarget: 1 });
    if (started === undefined) return skip(this, noEnvoy);
    rig = started;
  });

  after(async () => {
    await rig?.stop();
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true });
  });

  /** Says how it was asked. HTTP/1 and HTTP/2, as the client likes best. */
  async function web(options: TlsOptions): Promise<number> {
    const server = createSecureServer({ ...options, allowHTTP1: true }, (request, response) => {
      const socket = (request.stream?.session?.socket ?? request.socket) as TLSSocket;
      const { servername, alpnProtocol } = socket;
      const said = { name: 'tls', url: request.url, headers: { host: request.headers.host ?? request.authority } };
      const body = { ...said, version: request.httpVersion, servername, alpn: alpnProtocol, tls: socket.getProtocol() };
      response.end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push({
      port: (server.address() as AddressInfo).port,
      stop: () => new Promise((resolve) => void server.close(() => resolve())),
    });
    return (server.address() as AddressInfo).port;
  }

  async function apply(spec: object, settings: object = {}): Promise<void> {
    const external = {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'ExternalService',
      metadata: { name: 'api', namespace: 'shop' },
      spec,
    };
    const all = { settings: { outbound: 'registered-only', ...settings }, services: [], externals: [external] };
    await rig.apply(JSON.stringify(all));
  }

  const at = (port: number, tls: object, more: object = {}): object => ({
    hosts: ['api.example.com'],
    ports: [{ number: 80, protocol: 'http', targetPort: port, tls }],
    resolution: 'static',
    endpoints: [{ address: '127.0.0.1' }],
    ...more,
  });
  const trusting = { caCertificates: authority.cert };

  async function said(host: string): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await rig.ask(host);
    assert.equal(status, 200, body);
    return JSON.parse(body) as Record<string, unknown>;
  }

  async function refused(host: string, why: RegExp): Promise<void> {
    const { status, body } = await rig.ask(host);
    assert.equal(status, 503, body);
    assert.match(body, /^fairway: no connection to outbound\|80\|\|/);
    assert.match(body, why);
  }

  it('is begun for a workload that speaks plain HTTP, by the name of the host', async () => {
    const port = await web(authority.sign('api.example.com'));
    await apply(at(port, trusting));
    const { servername, alpn, tls, headers } = await said('api.example.com');
    assert.deepEqual([servername, alpn, tls], ['api.example.com', 'http/1.1', 'TLSv1.3']);
    assert.deepEqual(headers, { host: 'api.example.com' });
  });

  it('is spoken to a host that is looked up, and carries HTTP/2 where that is said', async () => {
    const port = await web(authority.sign('api.localhost'));
    const ports = [{ number: 80, protocol: 'http2', targetPort: port, tls: trusting }];
    await apply({ hosts: ['api.localhost'], ports, resolution: 'dns' });
    await waitFor('the name to be looked up', async () => (await rig.ask('api.localhost')).status === 200);
    const { servername, alpn, version } = await said('api.localhost');
    assert.deepEqual([servername, alpn, version], ['api.localhost', 'h2', '2.0']);
  });

  it('asks for another name where one is given, and takes the names of a certificate that are', async () => {
    const port = await web(authority.sign('*.internal.example.com'));
    await apply(at(port, { ...trusting, sni: 'eu.internal.example.com' }));
    assert.equal((await said('api.example.com'))['servername'], 'eu.internal.example.com');
    await apply(at(port, { ...trusting, subjectAltNames: ['us.internal.example.com'] }));
    assert.equal((await said('api.example.com'))['servername'], 'api.example.com');
  });

  it('goes by the authorities of the sidecar’s machine where none are given', async () => {
    const port = await web(authority.sign('api.example.com'));
    const systemCaFile = join(folder, 'system.pem');
    writeFileSync(systemCaFile, authority.cert);
    await apply(at(port, {}), { systemCaFile });
    await said('api.example.com');
    const otherFile = join(folder, 'other.pem');
    writeFileSync(otherFile, stranger.cert);
    await apply(at(port, {}), { systemCaFile: otherFile });
    await refused('api.example.com', /CERTIFICATE_VERIFY_FAILED/);
  });

  it('refuses a certificate for another name, and one of an unknown authority, and says so', async () => {
    await apply(at(await web(authority.sign('other.example.com')), trusting));
    await refused('api.example.com', /CERTIFICATE_VERIFY_FAILED.*SAN/);
    await apply(at(await web(stranger.sign('api.example.com')), trusting));
    await refused('api.example.com', /CERTIFICATE_VERIFY_FAILED/);
  });

  it('is not spoken in a version that is too old', async () => {
    const port = await web({ ...authority.sign('api.example.com'), maxVersion: 'TLSv1.2' });
    await apply(at(port, trusting));
    assert.equal((await said('api.example.com'))['tls'], 'TLSv1.2');
    await apply(at(port, { ...trusting, minVersion: 'TLSv1.3' }));
    await refused('api.example.com', /TLS.*(VERSION|ALERT)/i);
  });

  it('asks below a wildcard for the host of the request, and wants its name in the certificate', async () => {
    const port = await web(authority.sign('one.example.com'));
    await apply(at(port, trusting, { hosts: ['*.example.com'] }));
    assert.equal((await said('one.example.com'))['servername'], 'one.example.com');
    await refused('two.example.com', /CERTIFICATE_VERIFY_FAILED.*SAN/);
  });

  it('is put around plain connections too', async () => {
    const server = createServer(authority.sign('db.example.com'), (socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => socket.end(`${socket.servername} heard ${data.toString()}`));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    servers.push({ port, stop: () => new Promise((resolve) => void server.close(() => resolve())) });
    const ports = [{ number: 5432, protocol: 'tcp', targetPort: port, tls: trusting }];
    await apply(at(port, trusting, { hosts: ['db.example.com'], ports }));
    assert.match(await tunnel(rig.proxyPort, 'db.example.com:5432', 'hello\n'), /db\.example\.com heard hello/);
  });
});

/** What comes back of a CONNECT and of `words` sent through it. */
function tunnel(proxyPort: number, target: string, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const socket = connect(proxyPort, '127.0.0.1', () => {
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    });
    socket.once('data', () => socket.write(words));
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(seen));
  });
}
