/** What a valid rule does not do, and what is wrong with merged services. */

import assert from 'node:assert/strict';
import { mergeService } from '../../../src/catalog/merge.ts';
import { countChain, endpointsOf, ruleFindings } from '../../../src/mesh/rule-findings.ts';
import { RuleHistory } from '../../../src/mesh/rule-history.ts';
import { serviceFindings } from '../../../src/mesh/service-findings.ts';
import { toDestination } from '../../../src/model/rule.ts';
import type { ServiceShard } from '../../../src/model/service.ts';
import { parseTrafficRule } from '../../../src/rules/traffic-rule/parse.ts';
import { endpoint, port, shard } from '../../support/fixtures.ts';
import { rawRule } from '../../support/rules.ts';

const service = (...shards: readonly ServiceShard[]): ReturnType<typeof mergeService> => mergeService(shards);

function codes(spec: string, catalog: ReturnType<typeof service>, detectProtocols = false): string[] {
  const { rule, findings } = parseTrafficRule(rawRule(spec), { defaultNamespace: 'shop' });
  assert.ok(rule !== undefined, JSON.stringify(findings));
  return ruleFindings(rule, catalog, { detectProtocols }, () => ({ file: 'a.yaml' })).map(({ code }) => code);
}

const v1 = endpoint('east', '10.0.0.1', { version: 'v1' });
const lostV2 = endpoint('west', '10.1.0.1', { version: 'v2', ready: false });
const both = service(shard('east', 'reviews', { endpoints: [v1] }), shard('west', 'reviews', { endpoints: [lostV2] }));

describe('what a valid rule does not do', () => {
  it('a backend of which nothing is ready, with and without a fallback that takes over', () => {
    assert.deepEqual(codes('{service: reviews, routes: [{backends: [{version: v2}]}]}', both), ['FW-MESH-003']);
    assert.deepEqual(codes('{service: reviews, routes: [{backends: [{version: v2, fallback: [{}]}]}]}', both), [
      'FW-MESH-004',
    ]);
    assert.deepEqual(codes('{service: reviews, routes: [{backends: [{version: v1}]}]}', both), []);
    assert.deepEqual(
      codes('{service: reviews, routes: [{backends: [{version: v2, weight: 0}, {version: v1, weight: 1}]}]}', both),
      [],
    );
    assert.deepEqual(
      codes('{service: reviews, routes: [{backends: [{version: v9}]}]}', both),
      [],
      'said where references are looked up',
    );
  });

  it('says one thing once, however many routes have the backend', () => {
    const twice =
      '{service: reviews, routes: [{matches: [{path: {prefix: /x}}], backends: [{version: v2}]}, {backends: [{version: v2}]}]}';
    assert.deepEqual(codes(twice, both), ['FW-MESH-003']);
  });

  it('a match on a port that shows no requests', () => {
    const matching =
      '{service: reviews, routes: [{matches: [{method: GET}], backends: [{version: v1}]}, {backends: [{version: v1}]}]}';
    const tcp = service(shard('east', 'reviews', { endpoints: [v1], ports: [port(80, 'tcp')] }));
    const undeclared = service(
      shard('east', 'reviews', { endpoints: [v1], ports: [{ ...port(80, 'tcp', ''), undeclared: true }] }),
    );
    assert.deepEqual(codes(matching, tcp), ['FW-MESH-005']);
    assert.deepEqual(codes(matching, undeclared), ['FW-MESH-005']);
    assert.deepEqual(codes(matching, undeclared, true), [], 'protocols are detected');
    assert.deepEqual(codes(matching, both), []);
    assert.deepEqual(codes('{service: reviews, routes: [{backends: [{version: v1}]}]}', tcp), []);
  });

  it('counts each endpoint for the first destination that names it', () => {
    const chain = [
      toDestination({ version: 'v2', cluster: 'west' }),
      toDestination({ version: 'v2' }),
      toDestination({}),
    ];
    assert.deepEqual(
      countChain(chain, endpointsOf(both)).map(({ ready, total }) => [ready, total]),
      [
        [0, 1],
        [0, 0],
        [1, 1],
      ],
    );
  });
});

describe('what is wrong with services', () => {
  it('conflicts between clusters, and nothing that is ready', () => {
    assert.deepEqual(serviceFindings(both), []);
    const conflicting = service(
      shard('east', 'reviews', { endpoints: [v1] }),
      shard('west', 'reviews', { ports: [port(80, 'tcp', 'http')] }),
    );
    assert.deepEqual(
      serviceFindings(conflicting).map(({ code, where }) => [code, where.object]),
      [['FW-MESH-001', 'Service shop/reviews']],
    );
    assert.deepEqual(
      serviceFindings(service(shard('west', 'reviews', { endpoints: [lostV2] }))).map(({ code }) => code),
      ['FW-MESH-002'],
    );
    assert.deepEqual(
      serviceFindings(service(shard('west', 'reviews', { ports: [], externalName: 'a.example.com' }))).map(
        ({ code }) => code,
      ),
      ['FW-MESH-006'],
    );
    assert.deepEqual(serviceFindings(service(shard('west', 'reviews', { ports: [] }))), [], 'it takes no requests');
  });
});

describe('the history of rules', () => {
  it('tells which form was in force at a revision', () => {
    const form = (version: string): NonNullable<ReturnType<typeof parseTrafficRule>['rule']> => {
      const { rule } = parseTrafficRule(rawRule(`{service: reviews, routes: [{backends: [{version: ${version}}]}]}`), {
        defaultNamespace: 'shop',
      });
      assert.ok(rule !== undefined);
      return rule;
    };
    const history = new RuleHistory();
    const [first, second] = [form('v1'), form('v2')];
    history.remember('shop/reviews', first, 3);
    history.remember('shop/reviews', second, 5);
    const again = { ...second };
    history.remember('shop/reviews', again, 7);
    assert.equal(history.at('shop/reviews', 2), undefined);
    assert.equal(history.at('shop/reviews', 4), first);
    assert.equal(history.at('shop/reviews', 6), again, 'the same form under a new generation');
    assert.equal(history.at('shop/other', 6), undefined);
  });
});
