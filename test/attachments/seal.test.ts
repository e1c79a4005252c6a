import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { openImage, sealImage, seedOf } from '../../lib/attachments/seal.ts';
import { openAttachment } from '../../lib/device/attachment.ts';
import { imageOf } from '../support/images.ts';
import { makeVector } from '../vectors/generate-attachment.ts';

const image = (size = 500, label = 'image') => ({
  type: 'image/png' as const,
  bytes: imageOf('image/png', size, label),
});
const again = { token: 'token', request: 'request' };

test('a device opens what the server sealed, and so does the server for a device without a key', async () => {
  const sizes = fc.integer({ min: 33, max: 20_000 });

  await fc.assert(
    fc.asyncProperty(sizes, fc.string(), async (size, label) => {
      const one = image(size, label);
      const { ref, object } = sealImage(one, seedOf(one));

      assert.match(ref.id, /^[A-Za-z0-9]{30}$/);
      assert.equal(object.length, size + 28);
      assert.deepEqual(Buffer.from((await openAttachment(ref, { bytes: object, sealed: true }))!), one.bytes);
      assert.deepEqual(openImage(ref, object), one.bytes);
    }),
    { numRuns: 30 },
  );
});

test('nothing opens that was changed, cut, of another id, of another size or type, or in the clear', async () => {
  const one = image();
  const { ref, object } = sealImage(one, seedOf(one));
  const open = (change: object, bytes: Uint8Array = object, sealed = true) =>
    openAttachment({ ...ref, ...change }, { bytes, sealed });
  const flipped = Buffer.from(object);
  flipped[100]! ^= 1;

  const results = await Promise.all([
    open({}, flipped),
    open({}, object.subarray(0, -1)),
    open({}, new Uint8Array()),
    open({ id: `${ref.id.slice(1)}x` }),
    open({ key: Buffer.alloc(32).toString('base64') }),
    open({ key: 'short' }),
    open({ size: ref.size + 1 }),
    open({ type: 'image/gif' }),
    open({}, one.bytes, false),
    openAttachment(ref, { sealed: true }),
    openAttachment({ type: ref.type, size: ref.size }, { bytes: object, sealed: true }),
  ]);

  assert.deepEqual(
    results,
    results.map(() => undefined),
  );
  assert.throws(() => openImage(ref, flipped));
});

test('a message that may be accepted again gives the same object for the same image, and another for another', () => {
  const [one, other] = [image(), image(500, 'other')];
  const seal = (what: typeof one, by = again) => sealImage(what, seedOf(what, by));

  const { ref, object } = seal(one);

  assert.deepEqual(seal(one), { ref, object });
  for (const different of [
    seal(other),
    seal(one, { ...again, token: 't' }),
    seal(one, { ...again, request: 'r' }),
  ]) {
    assert.notEqual(different.ref.id, ref.id);
    assert.notEqual(different.ref.key, ref.key);
  }
});

test('without a repeat to come, the same image is another object each time', () => {
  const one = image();

  assert.notEqual(sealImage(one, seedOf(one)).ref.key, sealImage(one, seedOf(one)).ref.key);
});

test('the vector for other languages is what its generator makes, and opens', async () => {
  const file = join(import.meta.dirname, '../vectors/attachment.json');
  const vector = JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof makeVector>;
  const { envelope_attachment: ref } = vector;

  const opened = await openAttachment(ref, { bytes: Buffer.from(vector.object, 'hex'), sealed: true });

  assert.deepEqual(vector, makeVector());
  assert.equal(Buffer.from(opened!).toString('hex'), vector.image);
});
