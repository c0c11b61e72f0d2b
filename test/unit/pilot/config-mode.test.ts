import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/core/logger.ts';
import { configModes } from '../../../src/pilot/config-mode.ts';

describe('how much proxies hold', () => {
  const namespace = (mode?: string) => ({
    cluster: 'east',
    name: 'shop',
    labels: mode === undefined ? {} : { 'fairway.dev/mode': mode },
  });
  const modeOf = (label: string | undefined, ofMesh: 'eager' | 'on-demand', warn = (): void => {}) =>
    configModes(() => new Map([['east', { namespaces: new Map([['shop', namespace(label)]]) }]]), ofMesh, {
      ...silentLogger,
      warn,
    });

  it('is what the namespace says in the proxy’s cluster, else what the mesh says', () => {
    assert.equal(modeOf('on-demand', 'eager')('east', 'shop'), 'on-demand');
    assert.equal(modeOf('eager', 'on-demand')('east', 'shop'), 'eager');
    assert.equal(modeOf(undefined, 'on-demand')('east', 'shop'), 'on-demand');
    assert.equal(modeOf('on-demand', 'eager')('west', 'shop'), 'eager');
    assert.equal(modeOf('on-demand', 'eager')('east', 'other'), 'eager');
  });

  it('is what the mesh says where the label says nothing that is known, and somebody is told', () => {
    const codes: unknown[] = [];
    const warn = (...args: unknown[]): void => void codes.push((args[1] as { code: string }).code);
    assert.equal(modeOf('lazy', 'eager', warn)('east', 'shop'), 'eager');
    assert.deepEqual(codes, ['FW-PILOT-008']);
  });
});
