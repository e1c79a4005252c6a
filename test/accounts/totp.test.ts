import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  enrolment,
  hashRecoveryCode,
  newNonce,
  newRecoveryCodes,
  stepOf,
  totpSecret,
} from '../../lib/accounts/totp.ts';
import { anyCharacter } from '../support/text.ts';
import { codeOf } from '../support/totp.ts';

const SECRET = Buffer.from('12345678901234567890');
const MASTER = 'm'.repeat(64);

for (const [seconds, code] of [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const) {
  test(`takes the code of RFC 6238’s appendix B at ${seconds} s, a step before and after, and no other`, () => {
    const now = seconds * 1000;
    const step = Math.floor(seconds / 30);

    const steps = [-60, -30, 0, 30, 60].map((skew) => stepOf(SECRET, code, now + skew * 1000));

    assert.deepEqual(steps, [undefined, step, step, step, undefined]);
    assert.equal(stepOf(SECRET, code.slice(1), now), undefined);
    assert.equal(codeOf(enrolment(SECRET, 'a@example.org').secret, 0, now), code);
  });
}

test('no text but the code itself is taken, of whatever characters', () => {
  const now = 59_000;
  const good = new Set([-1, 0, 1].map((ahead) => codeOf(enrolment(SECRET, '').secret, ahead, now)));
  const texts = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.string({ unit: anyCharacter, minLength: 6, maxLength: 6 }),
    fc.stringMatching(/^\d{5,7}$/),
  );

  fc.assert(
    fc.property(texts, (text) => (stepOf(SECRET, text, now) !== undefined) === good.has(text)),
    { numRuns: 500 },
  );
});

test('an app is given what the format of its QR codes asks for', () => {
  const { otpauth, secret } = enrolment(SECRET, 'some one@example.org');

  const url = new URL(otpauth);
  assert.equal(url.protocol, 'otpauth:');
  assert.match(otpauth, /^otpauth:\/\/totp\/Peal:some%20one%40example\.org\?/);
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    issuer: 'Peal',
    secret,
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  });
});

test('secrets differ by account, nonce and deployment, and are 160 bits long', () => {
  const secrets = [
    totpSecret(MASTER, 'u1', 'n1'),
    totpSecret(MASTER, 'u2', 'n1'),
    totpSecret(MASTER, 'u1', 'n2'),
    totpSecret('other'.repeat(10), 'u1', 'n1'),
  ].map((secret) => Buffer.from(secret).toString('hex'));

  assert.equal(new Set(secrets).size, secrets.length);
  assert.ok(secrets.every((secret) => secret.length === 40));
  assert.notEqual(newNonce(), newNonce());
});

test('recovery codes are alike however they are typed, and worth nothing without the master secret', () => {
  const codes = newRecoveryCodes();
  const [code] = codes;
  const hash = (text: string, master = MASTER) => hashRecoveryCode(master, 'u1', 'n1', text);

  assert.equal(new Set(codes).size, 10);
  assert.ok(codes.every((one) => /^[a-z2-9]{5}-[a-z2-9]{5}$/.test(one)));
  assert.equal(hash(code!.toUpperCase().replace('-', ' ')), hash(code!));
  assert.notEqual(hash(code!, 'n'.repeat(64)), hash(code!));
  assert.notEqual(hash(code!), hashRecoveryCode(MASTER, 'u1', 'n2', code!));
});
