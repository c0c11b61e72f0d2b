/**
 * A proxyless gRPC client as a process of its own: gRPC for Node with its xDS support, told by GRPC_XDS_BOOTSTRAP where its pilot is. It knows
 * nothing of Fairway. In: commands as lines of JSON on stdin. Out: an answer for each, as a line of JSON on stdout.
 *
 *     {"id": 1, "do": "call", "target": "xds:///reviews.shop:9080", "count": 100}   {"id": 1, "by": {"east-v1": 90}, "failed": {"14 …": 10}}
 *     {"id": 2, "do": "load", "target": …}   calls one after the other, in four lanes, until "stop"
 *     {"id": 3, "do": "peek", "load": 2}     what the load has seen so far; "stop" the same, and ends it
 *
 * test/proxyless-go is the same in Go.
 */

import { createInterface } from 'node:readline';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';

interface Command {
  readonly id: number;
  readonly do: 'call' | 'load' | 'peek' | 'stop';
  readonly target: string;
  readonly count?: number;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly load?: number;
}

class Tally {
  readonly by = new Map<string, number>();
  readonly failed = new Map<string, number>();
  isOver = false;
  done: Promise<unknown> = Promise.resolve();

  toJson(): object {
    return { by: Object.fromEntries(this.by), failed: Object.fromEntries(this.failed) };
  }
}

const lanes = 4;
const clients = new Map<string, Client>();
const loads = new Map<number, Tally>();

function clientOf(target: string): Client {
  let client = clients.get(target);
  if (client === undefined) {
    client = new Client(target, credentials.createInsecure());
    clients.set(target, client);
  }
  return client;
}

function call(command: Command, tally: Tally): Promise<void> {
  const { target, method = '/shop.Reviews/Get', headers = {}, timeoutMs = 30_000 } = command;
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new Promise((resolve) => {
    const same = (bytes: Buffer): Buffer => bytes;
    const done = (error: ServiceError | null, answer?: Buffer): void => {
      if (error === null) add(tally.by, String(answer));
      else add(tally.failed, `${error.code} ${error.details}`);
      resolve();
    };
    const options = { deadline: Date.now() + timeoutMs };
    clientOf(target).makeUnaryRequest(method, same, same, Buffer.from('?'), metadata, options, done);
  });
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

async function inLanes(next: () => boolean, command: Command, tally: Tally): Promise<void> {
  const lane = async (): Promise<void> => {
    while (next()) await call(command, tally);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function obey(command: Command): Promise<object> {
  if (command.do === 'call') {
    const tally = new Tally();
    let left = command.count ?? 1;
    await inLanes(() => left-- > 0, command, tally);
    return tally.toJson();
  }
  if (command.do === 'load') {
    const tally = new Tally();
    loads.set(command.id, tally);
    tally.done = inLanes(() => !tally.isOver, command, tally);
    return {};
  }
  const tally = loads.get(command.load ?? 0);
  if (tally === undefined) throw new Error(`no load ${command.load}`);
  if (command.do === 'stop') {
    tally.isOver = true;
    await tally.done;
  }
  return tally.toJson();
}

register();
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  void obey(command).then((answer) => process.stdout.write(`${JSON.stringify({ id: command.id, ...answer })}\n`));
}
process.exit(0);
