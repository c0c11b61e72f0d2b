import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holdsUnwritable, percentEncoded } from '../../../../src/rules/traffic-rule/request-path.ts';
import { plainPath } from '../../../../src/rules/traffic-rule/schema/match.ts';

describe('paths that requests can have', () => {
  it('are taken as they are, and others once they are written as requests write them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const path = `/${text.replaceAll(/[?#]/g, '')}`;
        const written = percentEncoded(path);
        const isPath = (each: string): boolean => new RegExp(plainPath.pattern).test(each);
        assert.equal(isPath(path), !holdsUnwritable(path));
        assert.ok(isPath(written), written);
        if (isPath(path)) assert.equal(written, path);
        else if (path.isWellFormed() && !path.includes('%')) assert.equal(decodeURIComponent(written), path);
      }),
    );
  });
});
