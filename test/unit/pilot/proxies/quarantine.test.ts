import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Quarantine } from '../../../../src/pilot/proxies/quarantine.ts';

/** A proxy that is given `forms` but for what is set aside, and refuses all that holds a bad one. Returns how many messages that took. */
function play(quarantine: Quarantine, forms: readonly string[], bad: ReadonlySet<string>): number {
  let held = new Set<string>();
  let messages = 0;
  for (;;) {
    const aside = new Set(quarantine.aside());
    const given = new Set(forms.filter((form) => !aside.has(form)));
    if (given.symmetricDifference(held).size > 0) {
      messages += 1;
      if ([...given].some((form) => bad.has(form))) {
        quarantine.refused('RDS', [...given.difference(held)], `refused for the ${messages}th time`);
        continue;
      }
      held = given;
    }
    if (!quarantine.advance(() => true)) return messages;
  }
}

describe('the quarantine of rules', () => {
  it('rejects a lone suspect at once, with the words', () => {
    const quarantine = new Quarantine();
    quarantine.refused('RDS', ['a@1'], 'no');
    assert.deepEqual([...quarantine.rejected], [['a@1', 'no']]);
    assert.deepEqual(quarantine.aside(), ['a@1']);
    assert.equal(quarantine.isSearching, false);
  });

  it('sets several suspects aside together, and none counts as rejected or held before it is known', () => {
    const quarantine = new Quarantine();
    quarantine.refused('RDS', ['a@1', 'b@1', 'c@1'], 'no');
    assert.deepEqual(quarantine.aside(), ['a@1', 'b@1', 'c@1']);
    assert.equal(quarantine.rejected.size, 0);
    assert.ok(['a@1', 'b@1', 'c@1'].every((form) => quarantine.isInDoubt(form)));
    assert.equal(
      quarantine.advance(() => false),
      false,
    );
    assert.equal(
      quarantine.advance((type) => type === 'RDS'),
      true,
    );
    assert.deepEqual(quarantine.aside(), ['c@1']);
    assert.ok(quarantine.isInDoubt('a@1'));
  });

  it('finds exactly the culprits, and gives the others back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.nat(39), { minLength: 1, maxLength: 3 }),
        (count, picks) => {
          const forms = Array.from({ length: count }, (_, i) => `shop/r${i}@1`);
          const bad = new Set(picks.map((pick) => forms[pick % count] as string));
          const quarantine = new Quarantine();
          play(quarantine, forms, bad);
          assert.deepEqual(quarantine.aside(), [...bad].sort());
          assert.equal(quarantine.isSearching, false);
        },
      ),
    );
  });

  it('stops asking a proxy that refuses everything', () => {
    const quarantine = new Quarantine();
    const forms = Array.from({ length: 5000 }, (_, i) => `shop/r${i}@1`);
    const messages = play(quarantine, forms, new Set(forms));
    assert.ok(messages < 60, `${messages} messages`);
    assert.equal(quarantine.aside().length, 5000);
    const nothing = new Quarantine();
    nothing.refused('RDS', [], 'no');
    assert.ok(nothing.isEmpty());
    const stubborn = new Quarantine();
    stubborn.refused('RDS', forms, 'no');
    stubborn.refused('RDS', [], 'still no');
    assert.equal(stubborn.isSearching, false);
    assert.equal(stubborn.rejected.get('shop/r7@1'), 'still no');
  });

  it('forgets forms that are gone, in the midst of a search too', () => {
    const quarantine = new Quarantine();
    quarantine.refused('RDS', ['z@1'], 'no');
    quarantine.refused('RDS', ['a@1', 'b@1', 'c@1', 'd@1'], 'no');
    quarantine.advance(() => true);
    quarantine.keepOnly((form) => form === 'c@1');
    assert.deepEqual(quarantine.aside(), ['c@1']);
    assert.equal(quarantine.isInDoubt('a@1'), false);
    assert.equal(
      quarantine.advance(() => true),
      true,
    );
    assert.equal(
      quarantine.advance(() => true),
      false,
    );
    assert.ok(quarantine.isEmpty());
  });

  it('knows since when a form is rejected, until it is forgotten', () => {
    const quarantine = new Quarantine();
    quarantine.refused('lds', ['a'], 'no', 1000);
    quarantine.refused('lds', ['b'], 'no', 2000);
    assert.deepEqual(
      ['a', 'b', 'c'].map((form) => quarantine.sinceMs(form)),
      [1000, 2000, undefined],
    );
    quarantine.keepOnly((form) => form === 'b');
    assert.deepEqual(
      ['a', 'b'].map((form) => quarantine.sinceMs(form)),
      [undefined, 2000],
    );
  });
});
