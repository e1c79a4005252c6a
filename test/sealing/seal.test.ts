import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import sodium from 'libsodium-wrappers';
import nacl from 'tweetnacl';
import { createKeyCache } from '../../lib/sealing/key-cache.ts';
import { openReference, sealReference } from '../../lib/sealing/reference.ts';
import { createSealer, SEAL_OVERHEAD, sealForAllFrom } from '../../lib/sealing/seal.ts';
import { ephemeralOf, plaintexts, secrets } from './builders.ts';

before(() => sodium.ready);

const sealer = createSealer();
const pairOf = (secret: Uint8Array) => nacl.box.keyPair.fromSecretKey(secret);

test('libsodium opens what was sealed, for any bytes and any number of recipients', () => {
  fc.assert(
    fc.property(plaintexts, fc.array(secrets, { maxLength: 8 }), (plaintext, recipients) => {
      const pairs = recipients.map(pairOf);

      const sealed = sealer.sealForAll(
        plaintext,
        pairs.map((pair) => pair.publicKey),
      );

      assert.equal(sealed.length, pairs.length);
      pairs.forEach(({ publicKey, secretKey }, i) => {
        const box = sealed[i] ?? new Uint8Array();
        assert.equal(box.length, plaintext.length + SEAL_OVERHEAD);
        assert.deepEqual(sodium.crypto_box_seal_open(box, publicKey, secretKey), plaintext);
      });
    }),
    { numRuns: 60 },
  );
});

test('the reference opens what libsodium sealed', () => {
  fc.assert(
    fc.property(plaintexts, secrets, (plaintext, secret) => {
      const sealed = sodium.crypto_box_seal(plaintext, pairOf(secret).publicKey);

      assert.deepEqual(openReference(sealed, secret), plaintext);
    }),
    { numRuns: 40 },
  );
});

test('equals the reference, byte by byte, for the same ephemeral key', () => {
  fc.assert(
    fc.property(plaintexts, secrets, secrets, (plaintext, secret, ephemeral) => {
      const { publicKey } = pairOf(secret);

      const sealed = sealForAllFrom(ephemeralOf(ephemeral), plaintext, [publicKey], createKeyCache());

      assert.deepEqual(sealed, [sealReference(plaintext, publicKey, ephemeral)]);
    }),
    { numRuns: 40 },
  );
});

test('a sealed message with one bit flipped never opens', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), secrets, fc.nat(), (plaintext, secret, at) => {
      const [sealed = new Uint8Array()] = sealer.sealForAll(plaintext, [pairOf(secret).publicKey]);
      const bit = at % (sealed.length * 8);
      const changed = sealed.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

      assert.equal(openReference(changed, secret), undefined);
    }),
    { numRuns: 60 },
  );
});

test('a sealed message with bytes missing or added never opens', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), secrets, fc.nat(), (plaintext, secret, cut) => {
      const [sealed = new Uint8Array()] = sealer.sealForAll(plaintext, [pairOf(secret).publicKey]);

      assert.equal(openReference(sealed.subarray(0, cut % sealed.length), secret), undefined);
      assert.equal(openReference(Uint8Array.of(...sealed, 0), secret), undefined);
    }),
    { numRuns: 60 },
  );
});

test("another device's key never opens", () => {
  fc.assert(
    fc.property(plaintexts, secrets, secrets, (plaintext, secret, other) => {
      fc.pre(!pairOf(secret).publicKey.every((byte, i) => byte === pairOf(other).publicKey[i]));
      const [sealed = new Uint8Array()] = sealer.sealForAll(plaintext, [pairOf(secret).publicKey]);

      assert.equal(openReference(sealed, other), undefined);
    }),
    { numRuns: 40 },
  );
});

test('a key that is named twice gets the same box twice, in its places', () => {
  const [phone, tablet] = [nacl.box.keyPair(), nacl.box.keyPair()];
  const plaintext = new TextEncoder().encode('once');

  const sealed = sealer.sealForAll(plaintext, [phone.publicKey, tablet.publicKey, phone.publicKey.slice()]);

  assert.equal(sealed[2], sealed[0]);
  assert.notDeepEqual(sealed[1], sealed[0]);
  assert.deepEqual(openReference(sealed[1] ?? new Uint8Array(), tablet.secretKey), plaintext);
});

test('every call has a new ephemeral key, shared by its recipients', () => {
  const keys = [nacl.box.keyPair().publicKey, nacl.box.keyPair().publicKey];
  const ephemeralKey = (box?: Uint8Array) => Buffer.from(box?.subarray(0, 32) ?? []).toString('hex');

  const first = sealer.sealForAll(new Uint8Array(1), keys);
  const second = sealer.sealForAll(new Uint8Array(1), keys);

  assert.equal(ephemeralKey(first[0]), ephemeralKey(first[1]));
  assert.notEqual(ephemeralKey(first[0]), ephemeralKey(second[0]));
});

test('seals for more recipients than the cache keeps, again and again', () => {
  const small = createSealer({ cacheSize: 2 });
  const pairs = Array.from({ length: 5 }, () => nacl.box.keyPair());
  const plaintext = Uint8Array.of(1, 2, 3);

  for (let round = 0; round < 3; round++) {
    const sealed = small.sealForAll(
      plaintext,
      pairs.map((pair) => pair.publicKey),
    );

    pairs.forEach((pair, i) => {
      assert.deepEqual(openReference(sealed[i] ?? new Uint8Array(), pair.secretKey), plaintext);
    });
  }
});

test('keeps the most recently used keys and lets the oldest go', () => {
  const cache = createKeyCache(2);
  const [a, b, c] = [nacl.randomBytes(32), nacl.randomBytes(32), nacl.randomBytes(32)];
  const objectA = cache(a);
  const objectB = cache(b);

  cache(a);
  cache(c);

  assert.equal(cache(a), objectA);
  assert.notEqual(cache(b), objectB);
});

test('says what is wrong with a key that nothing can be sealed for', () => {
  const good = nacl.box.keyPair().publicKey;

  assert.throws(() => sealer.sealForAll(new Uint8Array(), [good, new Uint8Array(31)]), {
    name: 'RangeError',
    message: /expected 32 bytes, got 31/,
  });
  assert.throws(() => sealer.sealForAll(new Uint8Array(), [good, new Uint8Array(32)]), {
    name: 'RangeError',
    message: /high order/,
  });
});

test('seals for nobody', () => {
  assert.deepEqual(sealer.sealForAll(Uint8Array.of(1), []), []);
});
