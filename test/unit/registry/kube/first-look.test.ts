import assert from 'node:assert/strict';
import { ApiError } from '../../../../src/registry/kube/api-error.ts';
import { FirstLook } from '../../../../src/registry/kube/first-look.ts';
import { untried, type WatchHealth } from '../../../../src/registry/kube/watch-health.ts';

const listed: WatchHealth = { ...untried, listed: true };
const failing: WatchHealth = { ...untried, error: new ApiError('unreachable', 'no answer'), failingSinceMs: 1 };

/** `known`: cluster by origin; `registered`: objects that register now. */
function firstLook(known: Readonly<Record<string, string>>, registered: readonly string[] = []) {
  const said: string[] = [];
  const look = new FirstLook({
    registrar: {
      add: () => assert.fail('adds nothing'),
      refuse: () => assert.fail('refuses nothing'),
      remove: (name, origin) => said.push(`remove ${name} of ${origin}`),
      beginDiscovery: () => () => said.push('found'),
      clusters: () => new Map(Object.entries(known).map(([name, origin]) => [name, { info: { origin } }])),
      restore: (mine) => {
        said.push(`restore ${Object.values(known).filter(mine).join()}`);
        return [];
      },
    },
    what: 'secrets in fairway',
    originPrefix: 'secret fairway/',
    registers: (object, cluster) => registered.includes(`${object} ${cluster}`),
  });
  return { look, said };
}

describe('the first look of a discovery', () => {
  const known = { east: 'secret fairway/a', west: 'secret fairway/b', north: 'secret other/c', south: 'folder' };

  it('drops its own clusters that no object registers any more, once everything is listed', () => {
    const { look, said } = firstLook(known, ['a east']);
    look.heard([listed, untried]);
    assert.deepEqual(said, []);
    look.heard([listed, listed]);
    assert.deepEqual(said, ['remove west of secret fairway/b', 'found']);
  });

  it('drops a cluster that another of its objects registers now', () => {
    const { look, said } = firstLook({ east: 'secret fairway/a' }, ['b east']);
    look.heard([listed]);
    assert.deepEqual(said, ['remove east of secret fairway/a', 'found']);
  });

  it('goes by what was known while it cannot be read, and says so once; then by what there is', () => {
    const { look, said } = firstLook(known);
    look.heard([listed, failing]);
    look.heard([failing, failing]);
    assert.deepEqual(said, ['restore secret fairway/a,secret fairway/b', 'found']);
    look.heard([listed, listed]);
    assert.deepEqual(said.slice(2), ['remove east of secret fairway/a', 'remove west of secret fairway/b', 'found']);
  });

  it('is over after the first list: failures later change nothing', () => {
    const { look, said } = firstLook({});
    look.heard([listed]);
    look.heard([failing]);
    look.heard([listed]);
    assert.deepEqual(said, ['found']);
  });
});
