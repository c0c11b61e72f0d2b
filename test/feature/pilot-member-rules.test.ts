/**
 * A rule that a cluster holds of its own, where people look: a drain counts its load for the cluster's proxies and judges its needs, and `inspect`
 * finds it.
 */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DrainPlan } from '../../src/model/drain-plan.ts';
import type { RuleInspection } from '../../src/model/inspection.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { membersFirst, reviewsService, trafficRule } from '../support/manifests.ts';
import { fairway } from './cli-run.ts';

const own = (backend: string): string =>
  trafficRule(` {service: reviews, routes: [{backends: [${backend}]}]}\n`, 'own');

describe("a member's own rule, where people look", function () {
  this.timeout(60_000);
  const dir = mkdtempSync(join(tmpdir(), 'fairway-member-drain-'));
  const edge = join(dir, 'clusters', 'edge');
  let pilot: Pilot;
  let admin = '';

  before(async () => {
    for (const cluster of ['edge', 'hub']) {
      mkdirSync(join(dir, 'clusters', cluster), { recursive: true });
      writeFileSync(
        join(dir, 'clusters', cluster, 'reviews.yaml'),
        reviewsService({ address: `10.0.0.${cluster === 'edge' ? 1 : 2}` }),
      );
    }
    mkdirSync(join(dir, 'rules'));
    writeFileSync(join(dir, 'rules', 'policy.yaml'), membersFirst('edge', 'shop'));
    admin = `127.0.0.1:${await freePort()}`;
    pilot = await startPilot({
      xds: `127.0.0.1:${await freePort()}`,
      admin,
      args: ['--clusters', join(dir, 'clusters'), '--rules', join(dir, 'rules')],
      logFile: join(dir, 'pilot.log'),
    });
  });

  after(async () => {
    await pilot?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const drainHub = async (): Promise<{
    readonly exit: number | null;
    readonly plan: DrainPlan;
    readonly err: string;
  }> => {
    const { exit, out, err } = await fairway(['cluster', 'drain', 'hub', '--dry-run', '-o', 'json', '--admin', admin]);
    return { exit, plan: JSON.parse(out) as DrainPlan, err };
  };
  const loads = ({ services: [reviews] }: DrainPlan): readonly (readonly [string, number, number])[] =>
    (reviews?.places ?? []).map(({ name, before, after }) => [name, before, after]);

  it('is in the table of a drain, which says who is asked now and then', async () => {
    const without = await drainHub();
    assert.equal(without.exit, 0, without.err);
    assert.deepEqual(loads(without.plan), [
      ['edge', 0.5, 1],
      ['hub', 0.5, 0],
    ]);
    writeFileSync(join(edge, 'own.yaml'), own('{cluster: hub, fallback: [{}]}'));
    // Proxies in edge send all to the hub; there is no proxy, so one in each cluster counts.
    const wanted = [
      ['edge', 0.25, 1],
      ['hub', 0.75, 0],
    ];
    await waitFor("the member's rule to count", async () => {
      const { plan } = await drainHub();
      return JSON.stringify(loads(plan)) === JSON.stringify(wanted);
    });
  });

  it('is found by its name, though the primary has none of it', async () => {
    const inspect = async (...args: readonly string[]): Promise<RuleInspection> => {
      const { exit, out, err } = await fairway([
        'inspect',
        'rule',
        'shop/own',
        '-o',
        'json',
        '--admin',
        admin,
        ...args,
      ]);
      assert.equal(exit, 0, err);
      return JSON.parse(out) as RuleInspection;
    };
    for (const found of [await inspect(), await inspect('--holder', 'edge')]) {
      assert.equal(found.rule.holder, 'edge');
      assert.equal(found.inForce, 1);
      assert.deepEqual(found.items, []);
    }
    const other = await fairway(['inspect', 'rule', 'shop/own', '--holder', 'hub', '--admin', admin]);
    assert.match(other.err, /FW-API-023/);
  });

  it('keeps a drain from leaving its requests with nothing', async () => {
    writeFileSync(join(edge, 'own.yaml'), own('{cluster: hub}'));
    await waitFor("the member's rule to be judged", async () => (await drainHub()).exit === 1);
    const { plan, err } = await drainHub();
    assert.equal(plan.services[0]?.outcome, 'stays');
    assert.match(err, /FW-CLI-114 1 of 1 services .*shop\/reviews/);
  });
});
