import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { ProviderTokens, SKEW_SECONDS, WINDOW_SECONDS } from '../../../lib/carriers/apns/provider-token.ts';
import { CredentialsError } from '../../../lib/carriers/credentials-error.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = {
  keyId: 'ABCDEFGHIJ',
  teamId: 'KLMNOPQRST',
  privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
/** A second at which a window begins. */
const WINDOW = 748_000 * WINDOW_SECONDS;

function tokenAt(seconds: number): string {
  return new ProviderTokens(key, () => seconds * 1000).current();
}

function claims(token: string): { iss: string; iat: number } {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
}

describe('APNs provider token', () => {
  it('is the same, byte for byte, in every environment and all through the window', () => {
    const tokens = [0, 1, 59, 1200, WINDOW_SECONDS - 1].map((offset) => tokenAt(WINDOW + offset));

    assert.equal(new Set(tokens).size, 1);
  });

  it('changes when the window ends, in a client that has cached it too', () => {
    let seconds = WINDOW + WINDOW_SECONDS - 1;
    const tokens = new ProviderTokens(key, () => seconds * 1000);

    const before = tokens.current();
    seconds += 1;
    const after = tokens.current();

    assert.equal(before, tokenAt(WINDOW));
    assert.equal(after, tokenAt(WINDOW + WINDOW_SECONDS + 600));
    assert.notEqual(after, before);
    assert.equal(claims(after).iat - claims(before).iat, WINDOW_SECONDS);
  });

  it("is never older than Apple's hour, nor from the future of a clock that is a minute behind ours", () => {
    for (const offset of [0, 1, 1199, WINDOW_SECONDS - 1]) {
      const age = WINDOW + offset - claims(tokenAt(WINDOW + offset)).iat;

      assert.ok(age >= SKEW_SECONDS && age < 3600, `${age} s`);
    }
  });

  it('says the key and the team, and is signed with ES256', () => {
    const token = tokenAt(WINDOW);

    const [header, payload, signature] = token.split('.');
    assert.deepEqual(JSON.parse(Buffer.from(header!, 'base64url').toString()), {
      alg: 'ES256',
      kid: 'ABCDEFGHIJ',
    });
    assert.deepEqual(claims(token), { iss: 'KLMNOPQRST', iat: WINDOW - SKEW_SECONDS });
    const signed = Buffer.from(`${header}.${payload}`);
    const publicKey = { key: pair.publicKey, dsaEncoding: 'ieee-p1363' as const };
    assert.ok(verify('sha256', signed, publicKey, Buffer.from(signature!, 'base64url')));
  });

  it('refuses keys that are none, or on another curve', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    const pem = other.export({ type: 'pkcs8', format: 'pem' }).toString();

    for (const privateKey of ['', 'no key', pem]) {
      const tokens = new ProviderTokens({ ...key, privateKey }, () => WINDOW * 1000);

      assert.throws(() => tokens.current(), CredentialsError);
    }
  });
});
