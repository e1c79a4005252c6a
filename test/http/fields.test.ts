import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { checkFields, structure } from '../../lib/http/fields.ts';
import { read } from './forms.ts';

const POINT = v.object({ x: v.number(), at: v.object({ y: v.number() }) });
const SCHEMA = v.object({ point: structure(POINT, 'is not a point'), name: v.optional(v.string()) });

const check = async (body: BodyInit) => {
  const request = new Request('https://api.example.org/', { method: 'POST', body });
  return checkFields(await read(request), SCHEMA);
};

const json = (value: unknown) => new Blob([JSON.stringify(value)], { type: 'application/json' });

test('a parameter with structure comes as an object of a JSON body, or as the text of one', async () => {
  const point = { x: 1, at: { y: 2 } };

  const [object, text, form, none] = await Promise.all([
    check(json({ point })),
    check(json({ point: JSON.stringify(point) })),
    check(new URLSearchParams({ point: JSON.stringify(point) })),
    check(new URLSearchParams({ point: '' })),
  ]);

  for (const { fields } of [object, text, form]) assert.deepEqual(fields?.point, point);
  assert.deepEqual(none.faults, []);
  assert.equal(none.fields?.point, undefined);
});

test('what is wrong with it is said as one fault, and where', async () => {
  const file = new FormData();
  file.append('point', new Blob(['{}']), 'point.json');

  const faults = await Promise.all(
    [
      new URLSearchParams({ point: '{' }),
      new URLSearchParams({ point: '{"x":1,"at":{"y":"2"}}' }),
      json({ point: { x: 1, at: {} } }),
      json({ point: [{}] }),
      file,
    ].map(async (body) => (await check(body)).faults),
  );

  assert.deepEqual(
    faults.map(([fault, ...more]) => [fault?.field, fault?.reason, more.length]),
    [
      ['point', 'is not a point', 0],
      ['point', 'is not a point (see at.y)', 0],
      ['point', 'is not a point (see at.y)', 0],
      ['point', 'is not a point (see x)', 0],
      ['point', 'must be text', 0],
    ],
  );
});

test('a text stays a text: an object in its place is refused', async () => {
  const { faults } = await check(json({ name: { first: 'x' } }));

  assert.deepEqual(faults, [{ field: 'name', reason: 'must be text' }]);
});
