import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { ExternalService } from '../../../../src/model/external.ts';
import { parseExternalService } from '../../../../src/rules/external/parse.ts';
import { ownKinds } from '../../../../src/rules/kinds.ts';
import type { ParsedObject } from '../../../../src/rules/objects/kind-types.ts';
import { badExternals, exampleExternal, exampleExternalTls, externalText } from '../../../support/bad-externals.ts';
import { makeAuthority } from '../../../support/certificates.ts';
import { rawObject } from '../../../support/rules.ts';

const options = { defaultNamespace: 'default' };

function parsed(text: string): ParsedObject<ExternalService> {
  return parseExternalService(rawObject(parseYaml(text)), options);
}

describe('docs/external-services.md', () => {
  it('begins with the example that the tests hold to', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../../docs/external-services.md'), 'utf8');
    assert.equal(/```yaml\n([^]*?)```/.exec(text)?.[1]?.trim(), exampleExternal.trim());
    assert.ok(text.includes(exampleExternalTls), 'the example for TLS');
  });
});

describe('parseExternalService', () => {
  it('takes the example, sorted and with its defaults', () => {
    const { value, findings, namespace, name } = parsed(exampleExternal);
    assert.deepEqual(findings, []);
    assert.deepEqual([namespace, name], ['shop', 'pay']);
    assert.deepEqual(value?.hosts, ['*.cdn.pay.example.com', 'api.pay.example.com']);
    assert.deepEqual(value?.ports, [
      { number: 80, protocol: 'http', tls: false, name: 'http-80' },
      { number: 443, protocol: 'tcp', tls: true, name: 'tls-443' },
    ]);
    assert.deepEqual(value?.endpoints, [
      {
        address: '192.0.2.10',
        targetPorts: new Map(),
        locality: { region: 'eu', zone: 'eu-1', subzone: '' },
        weight: 3,
      },
      {
        address: '192.0.2.11',
        targetPorts: new Map([[443, 8443]]),
        locality: { region: '', zone: '', subzone: '' },
        weight: 1,
      },
    ]);
    assert.deepEqual(value?.clusters, ['east', 'west']);
  });

  it('takes TLS with its defaults, and all of it', () => {
    const { value, findings } = parsed(exampleExternalTls);
    assert.deepEqual(findings, []);
    assert.deepEqual(value?.ports[0], {
      number: 80,
      protocol: 'http',
      tls: false,
      name: 'http-80',
      targetPort: 443,
      originate: { subjectAltNames: [], ca: { kind: 'system' }, minVersion: 'TLSv1.2' },
    });
    const { cert } = makeAuthority('the test’s own');
    const whole = { mode: 'simple', sni: 'a.example.com', subjectAltNames: ['b.example.com', 'a.example.com'] };
    const tls = JSON.stringify({ ...whole, caCertificates: `${cert}\n${cert}`, minVersion: 'TLSv1.3' });
    const given = parsed(
      externalText(`{hosts: [a.example.com], ports: [{number: 80, protocol: grpc, tls: ${tls}}], resolution: dns}`),
    );
    assert.deepEqual(given.findings, []);
    assert.deepEqual(given.value?.ports[0]?.originate, {
      sni: 'a.example.com',
      subjectAltNames: ['a.example.com', 'b.example.com'],
      ca: { kind: 'pem', pem: `${cert}\n${cert}` },
      minVersion: 'TLSv1.3',
    });
  });

  it('takes no keys among authorities', () => {
    const { key, cert } = makeAuthority('the test’s own').sign('a.example.com');
    const tls = JSON.stringify({ caCertificates: `${cert}${key}` });
    const { findings } = parsed(
      externalText(`{hosts: [a.example.com], ports: [{number: 80, protocol: http, tls: ${tls}}], resolution: dns}`),
    );
    assert.deepEqual(
      findings.map(({ code, message }) => [code, message.split(': ')[1]]),
      [['FW-RULE-173', 'block 2 is a PRIVATE KEY']],
    );
  });

  describe('tells', () => {
    for (const { name, spec, codes, field, says } of badExternals) {
      it(name, () => {
        const { value, findings } = parsed(externalText(spec));
        assert.deepEqual(
          findings.map(({ code }) => code),
          codes,
        );
        const [finding] = findings;
        assert.equal(finding?.where.field, field);
        assert.ok(`${finding?.message} ${finding?.hint}`.includes(says), `${finding?.message} ${finding?.hint}`);
        assert.equal(value === undefined, finding?.severity === 'error');
      });
    }
  });

  it('gives equal content an equal hash, and other target ports another', () => {
    const spec = (target: number, order: 'ab' | 'ba'): string => {
      const hosts = order === 'ab' ? '[a.example.com, b.example.com]' : '[b.example.com, a.example.com]';
      const endpoint = `{address: 192.0.2.1, ports: [{number: 80, targetPort: ${target}}]}`;
      return `{hosts: ${hosts}, ports: [{number: 80, protocol: http}], resolution: static, endpoints: [${endpoint}]}`;
    };
    const hash = (text: string): string | undefined => parsed(externalText(text)).value?.hash;
    assert.equal(hash(spec(8080, 'ab')), hash(spec(8080, 'ba')));
    assert.notEqual(hash(spec(8080, 'ab')), hash(spec(8081, 'ab')));
  });
});

describe('the table of kinds', () => {
  it('reads each kind as itself, and says what it knows where it does not', () => {
    assert.ok(ownKinds.parse(rawObject(parseYaml(exampleExternal)), options).value);
    const [finding] = ownKinds.parse(
      rawObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }),
      options,
    ).findings;
    assert.equal(finding?.code, 'FW-RULE-002');
    assert.match(finding?.hint ?? '', /^Known kinds: TrafficRule, ExternalService/);
    const typo = { apiVersion: 'fairway.dev/v1alpha1', kind: 'ExternalServices', metadata: { name: 'a' } };
    assert.equal(ownKinds.parse(rawObject(typo), options).findings[0]?.hint, 'Did you mean `ExternalService`?');
  });

  it('knows a kind by any of its words', () => {
    for (const word of ['ExternalService', 'externalservices', 'es', 'EXT'])
      assert.equal(ownKinds.called(word)?.kind, 'ExternalService', word);
    assert.equal(ownKinds.called('pods'), undefined);
  });
});
