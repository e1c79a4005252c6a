import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  isNewer,
  kind,
  migrating,
  NewerItem,
  newest,
  type Step,
  unchanged,
  versioned,
} from '../../lib/storage/schema.ts';

/** A kind with a history: a default is added, an attribute is renamed, nothing changes. */
const withDefault: Step = (item) => ({ icon: 'default', ...item });
const renamed: Step = ({ name, ...item }) => ({ ...item, title: name });
const THING = kind('thing', withDefault, renamed, unchanged);

/** A thing of each version, the oldest first, as each would have been written. */
const HISTORY = [
  { pk: 'a', name: 'one' },
  { pk: 'a', name: 'one', icon: 'default', v: 1 },
  { pk: 'a', title: 'one', icon: 'default', v: 2 },
  { pk: 'a', title: 'one', icon: 'default', v: 3 },
];

describe('an item of any version', () => {
  for (const [version, item] of HISTORY.entries()) {
    test(`is read as the newest (${version})`, () => {
      const given = structuredClone(item);

      const read = newest(THING, item);

      assert.deepEqual(read, HISTORY.at(-1));
      assert.deepEqual(item, given);
    });
  }

  test('keeps what it has over what a step would add', () => {
    assert.equal(newest(THING, { name: 'one', icon: 'own' }).icon, 'own');
  });

  test('that is newer than the code, or has no version that could be, is not read', () => {
    for (const v of [4, 1e9, -1, 1.5, '1', null, Number.NaN]) {
      assert.equal(isNewer(THING, { v }), true, String(v));
      assert.throws(() => newest(THING, { v }), NewerItem);
    }
  });

  test('says what it is of and nothing of what is in it, when it is not read', () => {
    assert.throws(() => newest(THING, { v: 7, name: 'secret' }), {
      name: 'NewerItem',
      message: 'an item (thing) has version 7, this code knows up to 3',
    });
  });
});

describe('an update of an item that was read', () => {
  test('of the newest version is as it was', () => {
    const update = { UpdateExpression: 'SET x = :x', ExpressionAttributeValues: { ':x': 1 } };

    assert.equal(migrating(THING, HISTORY.at(-1)!, update), update);
  });

  test('of an older version brings it to the newest, and undoes nothing that was set since', () => {
    const update = { UpdateExpression: 'SET x = :x', ExpressionAttributeValues: { ':x': 1 } };

    const migrated = migrating(THING, { pk: 'a', name: 'one', v: 0 }, update);

    const names = migrated.ExpressionAttributeNames!;
    const clause = (attribute: string) => {
      const [name] = Object.entries(names).find(([, value]) => value === attribute)!;
      return new RegExp(`${name} = (if_not_exists\\(${name}, )?:migrated\\d`).exec(
        migrated.UpdateExpression,
      )![0];
    };
    assert.match(migrated.UpdateExpression, /^SET .*, x = :x$/);
    assert.match(clause('icon'), /if_not_exists/);
    assert.match(clause('title'), /if_not_exists/);
    assert.doesNotMatch(clause('v'), /if_not_exists/);
  });

  test('leaves the attributes alone that it sets itself', () => {
    const update = { UpdateExpression: 'SET icon = :icon', ExpressionAttributeValues: { ':icon': 'new' } };

    const migrated = migrating(THING, { pk: 'a', name: 'one' }, update, ['icon']);

    assert.equal(Object.values(migrated.ExpressionAttributeNames!).includes('icon'), false);
  });

  test('that removes or adds gets a SET before it', () => {
    for (const UpdateExpression of ['REMOVE devices.#id', 'ADD n :one']) {
      const { UpdateExpression: text } = migrating(THING, { name: 'one' }, { UpdateExpression });

      assert.match(text, new RegExp(`^SET .* ${UpdateExpression.replace('.', '\\.')}$`));
    }
  });
});

test('whatever an item is and however far it has come, reading gives the newest version and loses nothing', () => {
  const additive = kind('additive', withDefault, unchanged, (item) => ({ kept: true, ...item }));
  const attribute = fc.string({ minLength: 1 }).filter((name) => name !== 'v' && name !== '__proto__');
  const item = fc.dictionary(attribute, fc.jsonValue(), { noNullPrototype: true });

  fc.assert(
    fc.property(item, fc.integer({ min: 0, max: 3 }), (given, version) => {
      const stored = version === 0 ? given : { ...given, v: version };

      const read = newest(additive, stored);

      assert.equal(read.v, 3);
      assert.deepEqual(newest(additive, read), read);
      for (const [name, value] of Object.entries(given)) assert.deepEqual(read[name], value);
      assert.deepEqual(newest(additive, versioned(additive, read)), read);
    }),
  );
});
