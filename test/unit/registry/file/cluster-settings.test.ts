import assert from 'node:assert/strict';
import { readClusterSettings } from '../../../../src/registry/file/cluster-settings.ts';

describe('cluster.yaml', () => {
  it('takes the folder’s name for a cluster that says none', () => {
    const unknown = { region: '', zone: '', subzone: '' };
    assert.deepEqual(readClusterSettings('', 'f', 'east'), { name: 'east', network: '', locality: unknown });
    assert.deepEqual(readClusterSettings('name: a\nnetwork: n\nregion: eu\nzone: eu-a\nsubzone: r7\n', 'f', 'east'), {
      name: 'a',
      network: 'n',
      locality: { region: 'eu', zone: 'eu-a', subzone: 'r7' },
    });
  });

  it('refuses everything else, with its place', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['nmae: a\n', 'FW-FILE-009 1:1'],
      ['name: a.b\n', 'FW-FILE-010 1:7'],
      ['network: 1\n', 'FW-FILE-010 1:10'],
      ['zone: "a b"\n', 'FW-FILE-010 1:7'],
      ['- a\n', 'FW-FILE-010 1:1'],
      ['name: a\n---\nname: b\n', 'FW-FILE-010 1:1'],
      ['name: [\n', 'FW-FILE-001 2:1'],
      ['name: a\nname: b\n', 'FW-FILE-002 2:1'],
    ];
    for (const [text, expected] of cases) {
      const findings = readClusterSettings(text, 'f', 'east');
      assert.ok(!('name' in findings), text);
      const [first] = findings;
      assert.equal(`${first?.code} ${first?.where.line}:${first?.where.column}`, expected, text);
    }
  });
});
