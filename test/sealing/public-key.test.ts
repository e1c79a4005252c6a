import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import nacl from 'tweetnacl';
import { isPublicKey, parsePublicKey } from '../../lib/sealing/public-key.ts';
import { createSealer } from '../../lib/sealing/seal.ts';
import vectors from '../vectors/sealed-box.json' with { type: 'json' };
import { fromHex } from './builders.ts';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

test('reads every public key that a device can have', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) => {
      const { publicKey } = nacl.box.keyPair.fromSecretKey(secret);

      assert.deepEqual(parsePublicKey(base64(publicKey)), publicKey);
    }),
    { numRuns: 40 },
  );
});

test('a key that it accepts can always be sealed for', () => {
  const sealer = createSealer({ cacheSize: 1 });

  fc.assert(
    fc.property(fc.uint8Array({ minLength: 30, maxLength: 33 }), (bytes) => {
      const key = parsePublicKey(base64(bytes));

      if (key) assert.equal(sealer.sealForAll(bytes, [key]).length, 1);
    }),
  );
});

for (const { name, key } of vectors.public_keys_refused) {
  test(`refuses a key: ${name} (${key.slice(0, 4)}…)`, () => {
    assert.equal(isPublicKey(fromHex(key)), false);
    assert.equal(parsePublicKey(base64(fromHex(key))), undefined);
  });
}

test('accepts the largest reduced keys below p that are not of low order', () => {
  assert.equal(isPublicKey(fromHex(`eb${'ff'.repeat(30)}7f`)), true);
  assert.equal(isPublicKey(fromHex(`ff${'ff'.repeat(29)}fe7f`)), true);
});

test('refuses every other spelling of a key', () => {
  const key = fromHex(`fb${'ff'.repeat(29)}0009`);
  const text = base64(key);
  assert.deepEqual(parsePublicKey(text), key);
  const lastDigit = String.fromCharCode((text.codePointAt(42) ?? 0) + 1);
  const spellings = [
    '',
    ` ${text}`,
    `${text}\n`,
    text.slice(0, -1),
    text.replaceAll('/', '_').replaceAll('+', '-'),
    text.replaceAll('+', ' '),
    `${text.slice(0, 42)}${lastDigit}=`,
    Buffer.from(key).toString('hex'),
  ];

  for (const spelling of spellings)
    assert.equal(parsePublicKey(spelling), undefined, JSON.stringify(spelling));
});

test('never throws, whatever the text', () => {
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => void parsePublicKey(text)));
});
