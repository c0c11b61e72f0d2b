import assert from 'node:assert/strict';
import { anywhere, type RuleRoute, toDestination } from '../../../../src/model/rule.ts';
import { parseTrafficRule } from '../../../../src/rules/traffic-rule/parse.ts';
import { oneRoute, rawRule } from '../../../support/rules.ts';

function parse(spec: string) {
  return parseTrafficRule(rawRule(spec), { defaultNamespace: 'default' });
}

function route(text: string): RuleRoute {
  const { rule, findings } = parse(oneRoute(text));
  assert.deepEqual(findings, []);
  const [only] = rule?.routes ?? [];
  assert.ok(only);
  return only;
}

describe('what a route does with a request, as the mesh takes it', () => {
  it('sends everything anywhere where a rule holds no routes', () => {
    const { rule } = parseTrafficRule(rawRule('{service: reviews, within: {region: eu}}'), {
      defaultNamespace: 'default',
    });
    const nothing = { set: [], add: [], remove: [] };
    const only = { name: 'default', matches: [], backends: [{ weight: 1, chain: [anywhere] }] };
    assert.deepEqual(rule?.routes, [{ ...only, requestHeaders: nothing, responseHeaders: nothing }]);
  });

  it('has no key for what is left out, so that a hash stays what it was', () => {
    assert.deepEqual(Object.keys(route('backends: [{}]')).sort(), [
      'backends',
      'matches',
      'name',
      'requestHeaders',
      'responseHeaders',
    ]);
    const before = parse(oneRoute('backends: [{}], retry: {attempts: 1}')).rule;
    assert.deepEqual(Object.keys(before?.routes[0]?.retry ?? {}), ['attempts', 'on', 'statusCodes']);
  });

  it('applies the defaults', () => {
    assert.deepEqual(route('redirect: {port: 81}').redirect, { port: 81, statusCode: 302 });
    assert.deepEqual(route('redirect: {port: 81}').backends, []);
    assert.deepEqual(route('respond: {status: 204}').respond, { status: 204, body: '' });
    assert.deepEqual(route('backends: [{}], mirrors: [{version: v2}]').mirrors, [
      { destination: toDestination({ version: 'v2' }), percent: 100 },
    ]);
    assert.deepEqual(route('backends: [{}], rateLimit: {requests: 7, per: 1m}').rateLimit, {
      requests: 7,
      intervalMs: 60_000,
      burst: 7,
    });
    const { backoff } = route('backends: [{}], retry: {attempts: 1, backoff: {base: 10ms}}').retry ?? {};
    assert.deepEqual(backoff, { baseMs: 10, maxMs: 100 });
  });

  it('reads 0s as no limit', () => {
    const { idleTimeoutMs, maxStreamMs } = route('backends: [{}], timeouts: {idle: 0s, stream: 0s}');
    assert.deepEqual([idleTimeoutMs, maxStreamMs], [undefined, undefined]);
    const limited = route('backends: [{}], timeouts: {idle: 1m, stream: 1h}');
    assert.deepEqual([limited.idleTimeoutMs, limited.maxStreamMs], [60_000, 3_600_000]);
  });

  it('reads an origin with a star as hosts of more labels, and as nothing else', () => {
    const { cors } = route('backends: [{}], cors: {allowOrigins: ["https://*.a-b.example.com:8443", "http://x", "*"]}');
    const [pattern, exact, any] = cors?.allowOrigins ?? [];
    assert.deepEqual(exact, { kind: 'exact', value: 'http://x' });
    assert.deepEqual(any, { kind: 'regex', value: '.*' });
    assert.equal(pattern?.kind, 'regex');
    const matches = new RegExp(`^(?:${pattern?.value})$`);
    for (const yes of ['https://c.a-b.example.com:8443', 'https://d.c.a-b.example.com:8443'])
      assert.match(yes, matches);
    for (const no of [
      'https://a-b.example.com:8443',
      'https://c.a-b.example.com',
      'http://c.a-b.example.com:8443',
      'https://evil.org/.a-b.example.com:8443',
      'https://c.a-bxexample.com:8443',
    ])
      assert.doesNotMatch(no, matches);
  });

  it('warns where no preflight would take the route', () => {
    const cors = 'cors: {allowOrigins: ["https://a"]}';
    const codes = (text: string): string[] => parse(oneRoute(text)).findings.map(({ code }) => code);
    assert.deepEqual(codes(`matches: [{method: GET}, {method: PUT}], backends: [{}], ${cors}`), [
      'FW-RULE-079',
      'FW-RULE-038',
    ]);
    assert.deepEqual(codes(`matches: [{method: GET}, {method: OPTIONS}], backends: [{}], ${cors}`), ['FW-RULE-038']);
  });

  it('knows which headers must not be there', () => {
    const { rule, findings } = parse(
      '{service: reviews, routes: [{matches: [{headers: [{name: X-A, present: false}]}], backends: [{}]}, {backends: [{}]}]}',
    );
    assert.deepEqual(findings, []);
    assert.deepEqual(rule?.routes[0]?.matches[0]?.headers, [
      { name: 'x-a', match: { kind: 'present', present: false } },
    ]);
  });

  it('sees which routes are covered by the presence of a header', () => {
    const covered = (first: string, second: string): boolean =>
      parse(
        `{service: reviews, routes: [{matches: [{headers: [{name: a, ${first}}]}], backends: [{}]}, {matches: [{headers: [{name: a, ${second}}]}], backends: [{}]}, {backends: [{}]}]}`,
      ).findings.some(({ code }) => code === 'FW-RULE-037');
    assert.equal(covered('present: true', 'value: b'), true);
    assert.equal(covered('present: true', 'present: true'), true);
    assert.equal(covered('present: false', 'present: false'), true);
    assert.equal(covered('present: false', 'value: b'), false);
    assert.equal(covered('present: false', 'present: true'), false);
    assert.equal(covered('value: b', 'present: true'), false);
  });
});
