import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseTrafficRule } from '../../../src/rules/traffic-rule/parse.ts';
import { retryConditions } from '../../../src/rules/traffic-rule/schema/retry.ts';
import { exampleRule, rawObject } from '../../support/rules.ts';

describe('docs/traffic-rules.md', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/traffic-rules.md'), 'utf8');
  const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml = '']) => yaml);

  it('shows rules that are valid, without a warning', () => {
    assert.ok(examples.length >= 3);
    // What lets a rule refer to another namespace is no rule.
    for (const example of examples.filter((one) => !one.includes('kind: ReferenceGrant'))) {
      assert.deepEqual(
        parseTrafficRule(rawObject(parse(example)), { defaultNamespace: 'default' }).findings,
        [],
        example,
      );
    }
  });

  it('begins with the rule that the tests hold every part to', () => {
    assert.equal(examples[0]?.trim(), exampleRule.trim());
  });

  it('explains every retry condition', () => {
    for (const condition of retryConditions) assert.ok(text.includes(`\`${condition}\``), condition);
  });
});
