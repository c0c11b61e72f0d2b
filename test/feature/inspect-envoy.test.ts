/** A real Envoy that refuses what a rule makes of its routes: `fairway inspect rule` shows it with Envoy's own words. */

import assert from 'node:assert/strict';
import type { ProxyRequestPath, RuleInspection } from '../../src/model/inspection.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type Fleet, startFleet } from './envoy-fleet.ts';
import { type InspectRig, startInspectRig } from './inspect-rig.ts';

/** Valid RE2, and larger than an Envoy takes whose bootstrap says nothing of it. */
const largeRegex = '/([a-z]{1,40}/){4}x';

describe('commands that look closer, with a real Envoy', function () {
  this.timeout(120_000);
  let fleet: Fleet | undefined;
  let rig: InspectRig;

  before(async function () {
    fleet = await startFleet([
      { name: 'web', cluster: 'east', address: '10.9.0.1', runtime: { 're2.max_program_size.error_level': 100 } },
    ]);
    if (fleet === undefined) return skip(this, noEnvoy);
    rig = await startInspectRig(fleet.pilot);
  });
  after(async () => {
    await rig?.stop();
    await fleet?.stop();
  });

  it('inspect says who rejected a rule and why, and endpoints what the proxy goes by meanwhile', async () => {
    const { pilot, run } = rig;
    pilot.service('east', 'reviews', ['10.0.0.1@v1', '10.0.0.2@v2']);
    pilot.rule('{service: reviews, routes: [{name: good, backends: [{version: v1}]}]}');
    await pilot.until(() => pilot.condition('Programmed').status === 'True', 'the first form at Envoy');
    pilot.rule(
      `{service: reviews, routes: [{name: worse, matches: [{path: {regex: "${largeRegex}"}}], backends: [{version: v2}]}, {name: rest, backends: [{version: v2}]}]}`,
    );
    await pilot.until(() => pilot.condition('Programmed').reason === 'Rejected', 'the rejection');

    const inspection = JSON.parse((await run(['inspect', 'rule', 'shop/reviews', '-o', 'json'])).out) as RuleInspection;
    assert.deepEqual(inspection.counts, { rejected: 1, 'in-doubt': 0, pending: 0, holds: 0 });
    const [web] = inspection.items;
    assert.match(web?.error ?? '', /RE2 program size of \d+ > max program size/);
    assert.deepEqual(web?.has, { generation: 1, isPresent: false });
    const text = await run(['inspect', 'rule', 'shop/reviews'], 72);
    assert.match(text.out, /^ {2}web\.shop +east +REJECTED +\d+s +1$/m);

    const path = JSON.parse(
      (await run(['endpoints', 'reviews.shop:80', '--as', 'shop/web', '-o', 'json'])).out,
    ) as ProxyRequestPath;
    const routes = path.ways.flatMap((way) => way.routes.map(({ name }) => name));
    assert.ok(routes.includes('good') && !routes.includes('worse'), routes.join());
  });
});
