/** What a rule says of sources and places: as the mesh takes it, what has no effect, and what is not there. */

import assert from 'node:assert/strict';
import { mergeService } from '../../../../src/catalog/merge.ts';
import { toDestination } from '../../../../src/model/rule.ts';
import type { CatalogService } from '../../../../src/model/service.ts';
import { type ParsedRule, parseTrafficRule } from '../../../../src/rules/traffic-rule/parse.ts';
import { type Resolution, resolveRule } from '../../../../src/rules/traffic-rule/resolve.ts';
import { endpoint, shard } from '../../../support/fixtures.ts';
import { rawRule } from '../../../support/rules.ts';

function parse(spec: string): ParsedRule {
  return parseTrafficRule(rawRule(`{service: reviews, ${spec}}`), { defaultNamespace: 'shop' });
}

const said = ({ findings }: ParsedRule): string[] =>
  findings.map(({ code, where, message }) => `${code} ${where.field}: ${message}`);

const at = (region: string, zone: string) => ({ locality: { region, zone, subzone: '' } });
const reviews = mergeService([
  shard('east', 'reviews', {
    endpoints: [
      endpoint('east', '10.0.0.1', { ...at('eu', 'eu-a'), version: 'v1' }),
      endpoint('east', '10.0.0.2', { ...at('eu', 'eu-b'), version: 'v2', ready: false }),
    ],
  }),
  shard('west', 'reviews', { endpoints: [endpoint('west', '10.0.1.1', { ...at('us', 'us-a'), version: 'v1' })] }),
]);

function resolve(spec: string, service: CatalogService = reviews): Resolution {
  const { rule, findings } = parse(spec);
  assert.ok(rule !== undefined, JSON.stringify(findings));
  return resolveRule(rule, { service: () => service, clusters: new Set(['east', 'west']) }, () => ({}));
}

function missing(spec: string): string[] {
  const resolution = resolve(spec);
  return resolution.resolved ? [] : resolution.findings.map(({ code, message }) => `${code} ${message}`);
}

describe('places in a rule', () => {
  it('are parts of destinations', () => {
    const { rule } = parse(
      'routes: [{backends: [{version: v2, region: eu, zone: eu-a, fallback: [{zone: eu-b}, {}]}]}]',
    );
    assert.deepEqual(rule?.routes[0]?.backends[0]?.chain, [
      toDestination({ version: 'v2', region: 'eu', zone: 'eu-a' }),
      toDestination({ zone: 'eu-b' }),
      toDestination({}),
    ]);
  });

  it('are preferred, ordered, or given shares', () => {
    const locality = (text: string) => parse(`locality: {${text}}`).rule?.policy?.locality;
    assert.deepEqual(locality('prefer: [zone, region]'), { kind: 'nearest', order: ['zone', 'region'] });
    const place = { region: '', zone: '', cluster: '' };
    assert.deepEqual(locality('order: [{region: eu}, {cluster: west, zone: us-a}]'), {
      kind: 'order',
      places: [
        { ...place, region: 'eu' },
        { ...place, cluster: 'west', zone: 'us-a' },
      ],
    });
    assert.deepEqual(
      locality('shares: [{from: {region: eu}, to: [{region: eu, weight: 9}]}, {to: [{zone: us-a, weight: 1}]}]'),
      {
        kind: 'shares',
        entries: [
          { from: { ...place, region: 'eu' }, to: [{ place: { ...place, region: 'eu' }, weight: 9 }] },
          { from: place, to: [{ place: { ...place, zone: 'us-a' }, weight: 1 }] },
        ],
      },
    );
    const { rule } = parse('within: {region: eu}, spillover: 200');
    assert.deepEqual(rule?.policy, { within: { ...place, region: 'eu' }, overprovisioningPercent: 200 });
    assert.equal(rule?.routes.length, 1);
  });

  it('warn where they have no effect', () => {
    const covered = 'all of its endpoints are in place 0, which comes first';
    assert.deepEqual(said(parse('locality: {order: [{region: eu}, {region: eu, zone: a}]}')), [
      `FW-RULE-128 spec.locality.order[1]: this place never counts: ${covered}`,
    ]);
    assert.deepEqual(
      said(
        parse(
          'locality: {shares: [{to: [{zone: a, weight: 1}]}, {from: {zone: b}, to: [{zone: b, weight: 1}, {cluster: c, zone: b, weight: 1}]}]}',
        ),
      ),
      [
        `FW-RULE-128 spec.locality.shares[1].to[1]: this place never counts: ${covered}`,
        'FW-RULE-129 spec.locality.shares[1]: these shares are never used: entry 0 comes first and fits all of their clients',
      ],
    );
    const outside = '.west@us never takes a request: it is outside of @eu, which traffic must not leave';
    assert.deepEqual(
      said(
        parse(
          'within: {region: eu}, routes: [{backends: [{version: v1, fallback: [{cluster: west, region: us}, {}]}]}]',
        ),
      ),
      [`FW-RULE-130 spec.routes[0]: ${outside}`],
    );
  });

  it('leave a fallback out whose place lies in an earlier one', () => {
    const { rule, findings } = parse(
      'routes: [{backends: [{region: eu, fallback: [{region: eu, zone: a}, {zone: a}]}]}]',
    );
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['FW-RULE-029'],
    );
    assert.equal(rule?.routes[0]?.backends[0]?.chain.length, 2);
  });
});

describe('sources in a rule', () => {
  it('are what is given, with labels in their order', () => {
    const { rule } = parse(
      'routes: [{matches: [{source: {cluster: east, labels: {tier: front, app: web}}, method: GET}], backends: [{}]}, {backends: [{}]}]',
    );
    assert.deepEqual(rule?.routes[0]?.matches[0]?.source, {
      cluster: 'east',
      namespace: '',
      labels: { app: 'web', tier: 'front' },
    });
  });

  it('are none where they ask for nothing', () => {
    const { rule, findings } = parse('routes: [{matches: [{source: {}}], backends: [{}]}]');
    assert.deepEqual(rule?.routes[0]?.matches[0], { headers: [], queryParams: [] });
    assert.deepEqual(findings, []);
  });

  it('count when routes are compared', () => {
    const routes = (first: string, second: string): string[] =>
      said(
        parse(
          `routes: [{matches: [{source: {${first}}}], backends: [{}]}, {matches: [{source: {${second}}}], backends: [{}]}, {backends: [{}]}]`,
        ),
      ).map((text) => text.slice(0, 11));
    assert.deepEqual(routes('namespace: shop', 'namespace: shop, labels: {app: web}'), ['FW-RULE-037']);
    assert.deepEqual(routes('labels: {app: web}', 'labels: {app: web, tier: front}'), ['FW-RULE-037']);
    assert.deepEqual(routes('labels: {app: web, tier: front}', 'labels: {app: web}'), []);
    assert.deepEqual(routes('cluster: east', 'cluster: west'), []);
  });
});

describe('places that are not there', () => {
  it('are none where an endpoint is there, ready or not', () => {
    assert.deepEqual(
      missing('within: {region: eu}, routes: [{backends: [{version: v2, zone: eu-b, fallback: [{region: eu}]}]}]'),
      [],
    );
    assert.deepEqual(missing('locality: {order: [{region: us}]}'), []);
  });

  it('are named, once each, with what there is', () => {
    assert.deepEqual(
      missing(
        'routes: [{backends: [{region: asia}, {version: v2, region: us}, {version: v1, zone: eu-b, cluster: west}]}]',
      ),
      [
        'FW-RULE-131 no endpoint of shop/reviews is in region asia',
        'FW-RULE-131 no endpoint of shop/reviews with version v2 is in region us',
        'FW-RULE-131 no endpoint of shop/reviews with version v1 is in zone eu-b, cluster west',
      ],
    );
    assert.deepEqual(missing('locality: {shares: [{to: [{zone: eu-c, weight: 1}, {zone: eu-a, weight: 1}]}]}'), [
      'FW-RULE-131 no endpoint of shop/reviews is in zone eu-c',
    ]);
    const resolution = resolve('locality: {order: [{region: asia}]}');
    assert.ok(!resolution.resolved);
    assert.equal(resolution.reason, 'PlaceNotFound');
    assert.match(resolution.findings[0]?.hint ?? '', /there are \.east@eu\/eu-a, \.east@eu\/eu-b, \.west@us\/us-a$/);
  });

  it('are graver where traffic must not leave them', () => {
    const resolution = resolve('within: {region: asia}, routes: [{backends: [{version: v9}]}]');
    assert.ok(!resolution.resolved);
    assert.equal(resolution.reason, 'WithinNotFound');
    assert.match(
      resolution.message,
      /no endpoint of shop\/reviews is within region asia: all requests are answered with 503/,
    );
    assert.deepEqual(resolution.findings.map(({ code }) => code).sort(), ['FW-RULE-053', 'FW-RULE-132']);
  });

  it('are clusters too that requests should come from', () => {
    assert.deepEqual(missing('routes: [{matches: [{source: {cluster: south}}], backends: [{}]}, {backends: [{}]}]'), [
      'FW-RULE-051 no cluster named south is registered',
    ]);
  });
});
