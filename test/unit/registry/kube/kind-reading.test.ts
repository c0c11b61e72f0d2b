import assert from 'node:assert/strict';
import { ApiError } from '../../../../src/registry/kube/api-error.ts';
import { type KindReading, readingFindings } from '../../../../src/registry/kube/kind-reading.ts';

function reading(resource: string, fields: Partial<KindReading> = {}): KindReading {
  return {
    kind: resource,
    resource,
    foreign: false,
    state: 'read',
    apiVersion: 'fairway.dev/v1alpha1',
    otherVersions: [],
    isRead: true,
    isKnown: true,
    error: undefined,
    suspicion: undefined,
    truncated: false,
    ...fields,
  };
}

const missing = (resource: string): KindReading =>
  reading(resource, { state: 'missing', isRead: false, isKnown: false, error: new ApiError('not-found', 'no such') });

describe('what is wrong with the kinds that are read from a cluster', () => {
  it('says once that CRDs are not installed, when it is known of all', () => {
    const waiting = reading('drains', { state: 'waiting', isRead: false, isKnown: false });
    assert.deepEqual(readingFindings([missing('rules'), missing('policies'), waiting], 'east'), []);
    assert.deepEqual(
      readingFindings([missing('rules'), reading('policies'), missing('drains')], 'east').map((one) => [
        one.code,
        one.message,
      ]),
      [['FW-KUBE-014', 'rules, drains are not installed there, so there are no such objects']],
    );
  });
});
