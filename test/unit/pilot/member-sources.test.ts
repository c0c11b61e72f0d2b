import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { MemberRules, memberSourceName } from '../../../src/pilot/member-rules.ts';
import { MemberSources } from '../../../src/pilot/member-sources.ts';
import { RuleInputs } from '../../../src/pilot/rule-inputs.ts';
import { RuleMemory } from '../../../src/pilot/rule-memory.ts';
import type { MemberLink } from '../../../src/registry/member-host.ts';
import type { RuleSink } from '../../../src/registry/rule-sink.ts';
import { parseClusterPolicy } from '../../../src/rules/cluster-policy/parse.ts';
import { exampleClusterPolicy } from '../../support/bad-cluster-policies.ts';
import { rawObject, rawRule } from '../../support/rules.ts';

const id = 'TrafficRule/shop/reviews';
const rule = (version: string) => rawRule(`{service: reviews, routes: [{backends: [{version: ${version}}]}]}`);

/** A link whose sources a test speaks for. */
class Link implements MemberLink {
  readonly isFree: boolean;
  readonly sinks: RuleSink[] = [];
  stopped = 0;

  constructor(isFree: boolean) {
    this.isFree = isFree;
  }

  readonly start: MemberLink['start'] = (sink) => {
    this.sinks.push(sink);
    return {
      stop: () => {
        this.stopped += 1;
        return Promise.resolve();
      },
    };
  };
}

describe('MemberSources', () => {
  let folder: string;
  const registered = new Map<string, unknown>();
  const ends: (() => Promise<void>)[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-member-sources-'));
    registered.clear();
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    rmSync(folder, { recursive: true });
  });

  function start(): { readonly rules: MemberRules; readonly sources: MemberSources; readonly inputs: RuleInputs } {
    const logger = silentLogger;
    const rules = new MemberRules({ logger, primary: new Map() });
    const inputs = new RuleInputs(rules, logger, new RuleMemory({ folder, clock: systemClock, logger }));
    const sources = new MemberSources({
      inputs,
      isGranted: (cluster) => rules.grants.ofCluster(cluster).length > 0,
      isPrimary: (cluster) => cluster === 'edge-0',
      isLeader: () => false,
      clusters: () => registered,
    });
    ends.push(() => inputs.stop());
    return { rules, sources, inputs };
  }

  function grant(rules: MemberRules, isGranted = true): void {
    const { value } = parseClusterPolicy(rawObject(parse(exampleClusterPolicy)), { defaultNamespace: '' });
    rules.setPolicies(isGranted && value !== undefined ? [value] : []);
  }

  const versions = (rules: MemberRules): (string | undefined)[] =>
    [...rules.table].map(([, table]) => table.get('shop/reviews')?.routes[0]?.backends[0]?.chain[0]?.version);

  it('reads what takes a right only while it is granted, what is free always, and the primary never', () => {
    const { rules, sources } = start();
    const [kube, files, primary] = [new Link(false), new Link(true), new Link(true)];
    sources.open('edge-1', kube);
    sources.open('edge-2', files);
    sources.open('edge-0', primary);
    assert.deepEqual([kube.sinks.length, files.sinks.length, primary.sinks.length], [0, 1, 0]);
    grant(rules);
    sources.settleAll();
    assert.equal(kube.sinks.length, 1);
    kube.sinks[0]?.put(rule('v2'), id);
    assert.deepEqual(versions(rules), ['v2']);
    grant(rules, false);
    sources.settleAll();
    assert.equal(kube.stopped, 1);
    assert.equal(files.stopped, 0);
    // As it was seen last, and not in force.
    const shown = (): unknown => rules.records().map(({ holder, withheld, spec }) => [holder, withheld?.reason, spec]);
    const last = shown();
    assert.deepEqual(
      rules.records().map(({ holder, withheld }) => [holder, withheld?.reason]),
      [['edge-1', 'NotGranted']],
    );
    assert.deepEqual(versions(rules), []);
    // What a source says that was let go counts for nothing.
    kube.sinks[0]?.put(rule('v3'), id);
    assert.deepEqual(shown(), last);
  });

  it('reads again what it let go when it is granted again, and forgets it when it is unregistered', () => {
    const { rules, sources, inputs } = start();
    const link = new Link(false);
    const close = sources.open('edge-1', link);
    grant(rules);
    sources.settleAll();
    link.sinks[0]?.put(rule('v2'), id);
    link.sinks[0]?.put(rule('v2'), 'TrafficRule/shop/gone');
    link.sinks[0]?.synced();
    grant(rules, false);
    sources.settleAll();
    assert.equal(inputs.synced, true);
    assert.deepEqual(readdirSync(folder), []);
    grant(rules);
    sources.settleAll();
    link.sinks[1]?.put(rule('v3'), id);
    link.sinks[1]?.synced();
    assert.deepEqual(versions(rules), ['v3']);
    assert.equal(rules.records().length, 1);
    grant(rules, false);
    sources.settleAll();
    close();
    assert.deepEqual(rules.records(), []);
  });

  it('lets a newer link take over, and keeps what was held until that has said all', () => {
    const { rules, sources } = start();
    grant(rules);
    const [before, after] = [new Link(false), new Link(false)];
    const close = sources.open('edge-1', before);
    before.sinks[0]?.put(rule('v2'), id);
    before.sinks[0]?.synced();
    sources.open('edge-1', after);
    close();
    assert.equal(before.stopped, 1);
    assert.deepEqual(versions(rules), ['v2']);
    before.sinks[0]?.remove(id);
    assert.deepEqual(versions(rules), ['v2']);
    after.sinks[0]?.synced();
    assert.deepEqual(versions(rules), []);
  });

  it('keeps over a restart what was read of a cluster that is out of reach, and forgets what is let go', async () => {
    const first = start();
    grant(first.rules);
    const link = new Link(false);
    registered.set('edge-1', {});
    first.sources.open('edge-1', link);
    link.sinks[0]?.put(rule('v2'), id);
    link.sinks[0]?.synced();
    await ends.pop()?.();
    assert.equal(readdirSync(folder).length, 1);

    const { rules, sources, inputs } = start();
    grant(rules);
    sources.settleAll();
    assert.deepEqual(versions(rules), ['v2']);
    assert.equal(inputs.synced, false);
    const again = new Link(false);
    const close = sources.open('edge-1', again);
    assert.deepEqual(versions(rules), ['v2']);
    again.sinks[0]?.put(rule('v3'), id);
    again.sinks[0]?.synced();
    assert.deepEqual(versions(rules), ['v3']);
    assert.equal(inputs.synced, true);
    // Out of reach, and then unregistered.
    close();
    assert.deepEqual(versions(rules), ['v3']);
    registered.clear();
    sources.settle('edge-1');
    assert.deepEqual(versions(rules), []);
    assert.equal(inputs.record(`${memberSourceName('edge-1')}#${id}`), undefined);
    await ends.pop()?.();
    assert.deepEqual(readdirSync(folder), []);
  });
});
