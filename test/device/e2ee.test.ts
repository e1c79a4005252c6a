import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  E2eeError,
  type E2eeReason,
  e2eeKey,
  openE2ee,
  openE2eeText,
  sealE2ee,
  sealE2eeText,
} from '../../lib/device/index.ts';
import { envelopeOf } from './builders.ts';

/** The format anew, from node:crypto alone: what any sender in another language does. */
const HEX = '00112233445566778899aabbccddeeff'.repeat(2);
const SECRET = Buffer.from(HEX, 'hex');
const key = await e2eeKey(HEX);

const withMac = (covered: Buffer) =>
  Buffer.concat([covered, createHmac('sha256', SECRET).update(covered).digest()]).toString('base64');

function sealBytes(zipped: Uint8Array, iv = randomBytes(16)): string {
  const cipher = createCipheriv('aes-256-cbc', SECRET, iv);
  return withMac(Buffer.concat([iv, cipher.update(zipped), cipher.final()]));
}

const seal = (text: string) => sealBytes(gzipSync(text));

function open(sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const [covered, mac] = [bytes.subarray(0, -32), bytes.subarray(-32)];
  assert.deepEqual(createHmac('sha256', SECRET).update(covered).digest(), mac);
  const decipher = createDecipheriv('aes-256-cbc', SECRET, covered.subarray(0, 16));
  return gunzipSync(Buffer.concat([decipher.update(covered.subarray(16)), decipher.final()])).toString(
    'utf8',
  );
}

const { v: _, ...PLAIN } = envelopeOf(1);

/** Why a text does not open. */
async function reasonOf(text: string, by = key): Promise<E2eeReason> {
  try {
    await openE2eeText(text, by);
  } catch (error) {
    assert.ok(error instanceof E2eeError, String(error));
    return error.reason;
  }
  return assert.fail('it was opened');
}

/** Any text, an empty one too. */
const anyText = fc.string({ unit: 'grapheme', maxLength: 300 });

test('opens what node:crypto has sealed, and seals what it opens, for any text', async () => {
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      assert.equal(await openE2eeText(seal(text), key), text);
      assert.equal(open(await sealE2eeText(text, key)), text);
    }),
  );
});

test('a character takes 108, as with other senders, and no two ciphertexts are equal', async () => {
  const sealed = await Promise.all(['x', 'x'].map((text) => sealE2eeText(text, key)));

  assert.deepEqual(
    sealed.map(({ length }) => length),
    [108, 108],
  );
  assert.notEqual(sealed[0], sealed[1]);
});

test('a byte order mark, and a key in capitals, are as they were sent', async () => {
  const capitals = await e2eeKey(HEX.toUpperCase());

  assert.equal(await openE2eeText(seal('\uFEFFtext'), capitals), '\uFEFFtext');
});

test('whatever byte is changed, the field does not open', async () => {
  const sealed = Buffer.from(seal('Disk is full'), 'base64');

  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1 << (at % 8);
    assert.equal(await reasonOf(changed.toString('base64')), 'mac');
  }
});

test('another key does not open it', async () => {
  const other = await e2eeKey('f'.repeat(64));

  assert.equal(await reasonOf(seal('text'), other), 'mac');
});

test('whatever else is given, it is refused by the one error', async () => {
  const wild = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    // With a good MAC, so that what is behind it is reached.
    fc.uint8Array({ maxLength: 300 }).map((bytes) => withMac(Buffer.from(bytes))),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => sealBytes(bytes)),
    // gzip that is cut off or damaged, or not of UTF-8.
    fc.tuple(fc.string(), fc.nat(60)).map(([text, most]) => sealBytes(gzipSync(text).subarray(0, most))),
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => sealBytes(gzipSync(bytes))),
  );
  await fc.assert(
    fc.asyncProperty(wild, async (text) => {
      try {
        // A few of these are good: gzip that was not cut, bytes that are UTF-8.
        assert.equal(await openE2eeText(text, key), open(text));
      } catch (error) {
        assert.ok(error instanceof E2eeError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('more text than a message can have is refused before it is unpacked', async () => {
  const bomb = seal('\0'.repeat(50 * 1024 * 1024));
  const largest = 'x'.repeat(64 * 1024);

  assert.equal(await reasonOf(bomb), 'size');
  assert.equal(await reasonOf(seal(`${largest}x`)), 'size');
  assert.equal(await openE2eeText(seal(largest), key), largest);
});

test('what a sender did wrong under its own key is told apart', async () => {
  const reasons = await Promise.all(
    [
      sealBytes(Buffer.from('no gzip')),
      sealBytes(gzipSync(Buffer.from([0xff]))),
      withMac(randomBytes(32)),
      'plain',
    ].map((text) => reasonOf(text)),
  );

  assert.deepEqual(reasons, ['content', 'content', 'content', 'form']);
});

test('a key is 64 hexadecimal digits, and an error does not repeat what was given', async () => {
  for (const text of ['', 'x'.repeat(64), HEX.slice(1), `${HEX}0`, ` ${HEX}`]) {
    await assert.rejects(e2eeKey(text), (error: Error) => {
      assert.ok(error instanceof RangeError);
      assert.ok(text.trim() === '' || !error.message.includes(text.trim()));
      return true;
    });
  }
});

test('the fields of a message are sealed and marked, and opened and unmarked', async () => {
  const fields = { message: 'text', title: 'Title', url: 'https://example.org', url_title: '' };

  const sealed = await sealE2ee(fields, key);
  const opened = await openE2ee({ ...PLAIN, ...sealed, url_title: 'plain' }, key);

  assert.equal(sealed.encrypted, 1);
  assert.equal(sealed.url_title, '');
  assert.equal(open(sealed.title), 'Title');
  assert.deepEqual(opened.closed, ['url_title']);
  assert.deepEqual(opened.message, { ...PLAIN, ...fields, url_title: 'plain', encrypted: 1 });
  const whole = await openE2ee({ ...PLAIN, message: sealed.message, encrypted: 1 }, key);
  assert.deepEqual(whole, { message: { ...PLAIN, message: 'text' }, closed: [] });
});

test('a message that is not marked is left as it is, whatever its text', async () => {
  const message = { ...PLAIN, message: seal('text') };

  assert.deepEqual(await openE2ee(message, key), { message, closed: [] });
});
