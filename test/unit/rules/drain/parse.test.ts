import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseDrain } from '../../../../src/rules/drain/parse.ts';
import { badDrains, drainText, exampleDrain } from '../../../support/bad-drains.ts';
import { rawObject } from '../../../support/rules.ts';

const options = { defaultNamespace: 'default' };

describe('Drain', () => {
  it('is read as it is written', () => {
    const { value, findings, namespace } = parseDrain(rawObject(parse(exampleDrain)), options);
    assert.deepEqual(findings, []);
    assert.equal(namespace, '');
    const { hash: _hash, origin: _origin, ...rest } = value ?? assert.fail();
    assert.deepEqual(rest, {
      ref: { name: 'west', generation: 1 },
      createdAtMs: 0,
      place: { cluster: 'west', zone: 'eu-1a' },
      services: ['shop/ratings', 'shop/reviews'],
      overMs: 300_000,
      startAtMs: Date.parse('2026-01-31T08:00:00Z'),
      force: false,
    });
  });

  it('needs no more than a place', () => {
    const { value } = parseDrain(rawObject(parse(drainText('{zone: a, over: 0s}'))), options);
    assert.deepEqual([value?.place, value?.overMs, value?.services], [{ cluster: '', zone: 'a' }, 0, []]);
    assert.equal(value?.startAtMs, undefined);
  });

  it('has no namespace', () => {
    const text = drainText('{cluster: west}', 'west', ', namespace: shop');
    const { value, findings } = parseDrain(rawObject(parse(text)), options);
    assert.equal(value, undefined);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['FW-RULE-150'],
    );
  });

  for (const { name, spec, codes, field, says } of badDrains) {
    it(`is refused: ${name}`, () => {
      const { value, findings } = parseDrain(rawObject(parse(drainText(spec))), options);
      assert.equal(value, undefined);
      assert.deepEqual(
        findings.map(({ code }) => code),
        codes,
      );
      assert.equal(findings[0]?.where.field, field);
      assert.ok(`${findings[0]?.message} ${findings[0]?.hint}`.includes(says), findings[0]?.message);
    });
  }
});

describe('docs/drain.md', () => {
  it('begins with the example that the tests hold to', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../../docs/drain.md'), 'utf8');
    assert.equal(/```yaml\n([^]*?)```/.exec(text)?.[1]?.trim(), exampleDrain.trim());
  });
});
