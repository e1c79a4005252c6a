import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import webpush from 'web-push';
import { CredentialsError } from '../../../lib/carriers/credentials-error.ts';
import { vapidKeyOf } from '../../../lib/carriers/webpush/credentials.ts';
import { VapidTokens } from '../../../lib/carriers/webpush/vapid.ts';
import { readVapid } from '../../../local/carriers/vapid.ts';

const ORIGIN = 'https://web.push.apple.com';
const HOUR = 3_600_000;
const key = { subject: 'mailto:push@peal.example', ...webpush.generateVAPIDKeys() };
const claimsOf = (header: string) =>
  JSON.parse(Buffer.from(header.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

describe('VAPID tokens', () => {
  it('say who we are, to one service, for twelve hours', () => {
    const now = Date.now();
    const tokens = new VapidTokens(key, () => now);

    const header = tokens.header(ORIGIN);

    assert.deepEqual(readVapid(header, ORIGIN, now), { key: key.publicKey });
    assert.deepEqual(claimsOf(header), {
      aud: ORIGIN,
      exp: Math.floor(now / 1000) + 12 * 3600,
      sub: key.subject,
    });
  });

  it('are one for each service, and kept until an hour before they expire', () => {
    const began = Date.now();
    let now = began;
    const tokens = new VapidTokens(key, () => now);

    const first = tokens.header(ORIGIN);
    const elsewhere = tokens.header('https://updates.push.services.mozilla.com');
    now = began + 11 * HOUR - 1000;
    const kept = tokens.header(ORIGIN);
    now = began + 11 * HOUR;
    const renewed = tokens.header(ORIGIN);

    assert.equal(kept, first);
    assert.notEqual(elsewhere, first);
    assert.notEqual(renewed, first);
    assert.deepEqual(readVapid(renewed, ORIGIN, now), { key: key.publicKey });
  });

  it('are not kept without end, whatever services users name', () => {
    const tokens = new VapidTokens(key, Date.now);
    const first = tokens.header(ORIGIN);

    for (let n = 0; n < 1_000; n++) tokens.header(`https://push${n}.example`);

    assert.notEqual(tokens.header(ORIGIN), first);
  });

  it('are not made with keys that do not belong together, or a subject that is nobody', () => {
    const { publicKey } = webpush.generateVAPIDKeys();

    assert.throws(() => new VapidTokens({ ...key, publicKey }, Date.now).header(ORIGIN), CredentialsError);
    assert.throws(
      () => new VapidTokens({ ...key, subject: 'me' }, Date.now).header(ORIGIN),
      CredentialsError,
    );
    assert.throws(
      () => new VapidTokens({ ...key, privateKey: 'AA' }, Date.now).header(ORIGIN),
      CredentialsError,
    );
  });
});

describe('the secret of Web Push', () => {
  it('is a subject and a pair of keys', () => {
    assert.deepEqual(vapidKeyOf(JSON.stringify(key)), key);
    assert.deepEqual(
      vapidKeyOf(JSON.stringify({ ...key, subject: 'https://peal.example/contact' }))?.subject,
      'https://peal.example/contact',
    );
  });

  it('turns the carrier off where it is anything else', () => {
    const wrong = [
      ...['', '{}', '{"empty":"x"}', 'null', '[]'],
      ...[
        { subject: 'me@x' },
        { subject: 'http://x' },
        { publicKey: key.privateKey },
        { privateKey: 'a/b' },
      ].map((change) => JSON.stringify({ ...key, ...change })),
    ];

    assert.deepEqual(
      wrong.map(vapidKeyOf),
      wrong.map(() => undefined),
    );
  });
});
