import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import sodium from 'libsodium-wrappers';
import { createKeyCache } from '../../lib/sealing/key-cache.ts';
import { openReference } from '../../lib/sealing/reference.ts';
import { sealForAllFrom } from '../../lib/sealing/seal.ts';
import { makeVectors } from '../vectors/generate.ts';
import vectors from '../vectors/sealed-box.json' with { type: 'json' };
import { ephemeralOf, fromHex } from './builders.ts';

before(() => sodium.ready);

test('the vectors are what the generator makes', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(makeVectors())), vectors);
});

for (const vector of vectors.opens) {
  test(`vector "${vector.name}": libsodium and the reference open it, sealing makes it`, () => {
    const sealed = fromHex(vector.sealed);
    const plaintext = fromHex(vector.plaintext);
    const publicKey = fromHex(vector.recipient_public_key);
    const secretKey = fromHex(vector.recipient_secret_key);

    const made = sealForAllFrom(
      ephemeralOf(fromHex(vector.ephemeral_secret_key)),
      plaintext,
      [publicKey],
      createKeyCache(),
    );

    assert.deepEqual(made, [sealed]);
    assert.deepEqual(sodium.crypto_box_seal_open(sealed, publicKey, secretKey), plaintext);
    assert.deepEqual(openReference(sealed, secretKey), plaintext);
    assert.equal(Buffer.from(sealed).toString('base64'), vector.sealed_base64);
  });

  test(`vector "${vector.name}": libsodium agrees on the steps in between`, () => {
    const ephemeralSecret = fromHex(vector.ephemeral_secret_key);
    const publicKey = fromHex(vector.recipient_public_key);
    const hex = (bytes: Uint8Array) => sodium.to_hex(bytes);
    const both = fromHex(vector.ephemeral_public_key + vector.recipient_public_key);

    assert.equal(hex(sodium.crypto_scalarmult_base(ephemeralSecret)), vector.ephemeral_public_key);
    assert.equal(
      hex(sodium.crypto_scalarmult_base(fromHex(vector.recipient_secret_key))),
      vector.recipient_public_key,
    );
    assert.equal(hex(sodium.crypto_scalarmult(ephemeralSecret, publicKey)), vector.shared_secret);
    assert.equal(hex(sodium.crypto_box_beforenm(publicKey, ephemeralSecret)), vector.box_key);
    assert.equal(hex(sodium.crypto_generichash(24, both, null)), vector.nonce);
  });
}

for (const vector of vectors.refused) {
  test(`vector "${vector.name}": nobody opens it`, () => {
    const sealed = fromHex(vector.sealed);
    const publicKey = fromHex(vector.recipient_public_key);
    const secretKey = fromHex(vector.recipient_secret_key);

    assert.throws(() => sodium.crypto_box_seal_open(sealed, publicKey, secretKey));
    assert.equal(openReference(sealed, secretKey), undefined);
  });
}
