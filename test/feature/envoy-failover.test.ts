/**
 * A cluster is lost without a word, with a fallback in place (failover-scene.ts). Killed, its hosts refuse connections; stopped, they take them
 * and never answer; cut off, packets to them vanish.
 */

import assert from 'node:assert/strict';
import { skip } from '../support/skips.ts';
import type { Losses } from './failover-scene.ts';
import { namespaceLacks, runScene } from './scene-run.ts';

const chain = [{ cluster: 'east', fallback: [{ cluster: 'west' }] }];

/** What docs/traffic-rules.md tells to write, for requests that may be carried out twice, and against hosts that say nothing. */
const again = { attempts: 3, on: ['connect-failure', 'reset', 'reset-before-request'] };
const repeatable = { routes: [{ backends: chain, retry: again }] };
const againstSilence = {
  routes: [{ backends: chain, timeouts: { request: '3s', backendRequest: '500ms' }, retry: again }],
  outlierDetection: { consecutiveErrors: 0, consecutiveGatewayErrors: 3 },
};

describe('a cluster that is lost without a word', function () {
  this.timeout(300_000);

  /** The scenes of one group; each mostly waits, so two of them run side by side, before any of them is judged. */
  class Scenes {
    readonly #runs: (() => Promise<void>)[] = [];

    /** Gives what is seen, once `run` is over: undefined where there is no Envoy. */
    add(how: 'kill' | 'stop' | 'drop', spec: object, ...load: readonly string[]): () => Promise<Losses | undefined> {
      let seen: Promise<Losses | undefined> = Promise.reject(new Error('the scene was not run'));
      seen.catch(() => {});
      this.#runs.push(async () => {
        seen = runScene<Losses>({
          file: import.meta.resolve('./failover-scene.ts'),
          args: [how, JSON.stringify(spec), ...load],
          isAlone: how === 'drop',
        });
        await seen.catch(() => {});
      });
      return () => seen;
    }

    async run(): Promise<void> {
      const waiting = [...this.#runs];
      const lane = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
      };
      await Promise.all([lane(), lane()]);
    }
  }

  /** None fails that is asked later than soon after the loss; says what failed, by when it was asked and by when that was seen. */
  function assertTakenOver(losses: Losses): void {
    const { failed, seen, asked, last, lastFailed } = losses;
    process.stderr.write(
      `      asked ${asked.soon} soon, ${asked.later} later; of these failed ${failed.soon} and ${failed.later}, the last asked after ` +
        `${lastFailed.askedMs} ms; seen ${seen.soon} soon, ${seen.later} later, the last after ${lastFailed.seenMs} ms\n`,
    );
    assert.deepEqual([failed.before, failed.later], [0, 0], JSON.stringify(losses));
    assert.deepEqual(
      last.filter((name) => name !== 'west-1' && name !== 'west-2' && asked.later > 500),
      [],
    );
  }

  /** By the defaults, how often requests are asked in a second, and what counts as soon after the loss. */
  interface Case {
    readonly protocol: 'http' | 'http2' | 'grpc';
    readonly method: 'GET' | 'POST';
    readonly perSecond: number;
    readonly soonMs: number;
    /** A request whose connection breaks is tried again, so that none fails at all. */
    readonly isSafe?: boolean;
  }

  const often = { perSecond: 500, soonMs: 1000 };
  /** The first comes more than 5 s after the loss: an open connection would fail it, were it not known as dead or given up before. */
  const seldom = { perSecond: 0.15, soonMs: 4000 };

  function itIsTakenOver(scenes: Scenes, how: 'kill' | 'drop', each: Case): void {
    const { protocol, method, perSecond, soonMs, isSafe = false } = each;
    const which = `${protocol}, ${method}, ${perSecond} requests/s`;
    const observe = scenes.add(
      how,
      { routes: [{ backends: chain }] },
      method,
      String(perSecond),
      protocol,
      String(soonMs),
    );
    it(`${which}: ${isSafe ? 'none fails' : `none fails that is asked ${soonMs / 1000} s after it`}`, async function () {
      const losses = await observe();
      if (losses === undefined) return this.skip();
      assertTakenOver(losses);
      if (isSafe) assert.equal(losses.failed.soon, 0);
    });
  }

  describe('by refusing connections, by the defaults', () => {
    const scenes = new Scenes();
    before(() => scenes.run());
    itIsTakenOver(scenes, 'kill', { protocol: 'http', method: 'GET', ...often, isSafe: true });
    itIsTakenOver(scenes, 'kill', { protocol: 'http', method: 'POST', ...often });
    itIsTakenOver(scenes, 'kill', { protocol: 'grpc', method: 'POST', ...often });
  });

  function itLosesNone(
    scenes: Scenes,
    how: 'stop' | 'drop',
    spec: object,
    protocol: Case['protocol'],
    method: Case['method'],
  ): void {
    const observe = scenes.add(how, spec, method, '500', protocol);
    it(`${protocol}, ${method}: none fails`, async function () {
      const losses = await observe();
      if (losses === undefined) return this.skip();
      assertTakenOver(losses);
      assert.equal(losses.failed.soon, 0);
    });
  }

  describe('by silence, where the rule limits a try and leaves out what is slow', () => {
    const scenes = new Scenes();
    before(() => scenes.run());
    itLosesNone(scenes, 'stop', againstSilence, 'http', 'GET');
    itLosesNone(scenes, 'stop', againstSilence, 'grpc', 'POST');
  });

  describe('by vanishing packets', () => {
    const scenes = new Scenes();
    before(function () {
      const lacks = namespaceLacks(['iptables -A INPUT -p tcp --dport 1 -j DROP']);
      if (lacks !== undefined) skip(this, lacks);
      return scenes.run();
    });

    describe('by the defaults', () => {
      itIsTakenOver(scenes, 'drop', { protocol: 'http', method: 'GET', ...often, isSafe: true });
      itIsTakenOver(scenes, 'drop', { protocol: 'http2', method: 'GET', ...often, isSafe: true });
      itIsTakenOver(scenes, 'drop', { protocol: 'http', method: 'POST', ...often });
      itIsTakenOver(scenes, 'drop', { protocol: 'grpc', method: 'POST', ...often });
      itIsTakenOver(scenes, 'drop', { protocol: 'http', method: 'POST', ...seldom });
      itIsTakenOver(scenes, 'drop', { protocol: 'grpc', method: 'POST', ...seldom });
    });

    describe('where the rule has broken requests tried again', () => {
      itLosesNone(scenes, 'drop', repeatable, 'http', 'POST');
      itLosesNone(scenes, 'drop', repeatable, 'grpc', 'POST');
    });

    describe('where the rule limits a try and leaves out what is slow', () => {
      itLosesNone(scenes, 'drop', againstSilence, 'http', 'GET');
    });
  });
});
