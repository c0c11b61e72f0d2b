import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { ClusterPolicy } from '../../../../src/model/cluster-policy.ts';
import { parseClusterPolicy } from '../../../../src/rules/cluster-policy/parse.ts';
import { ownKinds } from '../../../../src/rules/kinds.ts';
import type { ParsedObject } from '../../../../src/rules/objects/kind-types.ts';
import { badClusterPolicies, clusterPolicyText, exampleClusterPolicy } from '../../../support/bad-cluster-policies.ts';
import { rawObject } from '../../../support/rules.ts';

const options = { defaultNamespace: 'default' };

function parsed(text: string): ParsedObject<ClusterPolicy> {
  return parseClusterPolicy(rawObject(parseYaml(text)), options);
}

describe('docs/who-decides.md', () => {
  it('begins with the example that the tests hold to', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../../docs/who-decides.md'), 'utf8');
    assert.equal(/```yaml\n([^]*?)```/.exec(text)?.[1]?.trim(), exampleClusterPolicy.trim());
  });
});

describe('parseClusterPolicy', () => {
  it('takes the example, which has no namespace', () => {
    const { value, findings, namespace, name } = parsed(exampleClusterPolicy);
    assert.deepEqual(findings, []);
    assert.deepEqual([namespace, name], ['', 'edges']);
    assert.deepEqual(value?.clusters, ['edge-*', 'lab']);
    assert.deepEqual(value?.grants, [{ namespaces: ['shop', 'team-*'], kinds: ['TrafficRule'] }]);
    assert.equal(value?.precedence, 'member');
  });

  it('lets the member go first where nothing is said', () => {
    const { value } = parsed(
      clusterPolicyText('{clusters: ["*"], grants: [{namespaces: ["*"], kinds: [TrafficRule]}]}'),
    );
    assert.equal(value?.precedence, 'member');
  });

  it('is one policy whatever the order of its lists, and another with another right', () => {
    const hash = (clusters: string, precedence: string): string | undefined =>
      parsed(
        clusterPolicyText(
          `{clusters: ${clusters}, grants: [{namespaces: [b, a], kinds: [TrafficRule]}], precedence: ${precedence}}`,
        ),
      ).value?.hash;
    assert.equal(hash('[x, y]', 'member'), hash('[y, x]', 'member'));
    assert.notEqual(hash('[x, y]', 'member'), hash('[x, y]', 'primary'));
  });

  it('is called by the words that people use', () => {
    for (const word of ['ClusterPolicy', 'clusterpolicies', 'cp'])
      assert.equal(ownKinds.called(word)?.kind, 'ClusterPolicy');
    assert.equal(ownKinds.parse(rawObject(parseYaml(exampleClusterPolicy)), options).findings.length, 0);
  });

  describe('tells', () => {
    for (const { name, spec, codes, field, says } of badClusterPolicies) {
      it(name, () => {
        const { value, findings } = parsed(clusterPolicyText(spec));
        assert.deepEqual(
          findings.map(({ code }) => code),
          codes,
        );
        const [finding] = findings;
        assert.equal(value, undefined);
        assert.equal(finding?.where.field, field);
        assert.ok(`${finding?.message} ${finding?.hint}`.includes(says), `${finding?.message} ${finding?.hint}`);
      });
    }
  });
});
