import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { formatFinding } from '../../../../src/core/errors.ts';
import { anywhere, toDestination } from '../../../../src/model/rule.ts';
import { ruleCodes } from '../../../../src/rules/codes/rule-codes.ts';
import { maxSpecBytes } from '../../../../src/rules/objects/envelope.ts';
import { type ParsedRule, parseTrafficRule } from '../../../../src/rules/traffic-rule/parse.ts';
import { badRules } from '../../../support/bad-rules.ts';
import { exampleRule, oneRoute, rawObject, rawRule } from '../../../support/rules.ts';

const options = { defaultNamespace: 'default' };

function parseSpec(spec: string): ParsedRule {
  return parseTrafficRule(rawRule(spec), options);
}

function parseObject(object: unknown): ParsedRule {
  return parseTrafficRule(rawObject(object), options);
}

function codes({ findings }: ParsedRule): string[] {
  return findings.map(({ code }) => code).sort();
}

const envelope = { apiVersion: 'fairway.dev/v1alpha1', kind: 'TrafficRule', metadata: { name: 'a' } };
const spec = { service: 'reviews', routes: [{ backends: [{}] }] };

describe('parseTrafficRule', () => {
  it('takes the example as it is written', () => {
    const { rule, findings } = parseObject(parse(exampleRule));
    assert.deepEqual(findings, []);
    assert.ok(rule);
    const { hash, ...rest } = rule;
    assert.match(hash, /^[0-9a-f]{32}$/);
    const noChange = { set: [], add: [], remove: [] };
    const headers = { requestHeaders: noChange, responseHeaders: noChange };
    assert.deepEqual(rest, {
      ref: { namespace: 'shop', name: 'reviews', generation: 1 },
      service: 'shop/reviews',
      createdAtMs: 0,
      origin: 'rules/a.yaml',
      routes: [
        {
          name: 'beta',
          matches: [{ headers: [{ name: 'x-group', match: { kind: 'exact', value: 'beta' } }], queryParams: [] }],
          backends: [
            {
              weight: 1,
              chain: [toDestination({ version: 'v3', cluster: 'west' }), toDestination({ version: 'v2' }), anywhere],
            },
          ],
          ...headers,
        },
        {
          name: 'route-1',
          matches: [],
          backends: [
            { weight: 90, chain: [toDestination({ version: 'v1' })] },
            { weight: 10, chain: [toDestination({ version: 'v2', cluster: 'west' })] },
          ],
          requestTimeoutMs: 3000,
          backendRequestTimeoutMs: 1000,
          retry: { attempts: 2, on: ['connect-failure'], statusCodes: [503] },
          ...headers,
        },
      ],
    });
  });

  it('takes the example as kubectl sends it, whose YAML reads `on` as true', () => {
    const sent = parse(exampleRule, { version: '1.1' }) as unknown;
    const overWire = JSON.parse(JSON.stringify(sent)) as { spec: { routes: { retry?: object }[] } };
    assert.deepEqual(Object.keys(overWire.spec.routes[1]?.retry ?? {}), ['attempts', 'true']);
    const { rule, findings } = parseObject(overWire);
    assert.deepEqual(findings, []);
    assert.equal(rule?.hash, parseObject(parse(exampleRule)).rule?.hash);
  });

  describe('refuses', () => {
    for (const bad of badRules) {
      it(bad.name, () => {
        const { rule, findings } = parseSpec(bad.spec);
        assert.equal(rule, undefined);
        assert.deepEqual(findings.map(({ code }) => code).sort(), bad.codes.toSorted());
        const first = findings.find(({ code }) => code === bad.codes[0]);
        assert.equal(first?.severity, 'error');
        assert.equal(first?.where.field, bad.field);
        assert.equal(first?.where.file, 'rules/a.yaml');
        const line = formatFinding(first);
        assert.ok(line.includes(bad.says), line);
      });
    }

    it('what is no object', () => {
      for (const object of [null, undefined, 'text', 7, [], [envelope]])
        assert.deepEqual(codes(parseObject(object)), ['FW-RULE-001']);
    });

    it('an unknown kind, and says which are known', () => {
      const [finding] = parseObject({ ...envelope, kind: 'VirtualService', spec }).findings;
      assert.equal(finding?.code, 'FW-RULE-002');
      assert.equal(finding?.hint, 'Known kinds: TrafficRule (fairway.dev/v1alpha1)');
      assert.equal(
        parseObject({ ...envelope, kind: 'TraficRule', spec }).findings[0]?.hint,
        'Did you mean `TrafficRule`?',
      );
      assert.deepEqual(codes(parseObject({})), ['FW-RULE-002']);
    });

    it('an unknown apiVersion, and says which is known', () => {
      for (const apiVersion of ['fairway.dev/v2', 'v1', undefined, 7]) {
        const [finding] = parseObject({ ...envelope, apiVersion, spec }).findings;
        assert.equal(finding?.code, 'FW-RULE-003');
        assert.equal(finding?.hint, 'Write apiVersion: fairway.dev/v1alpha1');
      }
    });

    it('a missing or bad name or namespace', () => {
      assert.deepEqual(codes(parseObject({ ...envelope, metadata: {}, spec })), ['FW-RULE-004']);
      assert.deepEqual(codes(parseObject({ ...envelope, metadata: undefined, spec })), ['FW-RULE-004']);
      assert.deepEqual(codes(parseObject({ ...envelope, metadata: { name: 'A_b' }, spec })), ['FW-RULE-004']);
      assert.deepEqual(codes(parseObject({ ...envelope, metadata: { name: 'a', namespace: 'a.b' }, spec })), [
        'FW-RULE-005',
      ]);
    });

    it('a missing spec', () => {
      assert.deepEqual(codes(parseObject(envelope)), ['FW-RULE-008']);
      assert.deepEqual(codes(parseObject({ ...envelope, spec: null })), ['FW-RULE-008']);
      assert.deepEqual(codes(parseObject({ ...envelope, spec: [] })), ['FW-RULE-007']);
    });

    it('a field that belongs below spec', () => {
      const [finding] = parseObject({ ...envelope, spec, routes: [] }).findings;
      assert.equal(finding?.code, 'FW-RULE-006');
      assert.equal(finding?.hint, '`routes` belongs below spec');
    });

    it('a key that would reach a prototype', () => {
      const object = JSON.parse(`{"apiVersion":"fairway.dev/v1alpha1","kind":"TrafficRule","metadata":{"name":"a"},
        "spec":{"service":"reviews","__proto__":{"routes":1},"constructor":{},"routes":[{"backends":[{"__proto__":{"weight":-1}}]}]}}`);
      assert.deepEqual(codes(parseObject(object)), ['FW-RULE-006', 'FW-RULE-006', 'FW-RULE-006']);
    });

    it('a spec that is too large, too deep, or holds itself, without walking all of it', () => {
      const large = { service: 'x'.repeat(maxSpecBytes), routes: [] };
      assert.deepEqual(codes(parseObject({ ...envelope, spec: large })), ['FW-RULE-010']);
      const self: { routes?: unknown } = {};
      self.routes = [self];
      assert.deepEqual(codes(parseObject({ ...envelope, spec: self })), ['FW-RULE-010']);
      let bomb: unknown = 'x';
      for (let i = 0; i < 12; i++) bomb = Array.from({ length: 30 }, () => bomb);
      assert.deepEqual(codes(parseObject({ ...envelope, spec: bomb })), ['FW-RULE-010']);
      assert.equal(parseObject({ ...envelope, spec: bomb }).spec, undefined);
    });
  });

  it('tells every error, up to a bound', () => {
    const several = parseSpec(
      '{service: Reviews, routes: [{name: A, matches: [{method: get}], backends: [{weight: -1, version: ""}]}]}',
    );
    assert.deepEqual(codes(several), ['FW-RULE-012', 'FW-RULE-013', 'FW-RULE-019', 'FW-RULE-024', 'FW-RULE-026']);
    const routes = Array.from({ length: 32 }, (_, i) => `{name: r${i}, a: 1, b: 2, backends: [{}]}`).join(', ');
    const { findings } = parseSpec(`{service: reviews, routes: [${routes}]}`);
    assert.equal(findings.length, 51);
    assert.equal(findings.at(-1)?.code, 'FW-RULE-043');
    assert.match(findings.at(-1)?.message ?? '', /^14 more findings/);
  });

  it('stops compiling regular expressions when those of a rule are too large together', () => {
    const unfolding = '(.{30}){30}'.repeat(50);
    const matches = Array.from({ length: 16 }, () => `{path: {regex: "${unfolding}"}}`).join(', ');
    const { findings } = parseSpec(oneRoute(`matches: [${matches}], backends: [{}]`));
    assert.deepEqual(
      findings.map(({ code, where }) => [code, where.field?.slice('spec.routes[0].'.length)]),
      [
        ['FW-RULE-018', 'matches[0].path.regex'],
        ['FW-RULE-018', 'matches[1].path.regex'],
        ['FW-RULE-018', 'matches[2].path.regex'],
      ],
    );
    assert.match(findings[2]?.message ?? '', /too large together/);
  });

  it('uses only codes that are listed, each of which has a cure', () => {
    for (const bad of badRules) for (const code of bad.codes) assert.ok(code in ruleCodes, code);
    for (const [code, { title, cure }] of Object.entries(ruleCodes)) {
      assert.match(code, /^FW-RULE-\d{3}$/);
      assert.ok(title.length > 0 && cure.endsWith('.'), code);
    }
  });

  describe('applies defaults', () => {
    it('to namespace, weight, names and retry conditions', () => {
      const { rule } = parseObject({
        ...envelope,
        spec: { service: 'a', routes: [{ backends: [{}], retry: { attempts: 3 } }] },
      });
      assert.equal(rule?.ref.namespace, 'default');
      assert.deepEqual(rule?.routes[0]?.backends, [{ weight: 1, chain: [anywhere] }]);
      assert.equal(rule?.routes[0]?.name, 'route-0');
      assert.deepEqual(rule?.routes[0]?.retry?.on, [
        'cancelled',
        'connect-failure',
        'refused-stream',
        'reset-before-request',
        'unavailable',
      ]);
    });

    it('so that 0s is no limit', () => {
      const route = parseSpec(oneRoute('backends: [{}], timeouts: {request: 0s, backendRequest: 1h30m500ms}')).rule
        ?.routes[0];
      assert.equal(route?.requestTimeoutMs, undefined);
      assert.equal(route?.backendRequestTimeoutMs, 5_400_500);
    });

    it('so that header names are in lower case and prefixes end without a slash', () => {
      const text =
        'matches: [{path: {prefix: /api/}, headers: [{name: X-A, prefix: B}], queryParams: [{name: Q, regex: c}]}, {path: {prefix: /}}]';
      const { rule } = parseSpec(
        oneRoute(`${text}, backends: [{}], requestHeaders: {set: [{name: X-B, value: "%"}], remove: [X-C]}`),
      );
      assert.deepEqual(rule?.routes[0]?.matches, [
        {
          path: { kind: 'prefix', value: '/api' },
          headers: [{ name: 'x-a', match: { kind: 'prefix', value: 'B' } }],
          queryParams: [{ name: 'Q', match: { kind: 'regex', value: 'c' } }],
        },
        { path: { kind: 'prefix', value: '/' }, headers: [], queryParams: [] },
      ]);
      assert.deepEqual(rule?.routes[0]?.requestHeaders, {
        set: [{ name: 'x-b', value: '%' }],
        add: [],
        remove: ['x-c'],
      });
    });
  });

  it('hashes the content, and not what carries it', () => {
    const text = oneRoute('backends: [{version: v1}]');
    const first = parseTrafficRule(rawRule(text, { generation: 4 }), options).rule;
    const second = parseTrafficRule(
      rawRule(oneRoute('backends: [{weight: 1, version: v1}]'), { generation: 5, labels: { a: 'b' } }, 'b.yaml'),
      options,
    ).rule;
    assert.equal(first?.ref.generation, 4);
    assert.equal(first?.hash, second?.hash);
    assert.notEqual(first?.hash, parseSpec(oneRoute('backends: [{version: v2}]')).rule?.hash);
  });

  it('reads the creation time, and takes none as the oldest', () => {
    const at = (creationTimestamp: unknown) =>
      parseTrafficRule(rawRule(oneRoute('backends: [{}]'), { creationTimestamp }), options).createdAtMs;
    assert.equal(at('2026-01-02T03:04:05Z'), Date.UTC(2026, 0, 2, 3, 4, 5));
    assert.deepEqual([null, undefined, 'yesterday', 7].map(at), [0, 0, 0, 0]);
  });

  describe('warns', () => {
    const warnings = (text: string) => {
      const parsed = parseSpec(text);
      assert.ok(parsed.rule, JSON.stringify(parsed.findings));
      assert.ok(parsed.findings.every(({ severity }) => severity === 'warning'));
      return parsed;
    };

    it('of a backend that stands there twice, and adds them up', () => {
      const { rule, findings } = warnings(
        oneRoute('backends: [{version: v1, weight: 3}, {version: v2}, {version: v1, weight: 4}]'),
      );
      assert.deepEqual(
        findings.map(({ code, where }) => [code, where.field]),
        [['FW-RULE-028', 'spec.routes[0].backends[2]']],
      );
      assert.deepEqual(
        rule?.routes[0]?.backends.map(({ weight }) => weight),
        [7, 1],
      );
    });

    it('of fallbacks without an endpoint of their own, and leaves them out', () => {
      const { rule, findings } = warnings(
        oneRoute(
          'backends: [{version: v1, fallback: [{version: v1}, {version: v1, cluster: west}, {}, {version: v2}]}]',
        ),
      );
      assert.deepEqual(
        findings.map(({ code, where }) => [code, where.field]),
        [
          ['FW-RULE-029', 'spec.routes[0].backends[0].fallback[0]'],
          ['FW-RULE-029', 'spec.routes[0].backends[0].fallback[1]'],
          ['FW-RULE-029', 'spec.routes[0].backends[0].fallback[3]'],
        ],
      );
      assert.deepEqual(rule?.routes[0]?.backends[0]?.chain, [toDestination({ version: 'v1' }), anywhere]);
    });

    it('of requests that no route takes', () => {
      assert.deepEqual(codes(warnings(oneRoute('matches: [{method: GET}], backends: [{}]'))), ['FW-RULE-038']);
      assert.deepEqual(codes(warnings(oneRoute('matches: [{method: GET}, {path: {prefix: /}}], backends: [{}]'))), []);
    });

    it('of a route behind one that covers it', () => {
      const covered: readonly (readonly [string, string, boolean])[] = [
        ['', 'method: GET', true],
        ['method: GET', 'method: GET, path: {exact: /a}', true],
        ['method: GET', 'method: POST', false],
        ['path: {prefix: /a}', 'path: {exact: /a/b}', true],
        ['path: {prefix: /a/}', 'path: {prefix: /a}', true],
        ['path: {prefix: /a}', 'path: {prefix: /ab}', false],
        ['path: {prefix: /a}', 'path: {regex: /a/.*}', false],
        ['path: {regex: /a/.*}', 'path: {regex: /a/.*}', true],
        ['path: {exact: /a}', 'path: {prefix: /a}', false],
        ['headers: [{name: X-A, prefix: b}]', 'headers: [{name: x-a, value: bc}, {name: x-d, value: e}]', true],
        ['headers: [{name: x-a, value: b}]', 'headers: [{name: x-a, value: c}]', false],
        ['headers: [{name: x-a, value: b, not: true}]', 'headers: [{name: x-a, value: b}]', false],
        ['headers: [{name: x-a, value: b, not: true}]', 'headers: [{name: x-a, value: b, not: true}]', true],
        ['path: {startsWith: /a}', 'path: {prefix: /ab}', true],
        ['path: {startsWith: /a}', 'path: {startsWith: /b}', false],
        ['path: {prefix: /a}', 'path: {startsWith: /a}', false],
        ['path: {prefix: /a}', 'path: {startsWith: /a/b}', true],
        ['path: {exact: /a, ignoreCase: true}', 'path: {exact: /a}', false],
        ['path: {startsWith: /}', 'method: GET', true],
        ['queryParams: [{name: a, value: b}]', 'headers: [{name: a, value: b}]', false],
      ];
      for (const [first, second, expected] of covered) {
        const { findings } = warnings(
          `{service: reviews, routes: [{name: a, matches: [{${first}}], backends: [{}]}, {name: b, matches: [{${second}}], backends: [{}]}, {matches: [{path: {prefix: /}}], backends: [{version: v1}]}]}`,
        );
        const unreachable = findings.filter(
          ({ code, where }) => code === 'FW-RULE-037' && where.field === 'spec.routes[1]',
        );
        assert.equal(unreachable.length, expected ? 1 : 0, `${first} | ${second}`);
      }
    });

    it('of routes for some ports, and for connections, only among their like', () => {
      const text = (first: string, second: string, last = '{backends: [{}]}') =>
        `{service: reviews, routes: [{name: a, ${first}, backends: [{}]}, {name: b, ${second}, backends: [{version: v1}]}, ${last}]}`;
      assert.deepEqual(codes(warnings(text('ports: [80]', 'ports: [8080]'))), []);
      assert.deepEqual(codes(warnings(text('ports: [80, 8080]', 'ports: [8080]'))), ['FW-RULE-037']);
      assert.deepEqual(
        codes(warnings(text('takes: connections', 'takes: requests', '{ports: [1], backends: [{}]}'))),
        [],
      );
      assert.deepEqual(codes(warnings(text('takes: connections, sni: [a]', 'takes: connections, sni: [b]'))), []);
      assert.deepEqual(codes(warnings('{service: reviews, routes: [{takes: connections, backends: [{}]}]}')), []);
      const some =
        '{service: reviews, routes: [{ports: [80], matches: [{method: GET}], backends: [{}]}, {ports: [81], backends: [{}]}]}';
      assert.deepEqual(codes(warnings(some)), ['FW-RULE-038']);
    });

    it('of a route only when all of its alternatives are covered', () => {
      const text = (second: string) =>
        `{service: reviews, routes: [{name: a, matches: [{method: GET}], backends: [{}]}, {name: b, matches: [{method: PUT}], backends: [{}]}, {matches: [${second}], backends: [{}]}, {backends: [{}]}]}`;
      assert.deepEqual(codes(warnings(text('{method: GET, path: {exact: /a}}, {method: PUT}'))), ['FW-RULE-037']);
      assert.deepEqual(codes(warnings(text('{method: GET}, {method: POST}'))), []);
    });
  });
});
