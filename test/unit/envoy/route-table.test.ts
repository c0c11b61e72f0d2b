import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { decodeResource } from '../../../src/envoy/proto/decode.ts';
import { encodeResource } from '../../../src/envoy/proto/encode.ts';
import { RouteTable } from '../../../src/envoy/route-table.ts';
import { virtualHostPart } from '../../../src/envoy/virtual-hosts.ts';

describe('a route table joined from parts', () => {
  const host = (name: string, fill = 0) => ({
    name,
    domains: [name],
    routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'x'.repeat(fill) } } }],
  });
  const part = (name: string, fill = 0) => virtualHostPart('80', host(name, fill));

  it('has the very bytes of one encoded at once, for parts of any length', () => {
    const fills = [0, 1, 100, 127, 128, 300, 16_383, 16_384, 70_000];
    const table = new RouteTable('80', part('*'));
    for (const fill of fills.toReversed()) table.set(part(`h${String(fill).padStart(6, '0')}`, fill));
    const whole = {
      name: '80',
      virtual_hosts: [...fills.map((fill) => host(`h${String(fill).padStart(6, '0')}`, fill)), host('*')],
      ignore_port_in_host_matching: true,
    };
    assert.deepEqual(table.resource().body, encodeResource(typeUrl.route, '80', whole).body);
    assert.deepEqual(
      (decodeResource(table.resource())['virtual_hosts'] as { name: string }[]).map(({ name }) => name).at(-1),
      '*',
    );
  });

  it('changes its version with a part, and with nothing else', () => {
    const table = new RouteTable('80', part('*'));
    table.set(part('b'));
    table.set(part('a'));
    const before = table.resource();
    table.set(part('a'));
    assert.equal(table.resource().version, before.version);
    table.set(part('a', 1));
    assert.notEqual(table.resource().version, before.version);
    table.set(part('a'));
    table.set(part('c'));
    table.delete('c');
    table.delete('never');
    assert.equal(table.resource().version, before.version);
    assert.deepEqual(table.resource().body, before.body);
    table.setCatchAll(part('*', 1));
    assert.notEqual(table.resource().version, before.version);
  });
});
