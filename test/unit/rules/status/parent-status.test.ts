import assert from 'node:assert/strict';
import { gatewayControllerName } from '../../../../src/model/parent-status.ts';
import {
  objectStatus,
  statusBody,
  type Verdict,
  writtenObjectStatus,
} from '../../../../src/rules/status/object-status.ts';
import type { ParentVerdicts } from '../../../../src/rules/status/parent-status.ts';

const day = 24 * 3600 * 1000;
const good: Verdict = { status: 'True', reason: 'Accepted', message: 'fine' };
const bad: Verdict = { status: 'False', reason: 'NoMatchingParent', message: 'not there' };
const found: Verdict = { status: 'True', reason: 'ResolvedRefs', message: 'all there' };
const none: Verdict = { status: 'Unknown', reason: 'NotOurs', message: 'no parent is ours' };

function parent(name: string, accepted: Verdict): ParentVerdicts {
  return {
    parentRef: { kind: 'Service', name },
    verdicts: [
      ['Accepted', accepted],
      ['ResolvedRefs', found],
    ],
  };
}

describe('the status of a kind with a status per parent', () => {
  it('has an entry for each parent, in our name', () => {
    const status = objectStatus(3, { accepted: none, parents: [parent('a', good), parent('b', bad)] }, 0, undefined);
    assert.deepEqual(
      status.parents?.map(({ parentRef, controllerName, conditions }) => [
        parentRef['name'],
        controllerName,
        conditions.map(({ type, reason, observedGeneration }) => `${type} ${reason} ${observedGeneration}`),
      ]),
      [
        ['a', gatewayControllerName, ['Accepted Accepted 3', 'ResolvedRefs ResolvedRefs 3']],
        ['b', gatewayControllerName, ['Accepted NoMatchingParent 3', 'ResolvedRefs ResolvedRefs 3']],
      ],
    );
  });

  it('says of the whole what is wrong with one parent, and of none what was judged', () => {
    const reasons = (parents: readonly ParentVerdicts[]): readonly string[] =>
      objectStatus(1, { accepted: none, parents, isForProxies: false }, 0, undefined).conditions.map(
        ({ reason }) => reason,
      );
    assert.deepEqual(reasons([parent('a', good), parent('b', bad)]), ['NoMatchingParent', 'ResolvedRefs']);
    assert.deepEqual(reasons([parent('a', good)]), ['Accepted', 'ResolvedRefs']);
    assert.deepEqual(reasons([]), ['NotOurs']);
  });

  it('keeps the time while the status stays, by parent, and the very object where nothing changed', () => {
    const verdicts = { accepted: none, parents: [parent('a', good), parent('b', bad)] };
    const first = objectStatus(1, verdicts, 0, undefined);
    assert.equal(objectStatus(1, verdicts, day, first), first);
    const second = objectStatus(1, { ...verdicts, parents: [parent('b', good), parent('a', good)] }, day, first);
    const times = second.parents?.map(({ conditions }) => conditions[0]?.lastTransitionTime.slice(0, 10));
    assert.deepEqual(times, ['1970-01-02', '1970-01-01']);
  });

  it('goes on after a restart from what was written, and from nobody else’s entries', () => {
    const verdicts = { accepted: none, parents: [parent('a', good)] };
    const { parents = [] } = objectStatus(2, verdicts, 0, undefined);
    const others = {
      parentRef: { name: 'x' },
      controllerName: 'example.com/other',
      conditions: [{ observedGeneration: 9 }],
    };
    const written = writtenObjectStatus({ status: { parents: [others, null, ...parents] } }, 'parents');
    assert.equal(written?.observedGeneration, 2);
    assert.deepEqual(
      written.conditions.map(({ reason }) => reason),
      ['Accepted', 'ResolvedRefs'],
    );
    const again = objectStatus(2, verdicts, day, written);
    assert.deepEqual(statusBody(again, 'parents'), { parents });
    for (const status of [
      undefined,
      {},
      { parents: [others] },
      { parents: 'text' },
      { parents: [{ controllerName: gatewayControllerName }] },
    ])
      assert.equal(writtenObjectStatus({ status }, 'parents'), undefined);
  });

  it('says of parents for which it is in force how many proxies hold it, in a condition of our own', () => {
    const programming = { acknowledged: 1, total: 2, rejections: [] };
    const all = { ...programming, acknowledged: 2 };
    const parents = [
      { ...parent('a', good), programming },
      parent('b', bad),
      { ...parent('c', good), programming: all },
    ];
    const status = objectStatus(1, { accepted: none, parents, programming }, 0, undefined);
    assert.deepEqual(
      status.parents?.map(({ conditions }) => conditions.map(({ type, reason }) => `${type} ${reason}`)),
      [
        ['Accepted Accepted', 'ResolvedRefs ResolvedRefs', 'fairway.dev/Programmed Pending'],
        ['Accepted NoMatchingParent', 'ResolvedRefs ResolvedRefs'],
        ['Accepted Accepted', 'ResolvedRefs ResolvedRefs', 'fairway.dev/Programmed Programmed'],
      ],
    );
    assert.deepEqual(status.proxies, { acknowledged: 1, total: 2 });
  });

  it('is written as its shape says', () => {
    const status = objectStatus(1, { accepted: good }, 0, undefined);
    assert.equal(statusBody(status, undefined), status);
    assert.equal(statusBody(status, 'none'), undefined);
    assert.equal(statusBody(status, 'parents'), undefined);
    assert.deepEqual(statusBody({ ...status, parents: [] }, 'parents'), { parents: [] });
  });
});
