import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { systemClock } from '../../../../src/core/clock.ts';
import { type LogFields, type Logger, silentLogger } from '../../../../src/core/logger.ts';
import { readKubeconfig, trustAll } from '../../../../src/registry/kube/access.ts';
import { type KubeEvent } from '../../../../src/registry/kube/event-object.ts';
import { defaultEventSettings, type EventSettings, EventWriter } from '../../../../src/registry/kube/event-writer.ts';
import { waitFor } from '../../../rig/wait.ts';

interface Held {
  readonly reason: string;
  readonly note: string;
  readonly series?: { readonly count: number };
}

/** Keeps Events as the API does: made once under a name, patched after that. */
class EventApi {
  readonly held = new Map<string, Held>();
  requests = 0;
  refuses = false;
  readonly #server: Server = createServer((request, response) => {
    this.requests += 1;
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      if (this.refuses) return answer(403, { message: 'no' });
      const name = /\/events\/(.+)$/.exec(request.url ?? '')?.[1];
      const body = (text === '' ? {} : JSON.parse(text)) as Held & { readonly metadata: { readonly name: string } };
      if (request.method === 'POST') {
        if (this.held.has(body.metadata.name)) return answer(409, { message: 'there is one' });
        this.held.set(body.metadata.name, body);
        return answer(201, body);
      }
      const before = this.held.get(name ?? '');
      if (before === undefined) return answer(404, { message: 'none' });
      // Of what happened, the API lets nothing be changed but how often and when.
      if (request.method === 'PATCH' && Object.keys(body).some((field) => field !== 'series'))
        return answer(422, { message: 'field is immutable' });
      if (request.method === 'PATCH') this.held.set(name ?? '', { ...before, ...body });
      answer(200, this.held.get(name ?? ''));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  counts(): readonly number[] {
    return [...this.held.values()].map(({ series }) => series?.count ?? 1);
  }
}

const event = (key: string, note = 'because'): KubeEvent => ({
  regarding: { apiVersion: 'fairway.dev/v1alpha1', kind: 'TrafficRule', namespace: 'shop', name: 'reviews', uid: 'u' },
  type: 'Warning',
  reason: 'Invalid',
  action: 'Accepted',
  note,
  key,
});

describe('the writer of Kubernetes Events', () => {
  let api: EventApi;
  let url: string;
  let writers: EventWriter[];
  let outcomes: string[];

  beforeEach(async () => {
    api = new EventApi();
    url = await api.start();
    writers = [];
    outcomes = [];
  });
  afterEach(async () => {
    for (const writer of writers) await writer.stop();
    await api.stop();
  });

  const open = (
    isLeader: () => boolean,
    settings: Partial<EventSettings> = {},
    logger: Logger = silentLogger,
  ): EventWriter => {
    const kubeconfig = JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'good' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
    const writer = new EventWriter({
      access: readKubeconfig(kubeconfig, { trust: trustAll, where: {} }),
      clock: systemClock,
      logger,
      isLeader,
      identity: 'pilot-1',
      count: (outcome) => outcomes.push(outcome),
      settings: { ...defaultEventSettings, pauseMs: 1, repeatMs: 0, ...settings },
    });
    writers.push(writer);
    return writer;
  };
  const settled = (count: number): Promise<boolean> => waitFor(`${count} outcomes`, () => outcomes.length >= count);

  it('makes one Event of equal ones, with a count, over restarts too', async () => {
    const first = open(() => true);
    first.put(event('a'));
    first.put(event('a', 'because of more'));
    first.put(event('b'));
    await settled(2);
    first.put(event('a', 'in other words'));
    await settled(3);
    assert.deepEqual(api.counts(), [3, 1]);
    await first.stop();
    open(() => true).put(event('a'));
    await settled(4);
    assert.deepEqual(api.counts(), [4, 1]);
    assert.deepEqual(outcomes, ['written', 'written', 'repeated', 'repeated']);
  });

  it('makes it anew when the API has deleted it', async () => {
    const writer = open(() => true);
    writer.put(event('a'));
    await settled(1);
    api.held.clear();
    writer.put(event('a'));
    await settled(2);
    assert.deepEqual(api.counts(), [1]);
  });

  it('holds repeated ones back, and tells of them together', async () => {
    const writer = open(() => true, { repeatMs: 300 });
    writer.put(event('a'));
    await settled(1);
    for (let at = 0; at < 5; at++) writer.put(event('a'));
    await settled(2);
    assert.deepEqual([api.counts(), outcomes], [[6], ['written', 'repeated']]);
  });

  it('writes nothing while another leads; what another wrote is not counted twice', async () => {
    let leads = false;
    const other = open(() => true);
    const writer = open(() => leads);
    other.put(event('a'));
    writer.put(event('a'));
    writer.put(event('b'));
    await settled(1);
    assert.equal(api.requests, 1);
    leads = true;
    await settled(3);
    assert.deepEqual(api.counts(), [1, 1]);
  });

  it('is bounded, and counts what it drops', async () => {
    const writer = open(() => false, { queueMax: 3 });
    for (let at = 0; at < 10; at++) writer.put(event(String(at)));
    assert.deepEqual(
      outcomes,
      Array.from({ length: 7 }, () => 'dropped'),
    );
  });

  it('says once that it may not, and leaves the API alone', async () => {
    const said: LogFields[] = [];
    const logger: Logger = { ...silentLogger, warn: (_message, fields = {}) => said.push(fields) };
    api.refuses = true;
    const writer = open(() => true, {}, logger);
    for (let at = 0; at < 20; at++) writer.put(event(String(at)));
    await settled(20);
    writer.put(event('later'));
    await settled(21);
    assert.deepEqual(
      said.map(({ code }) => code),
      ['FW-KUBE-041'],
    );
    assert.equal(api.requests, 1);
    assert.ok(outcomes.every((outcome) => outcome === 'dropped'));
  });
});
