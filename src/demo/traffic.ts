/**
 * The demo's client: sends requests through its sidecar, as an application with a proxy setting does, and counts where they went.
 */

import { Agent, request } from 'node:http';
import { place } from './scene.ts';

export interface Tally {
  /** Requests by place (`v2 west`). */
  readonly places: Map<string, number>;
  readonly failures: Map<string, number>;
  total: number;
}

export function newTally(): Tally {
  return { places: new Map(), failures: new Map(), total: 0 };
}

export class Traffic {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #proxyPort: number;

  constructor(proxyPort: number) {
    this.#proxyPort = proxyPort;
  }

  /** Sends `count` requests, up to 16 at a time. */
  async send(count: number, headers: Readonly<Record<string, string>>, tally: Tally): Promise<void> {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.one(headers, tally);
      }
    };
    await Promise.all(Array.from({ length: Math.min(16, count) }, worker));
  }

  /** One request; never rejects, a failure is counted by its reason. */
  one(headers: Readonly<Record<string, string>>, tally: Tally): Promise<void> {
    return new Promise((resolve) => {
      const fail = (reason: string): void => {
        tally.total += 1;
        tally.failures.set(reason, (tally.failures.get(reason) ?? 0) + 1);
        resolve();
      };
      const call = request(
        {
          agent: this.#agent,
          host: '127.0.0.1',
          port: this.#proxyPort,
          path: 'http://reviews.shop:9080/',
          headers: { host: 'reviews.shop:9080', ...headers },
          timeout: 10_000,
        },
        (response) => {
          response.resume();
          response.once('error', (error) => fail(error.message));
          response.once('end', () => {
            if (response.statusCode !== 200) return fail(`status ${response.statusCode}`);
            const version = String(response.headers['x-version']);
            const where = place({ version, cluster: String(response.headers['x-cluster']) as 'east' });
            tally.total += 1;
            tally.places.set(where, (tally.places.get(where) ?? 0) + 1);
            resolve();
          });
        },
      );
      call.once('timeout', () => call.destroy(new Error('no answer within 10 s')));
      call.once('error', (error) => fail(error.message));
      call.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export interface ShareCheck {
  readonly place: string;
  readonly expected: number;
  readonly observed: number;
  readonly ok: boolean;
}

/**
 * Holds a tally against the expected shares. A share is off when it is further from the expected than `slack` and five standard deviations of a
 * binomial draw; a place where nothing is expected must have got nothing.
 */
export function checkShares(tally: Tally, expected: Readonly<Record<string, number>>, slack: number): ShareCheck[] {
  const places = new Set([...Object.keys(expected), ...tally.places.keys()]);
  return [...places].sort().map((where) => {
    const share = expected[where] ?? 0;
    const observed = tally.total === 0 ? 0 : (tally.places.get(where) ?? 0) / tally.total;
    const deviation = Math.sqrt((share * (1 - share)) / Math.max(1, tally.total));
    const bound = share === 0 ? 0 : slack + 5 * deviation;
    return { place: where, expected: share, observed, ok: Math.abs(observed - share) <= bound };
  });
}
