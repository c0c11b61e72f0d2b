import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { allKinds, foreignKinds } from '../../../src/kinds/all-kinds.ts';
import { groupOf, versionsOf } from '../../../src/rules/objects/kind-types.ts';
import { rawObject } from '../../support/rules.ts';

const options = { defaultNamespace: 'default' };
const metadata = { name: 'a', namespace: 'shop' };

describe('the table of all kinds', () => {
  it('has each kind once, so that an id names one object', () => {
    assert.equal(new Set(allKinds.rows.map(({ kind }) => kind)).size, allKinds.rows.length);
    assert.equal(new Set(allKinds.rows.map(({ plural }) => plural)).size, allKinds.rows.length);
  });

  it('knows them by every word, and gives ours the short one that two have', () => {
    for (const { kind, plural, ...row } of allKinds.rows) {
      const words = [
        kind,
        kind.toUpperCase(),
        plural,
        `${plural}.${groupOf(row)}`,
        `${kind.toLowerCase()}.${groupOf(row)}`,
      ];
      for (const word of words) assert.equal(allKinds.called(word)?.kind, kind, word);
    }
    assert.equal(allKinds.called('dr')?.kind, 'Drain');
    assert.equal(allKinds.called('vs')?.kind, 'VirtualService');
    assert.equal(allKinds.called('pods'), undefined);
    assert.equal(allKinds.named('httproute'), undefined);
    assert.equal(allKinds.named({}), undefined);
  });

  it('names the clusters’ one kind without a namespace', () => {
    assert.deepEqual([...allKinds.clusterScoped()].sort(), ['ClusterPolicy', 'Drain']);
  });

  for (const row of foreignKinds) {
    it(`reads ${row.kind} in all its versions, newest first, and no other`, () => {
      const [newest] = versionsOf(row);
      assert.ok(versionsOf(row).every((version) => version.startsWith(`${groupOf(row)}/v`)));
      assert.equal(newest, row.apiVersion);
      const codes = (apiVersion: unknown): readonly string[] =>
        allKinds
          .parse(rawObject({ apiVersion, kind: row.kind, metadata, spec: {} }), options)
          .findings.map(({ code }) => code);
      for (const version of versionsOf(row)) assert.ok(!codes(version).includes('FW-RULE-003'), version);
      for (const wrong of [`${groupOf(row)}/v0`, 'fairway.dev/v1alpha1', 'v1', 7, undefined])
        assert.deepEqual(codes(wrong), ['FW-RULE-003'], String(wrong));
    });

    it(`shows ${row.kind} whatever its spec is`, () => {
      for (const spec of [
        undefined,
        null,
        7,
        'text',
        [],
        { hosts: 7, hostnames: {}, parentRefs: [null, 7], from: [[]], subsets: [0] },
      ])
        for (const { of } of row.shown) assert.equal(typeof of(spec, []), 'string');
    });

    it(`refuses as ${row.kind} what is none, and throws nothing`, () => {
      const base = { apiVersion: row.apiVersion, kind: row.kind, metadata };
      const self: Record<string, unknown> = {};
      self['self'] = self;
      for (const spec of [undefined, null, 7, 'text', [], self, { deep: 'x'.repeat(300 * 1024) }]) {
        const { value, findings } = allKinds.parse(rawObject({ ...base, spec }), options);
        assert.equal(value, undefined);
        assert.ok(findings.some(({ severity }) => severity === 'error'));
      }
      for (const bad of [{ name: 'A_b' }, { name: 'a', namespace: 7 }, null])
        assert.equal(allKinds.parse(rawObject({ ...base, metadata: bad, spec: {} }), options).value, undefined);
    });
  }

  it('says of an unknown kind which it may be, or which there are', () => {
    const hintOf = (kind: string): string =>
      allKinds.parse(rawObject({ apiVersion: 'a/v1', kind, metadata, spec: {} }), options).findings[0]?.hint ?? '';
    assert.equal(hintOf('HTTPRoutes'), 'Did you mean `HTTPRoute`?');
    assert.match(
      hintOf('Nonsense'),
      /^Known kinds: TrafficRule, .*\(fairway\.dev\/v1alpha1\), HTTPRoute, .*\(gateway\.networking\.k8s\.io\/v1\)/,
    );
  });

  it('is what deploy/pilot/roles.yaml lets a pilot read and write', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../deploy/pilot/roles.yaml'), 'utf8');
    interface Rule {
      readonly apiGroups: readonly string[];
      readonly resources: readonly string[];
      readonly verbs: readonly string[];
    }
    const role = parseAllDocuments(text)[0]?.toJS() as { rules: readonly Rule[] };
    const verbsOn = (group: string, resource: string): readonly string[] =>
      role.rules
        .filter(({ apiGroups, resources }) => apiGroups.includes(group) && resources.includes(resource))
        .flatMap(({ verbs }) => verbs);
    for (const row of allKinds.rows) {
      assert.deepEqual(verbsOn(groupOf(row), row.plural), ['get', 'list', 'watch'], row.kind);
      const writes = row.statusShape === 'none' ? [] : ['patch'];
      assert.deepEqual(verbsOn(groupOf(row), `${row.plural}/status`), writes, row.kind);
    }
  });
});
