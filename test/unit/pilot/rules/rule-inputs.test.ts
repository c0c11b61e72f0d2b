import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../src/core/clock.ts';
import type { Finding } from '../../../../src/core/errors.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import type { RawObject } from '../../../../src/model/object.ts';
import type { ObjectTarget } from '../../../../src/pilot/rules/object-router.ts';
import { RuleInputs } from '../../../../src/pilot/rules/rule-inputs.ts';
import { RuleMemory } from '../../../../src/pilot/rules/rule-memory.ts';
import type { RuleSink } from '../../../../src/registry/rule-sink.ts';
import { rawObject } from '../../../support/rules.ts';

/** Holds what it is given, by `<source>#<id>`. */
function target(): ObjectTarget & { readonly held: Map<string, RawObject> } {
  const held = new Map<string, RawObject>();
  return {
    held,
    source: (name) => ({
      put: (raw, id) => void held.set(`${name}#${id}`, raw),
      remove: (id) => void held.delete(`${name}#${id}`),
    }),
    record(key) {
      const raw = held.get(key);
      return raw === undefined ? undefined : { raw, lastGoodRaw: raw, generation: 1 };
    },
  };
}

describe('sources of rules', () => {
  it('that cannot read a kind keep what was saved of it, until they have read it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-inputs-'));
    const open = (): {
      readonly inputs: RuleInputs;
      readonly held: Map<string, RawObject>;
      readonly sink: RuleSink;
    } => {
      const rules = target();
      const inputs = new RuleInputs(
        rules,
        silentLogger,
        new RuleMemory({ folder, clock: systemClock, logger: silentLogger }),
      );
      let sink: RuleSink | undefined;
      inputs.attach('cluster east', (given) => {
        sink = given;
        return { stop: async () => {} };
      });
      assert.ok(sink !== undefined);
      return { inputs, held: rules.held, sink };
    };
    try {
      const before = open();
      for (const id of ['TrafficRule/shop/a', 'HTTPRoute/shop/b', 'HTTPRoute/shop/c'])
        before.sink.put(rawObject({ id }), id);
      before.sink.synced();
      await before.inputs.stop();

      const { inputs, held, sink } = open();
      assert.equal(held.size, 3);
      sink.synced(new Set(['HTTPRoute']));
      assert.ok(inputs.synced);
      assert.deepEqual([...held.keys()], ['cluster east#HTTPRoute/shop/b', 'cluster east#HTTPRoute/shop/c']);
      sink.put(rawObject({}), 'HTTPRoute/shop/c');
      sink.synced();
      assert.deepEqual([...held.keys()], ['cluster east#HTTPRoute/shop/c']);
      await inputs.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('say in the log what is wrong with them once, as long as it is so', () => {
    const lines: string[] = [];
    const inputs = new RuleInputs(target(), { ...silentLogger, warn: (line) => void lines.push(line) }, undefined);
    let sink: RuleSink | undefined;
    inputs.attach('cluster east', (given) => {
      sink = given;
      return { stop: async () => {} };
    });
    const absent = (resource: string): Finding => ({
      code: 'FW-KUBE-014',
      severity: 'warning',
      message: `${resource} is not installed there`,
      where: { cluster: 'east' },
      hint: 'Install it.',
    });
    sink?.problem([absent('drains')]);
    sink?.problem([absent('drains'), absent('routes')]);
    assert.deepEqual(
      lines.map((line) => /east: (\w+)/.exec(line)?.[1]),
      ['drains', 'routes'],
    );
    sink?.problem([]);
    sink?.problem([absent('drains')]);
    assert.equal(lines.length, 3);
  });
});
