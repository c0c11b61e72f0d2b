import assert from 'node:assert/strict';
import { askedHost } from '../../../src/envoy/asked-host.ts';
import { decodeResource } from '../../../src/envoy/proto/decode.ts';
import { UnknownHosts } from '../../../src/envoy/unknown-hosts.ts';
import { virtualHostPart } from '../../../src/envoy/virtual-hosts.ts';

describe('the host that a captured sidecar asks for', () => {
  for (const [asked, meant] of [
    ['80/web', '80/web'],
    ['80/web:9999', '80/web'],
    ['8080/web.shop:8080', '8080/web.shop'],
    ['80/10.1.0.5:80', '80/10.1.0.5'],
    ['80/[::1]:8080', '80/[::1]'],
    ['80/[::1]', '80/[::1]'],
    // As Envoy cuts them, which takes whatever stands there.
    ['80/web:', '80/web'],
    ['80/a:b:c', '80/a:b'],
    ['80/:80', '80/'],
    ['80/', '80/'],
  ] as const)
    it(`is ${meant} where it says ${asked}`, () => assert.equal(askedHost(asked), meant));

  it('is answered with a domain that the request matches, by the wildcard that it would meet', () => {
    const route = (name: string) => [{ name, match: { prefix: '/' }, route: { cluster: name } }];
    const hosts = new UnknownHosts();
    hosts.setCatchAll('80', virtualHostPart('80', { name: 'allow_any', domains: ['*'], routes: route('any') }));
    const pods = virtualHostPart('80', { name: '*.db', domains: ['*.db'], routes: route('pods') });
    hosts.replace([], [pods]);
    for (const [asked, like] of [
      ['80/db-0.db:9999', 'pods'],
      ['80/example.org:9999', 'any'],
    ] as const) {
      const answer = hosts.answer(askedHost(asked));
      assert.equal(answer?.name, askedHost(asked));
      assert.ok(answer.body.includes(like));
      assert.deepEqual(decodeResource(answer)['domains'], [askedHost(asked).slice('80/'.length)]);
    }
  });
});
