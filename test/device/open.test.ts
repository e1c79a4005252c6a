import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseEnvelope } from '../../lib/device/envelope.ts';
import { createKeyPair, fromBase64, keyPairFrom, toBase64 } from '../../lib/device/keys.ts';
import { openEnvelope, openSealed } from '../../lib/device/open.ts';
import { createSealer } from '../../lib/sealing/seal.ts';
import vectors from '../vectors/sealed-box.json' with { type: 'json' };
import { envelopeOf, sealText } from './builders.ts';

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const utf8 = (text: string) => new TextEncoder().encode(text);

for (const vector of vectors.opens) {
  test(`opens the vector "${vector.name}"`, () => {
    const keys = keyPairFrom(fromHex(vector.recipient_secret_key));

    const plaintext = openSealed(fromBase64(vector.sealed_base64) ?? new Uint8Array(), keys);

    assert.deepEqual(plaintext, fromHex(vector.plaintext));
    assert.deepEqual(keys.publicKey, fromHex(vector.recipient_public_key));
  });
}

for (const vector of vectors.refused) {
  test(`does not open the vector "${vector.name}"`, () => {
    const keys = keyPairFrom(fromHex(vector.recipient_secret_key));

    assert.equal(openSealed(fromHex(vector.sealed), keys), undefined);
  });
}

test('opens what the server seals, whatever it is', () => {
  const sealer = createSealer();
  const keys = createKeyPair();

  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (plaintext) => {
      const [sealed = new Uint8Array()] = sealer.sealForAll(plaintext, [keys.publicKey]);

      assert.deepEqual(openSealed(sealed, keys), plaintext);
    }),
    { numRuns: 40 },
  );
});

test('never throws on bytes that nobody sealed', () => {
  const keys = createKeyPair();

  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.deepEqual(openEnvelope(bytes, keys), { kind: 'unreadable', reason: 'seal' });
    }),
    { numRuns: 60 },
  );
});

test('never throws on what was sealed but is no envelope', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.json().map(utf8),
    fc
      .record({ v: fc.oneof(fc.constant(1), fc.jsonValue()), id: fc.jsonValue(), message: fc.jsonValue() })
      .map((value) => utf8(JSON.stringify(value))),
  );

  fc.assert(
    fc.property(anything, (plaintext) => {
      assert.notEqual(parseEnvelope(plaintext).kind, 'envelope');
    }),
  );
});

test('takes every envelope that the protocol allows, and only with its own fields', () => {
  const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const text = fc.string({ unit: 'grapheme' });
  const envelopes = fc.record(
    {
      v: fc.constant(1),
      id,
      umid: id,
      app: text,
      aid: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      icon: text,
      date: time,
      received: time,
      message: text,
      title: text,
      url: text,
      url_title: text,
      priority: fc.integer({ min: -2, max: 2 }),
      sound: text,
      html: fc.constant(1),
      monospace: fc.constant(1),
      expires: time,
    },
    {
      requiredKeys: ['v', 'id', 'umid', 'app', 'aid', 'icon', 'date', 'message', 'priority'],
      noNullPrototype: true,
    },
  );

  fc.assert(
    fc.property(envelopes, fc.jsonValue(), (envelope, later) => {
      const read = parseEnvelope(utf8(JSON.stringify({ ...envelope, added_later: later })));

      assert.deepEqual(read, { kind: 'envelope', envelope });
    }),
  );
});

test('says which field of an envelope is missing or wrong', () => {
  const good = envelopeOf(1);
  const wrong: [field: string, value: unknown][] = [
    ['id', 0],
    ['id', '1'],
    ['id', 2 ** 53],
    ['umid', undefined],
    ['app', 1],
    ['aid', 2 ** 31],
    ['icon', null],
    ['date', 1.5],
    ['date', -1],
    ['message', undefined],
    ['title', 1],
    ['priority', 3],
    ['html', true],
    ['expires', 'tomorrow'],
    ['v', 0],
    ['v', '1'],
    ['v', undefined],
  ];

  for (const [field, value] of wrong) {
    const read = parseEnvelope(utf8(JSON.stringify({ ...good, [field]: value })));

    assert.deepEqual(read, { kind: 'unreadable', reason: 'shape', field }, `${field}: ${value}`);
  }
});

test('does not take fields from the prototype for fields of the envelope', () => {
  const { message: _, ...rest } = envelopeOf(1);
  const text = JSON.stringify(rest).replace('{', '{"__proto__":{"message":"forged"},');

  assert.deepEqual(parseEnvelope(utf8(text)), { kind: 'unreadable', reason: 'shape', field: 'message' });
});

test('tells an envelope of a later version from garbage', () => {
  const keys = createKeyPair();
  const sealed = fromBase64(sealText('{"v":2,"id":{"new":"shape"}}', keys)) ?? new Uint8Array();

  assert.deepEqual(openEnvelope(sealed, keys), { kind: 'unknown-version', version: 2 });
});

test('a faster opener may take the place of the default', () => {
  const plaintext = utf8(JSON.stringify(envelopeOf(5)));

  const opened = openEnvelope(new Uint8Array(100), createKeyPair(), () => plaintext);

  assert.deepEqual(opened, { kind: 'envelope', envelope: envelopeOf(5) });
});

test('base64 of any bytes comes back, and equals the platform’s', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 10_000 }), (bytes) => {
      const text = toBase64(bytes);

      assert.equal(text, Buffer.from(bytes).toString('base64'));
      assert.deepEqual(fromBase64(text), bytes);
    }),
    { numRuns: 40 },
  );
});

test('text that is not base64 is undefined, never an error', () => {
  for (const text of ['A', 'AA', 'AAA', 'AA A', 'AA-_', '====', 'A===', 'AAAA=', 'ÄÄÄÄ', 'AAAA\n']) {
    assert.equal(fromBase64(text), undefined, JSON.stringify(text));
  }
  fc.assert(fc.property(fc.string(), (text) => void fromBase64(text)));
});

test('a secret key of the wrong length is refused by name', () => {
  assert.throws(() => keyPairFrom(new Uint8Array(31)), /expected 32 bytes, got 31/);
});
