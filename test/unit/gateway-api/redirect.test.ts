import assert from 'node:assert/strict';
import { redirectFrom } from '../../../src/gateway-api/redirect.ts';
import type { Redirect } from '../../../src/model/route-filters.ts';

describe('the port of a redirect', () => {
  for (const [given, asked, port] of [
    [{}, 80, undefined],
    // The request's own host and port stay.
    [{}, 9080, undefined],
    [{ hostname: 'a.b' }, 80, undefined],
    [{ hostname: 'a.b' }, 9080, 9080],
    [{ scheme: 'https' }, 80, undefined],
    [{ scheme: 'https' }, 9080, 443],
    [{ scheme: 'https', hostname: 'a.b' }, 9080, undefined],
    [{ scheme: 'http', hostname: 'a.b' }, 9080, undefined],
    [{ scheme: 'http' }, 9080, 80],
    [{ port: 8083 }, 80, 8083],
    [{ port: 80 }, 80, undefined],
    [{ port: 80 }, 9080, 80],
    [{ scheme: 'https', port: 443 }, 9080, 443],
    [{ scheme: 'https', hostname: 'a.b', port: 443 }, 9080, undefined],
    [{ scheme: 'https', port: 80 }, 80, 80],
  ] as const satisfies readonly (readonly [Partial<Redirect>, number, number | undefined])[]) {
    it(`${JSON.stringify(given)} of a request to ${asked}`, () => {
      assert.equal(redirectFrom({ statusCode: 302, ...given }, asked).port, port);
    });
  }
});
