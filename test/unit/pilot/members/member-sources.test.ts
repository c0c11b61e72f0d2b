import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../../../../src/core/clock.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { MemberRules, memberSourceName } from '../../../../src/pilot/members/member-rules.ts';
import { MemberSources } from '../../../../src/pilot/members/member-sources.ts';
import { RuleInputs } from '../../../../src/pilot/rules/rule-inputs.ts';
import { RuleMemory } from '../../../../src/pilot/rules/rule-memory.ts';
import type { MemberLink } from '../../../../src/registry/member-host.ts';
import type { RuleSink } from '../../../../src/registry/rule-sink.ts';
import { parseClusterPolicy } from '../../../../src/rules/cluster-policy/parse.ts';
import { exampleClusterPolicy } from '../../../support/bad-cluster-policies.ts';
import { rawObject, rawRule } from '../../../support/rules.ts';

const id = 'TrafficRule/shop/reviews';
const rule = (version: string) => rawRule(`{service: reviews, routes: [{backends: [{version: ${version}}]}]}`);

/** A link whose sources a test speaks for. */
class Link implements MemberLink {
  readonly isFree: boolean;
  readonly sinks: RuleSink[] = [];
  /** Whether each was started under a grant. */
  readonly granted: boolean[] = [];
  stopped = 0;

  constructor(isFree: boolean) {
    this.isFree = isFree;
  }

  readonly start: MemberLink['start'] = (sink, _isLeader, isGranted) => {
    this.sinks.push(sink);
    this.granted.push(isGranted);
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

  it('reads all but the primary, and says whether that is granted where it makes a difference', () => {
    const { rules, sources } = start();
    const [kube, files, primary] = [new Link(false), new Link(true), new Link(true)];
    sources.open('edge-1', kube);
    sources.open('edge-2', files);
    sources.open('edge-0', primary);
    assert.deepEqual([kube.granted, files.sinks.length, primary.sinks.length], [[false], 1, 0]);
    grant(rules);
    sources.settleAll();
    assert.deepEqual([kube.granted, kube.stopped, files.sinks.length], [[false, true], 1, 1]);
    kube.sinks[0]?.put(rule('v1'), id);
    kube.sinks[1]?.put(rule('v2'), id);
    assert.deepEqual(versions(rules), ['v2']);
    grant(rules, false);
    sources.settleAll();
    assert.deepEqual([kube.granted, kube.stopped, files.stopped], [[false, true, false], 2, 0]);
    // As it was seen last, and not in force.
    const shown = (): unknown => rules.records().map(({ holder, withheld, spec }) => [holder, withheld?.reason, spec]);
    const last = shown();
    assert.deepEqual(
      rules.records().map(({ holder, withheld }) => [holder, withheld?.reason]),
      [['edge-1', 'NotGranted']],
    );
    assert.deepEqual(versions(rules), []);
    // What a source says that was ended counts for nothing.
    kube.sinks[1]?.put(rule('v3'), id);
    assert.deepEqual(shown(), last);
    // What is there now is shown, as long as it is there.
    kube.sinks[2]?.put(rule('v4'), id);
    assert.notDeepEqual(shown(), last);
    kube.sinks[2]?.remove(id);
    assert.deepEqual(shown(), []);
  });

  it('waits for nobody whom no policy names, and says nothing of what is wrong there', () => {
    const { rules, sources, inputs } = start();
    const link = new Link(false);
    sources.open('edge-1', link);
    const trouble = { code: 'FW-KUBE-018', severity: 'error', message: 'no', where: {}, hint: 'no' } as const;
    link.sinks[0]?.problem([trouble]);
    const name = memberSourceName('edge-1');
    const waits = { recalledMs: 1, unreachableMs: 1, silentMs: 1 };
    assert.deepEqual([inputs.synced, inputs.settled(0, waits), inputs.findingsOf(name)], [true, true, []]);
    grant(rules);
    sources.settleAll();
    link.sinks[1]?.problem([trouble]);
    assert.deepEqual([inputs.synced, inputs.settled(0, waits), inputs.findingsOf(name)], [false, false, [trouble]]);
    grant(rules, false);
    sources.settleAll();
    assert.deepEqual([inputs.synced, inputs.findingsOf(name)], [true, []]);
  });

  it('shows after a restart what was set aside before it, until the cluster says that it is gone', async () => {
    const first = start();
    grant(first.rules);
    first.sources.open('edge-1', new Link(false));
    const link = new Link(false);
    first.sources.open('edge-1', link);
    link.sinks[0]?.put(rule('v2'), id);
    link.sinks[0]?.synced();
    grant(first.rules, false);
    first.sources.settleAll();
    await ends.pop()?.();

    const { rules, sources, inputs } = start();
    const again = new Link(false);
    sources.open('edge-1', again);
    const shown = (): unknown => rules.records().map(({ holder, withheld }) => [holder, withheld?.reason]);
    assert.deepEqual([shown(), versions(rules), inputs.synced], [[['edge-1', 'NotGranted']], [], true]);
    again.sinks[0]?.synced();
    assert.deepEqual(shown(), []);
  });

  it('reads again what was set aside when it is granted again, and forgets it when it is unregistered', () => {
    const { rules, sources, inputs } = start();
    const link = new Link(false);
    const close = sources.open('edge-1', link);
    grant(rules);
    sources.settleAll();
    link.sinks.at(-1)?.put(rule('v2'), id);
    link.sinks.at(-1)?.put(rule('v2'), 'TrafficRule/shop/gone');
    link.sinks.at(-1)?.synced();
    grant(rules, false);
    sources.settleAll();
    assert.equal(inputs.synced, true);
    grant(rules);
    sources.settleAll();
    link.sinks.at(-1)?.put(rule('v3'), id);
    link.sinks.at(-1)?.synced();
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
