import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  MAX_PAYLOAD_BYTES,
  payloadBytes,
  sealedData,
  stubData,
  wireMessage,
} from '../../../lib/carriers/fcm/payload.ts';

const NOW = 1_795_000_000_000;
const target = { type: 'fcm', token: 'token-of-a-device' } as const;
const message = { id: 1_700_000_000_001, priority: 0, expiresAt: NOW / 1000 + 3600 };

/** The longest sealed message that fits, from FCM's rule: keys and values of the data. */
function roomFor(id: number): number {
  const fixed = 'peal1id'.length + String(id).length + 'sealed'.length;
  return Math.floor((MAX_PAYLOAD_BYTES - fixed) / 4) * 3;
}

describe('FCM payload', () => {
  it('carries the sealed message in base64', () => {
    const sealed = Buffer.from([0xfb, 0xff, 0x00]);

    const data = sealedData({ id: 7, sealed });

    assert.deepEqual(data, { peal: '1', id: '7', sealed: '+/8A' });
  });

  it('carries the largest message that fits and not one byte more', () => {
    const room = roomFor(message.id);

    const [fits, tooLarge] = [room, room + 1].map((bytes) =>
      sealedData({ id: message.id, sealed: Buffer.alloc(bytes) }),
    );

    assert.ok(fits && payloadBytes(fits) <= MAX_PAYLOAD_BYTES);
    assert.equal(tooLarge, undefined);
  });

  it('fills the limit to the last byte', () => {
    // With an id of 11 digits, 4,072 bytes are left: a multiple of four.
    const id = 10_000_000_000;

    const data = sealedData({ id, sealed: Buffer.alloc(roomFor(id)) });

    assert.equal(data && payloadBytes(data), MAX_PAYLOAD_BYTES);
  });

  it('never exceeds the limit, whatever the size and the id', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(Number.MAX_SAFE_INTEGER), (bytes, id) => {
        const data = sealedData({ id, sealed: Buffer.alloc(bytes) });

        assert.equal(data === undefined, bytes > roomFor(id));
        if (data) assert.ok(payloadBytes(data) <= MAX_PAYLOAD_BYTES);
      }),
      { numRuns: 300 },
    );
  });

  it('has no sealed data for a device without a key', () => {
    assert.equal(sealedData({ id: 7 }), undefined);
    assert.deepEqual(stubData(7), { peal: '1', id: '7', sync: '1' });
  });

  it('addresses a registration token or an installation id', () => {
    const byToken = wireMessage(message, target, stubData(1), NOW);
    const byFid = wireMessage(message, { type: 'fcm', fid: 'cAbCdEfGhIjKlMnOpQrStU' }, stubData(1), NOW);

    assert.equal('token' in byToken && byToken.token, 'token-of-a-device');
    assert.equal('fid' in byFid && byFid.fid, 'cAbCdEfGhIjKlMnOpQrStU');
    assert.equal('token' in byFid, false);
  });

  it('wakes a dozing device for normal and high priorities only', () => {
    const priorities = [-2, -1, 0, 1, 2].map(
      (priority) => wireMessage({ ...message, priority }, target, stubData(1), NOW).android.priority,
    );

    assert.deepEqual(priorities, ['NORMAL', 'NORMAL', 'HIGH', 'HIGH', 'HIGH']);
  });

  it('lives at FCM until the message expires, 28 days at most', () => {
    const seconds = NOW / 1000;

    const ttls = [seconds + 90, seconds - 5, seconds + 40 * 86_400].map(
      (expiresAt) => wireMessage({ ...message, expiresAt }, target, { sealed: '' }, NOW).android.ttl,
    );

    assert.deepEqual(ttls, ['90s', '0s', '2419200s']);
  });

  it('has a collapse key only where one push stands for another: on stubs, which outlive all that they stand for', () => {
    const data = sealedData({ id: 1, sealed: new Uint8Array(10) })!;
    const android = [data, stubData(1)].flatMap((what) =>
      [0, -1].map((priority) => wireMessage({ ...message, priority }, target, what, NOW).android),
    );

    assert.deepEqual(
      android.map(({ collapse_key }) => collapse_key),
      [undefined, undefined, 'sync', 'sync-quiet'],
    );
    assert.deepEqual(
      android.slice(2).map(({ ttl }) => ttl),
      ['2419200s', '2419200s'],
    );
  });

  it('keeps a repetition at FCM until the next one takes over, and lets nothing else take its ring’s place', () => {
    const repetition = { ...message, priority: 2, until: NOW / 1000 + 30 };
    const sealed = sealedData({ id: 1, sealed: new Uint8Array(10) })!;

    // A device that holds the message is told by a stub which emergency rings.
    const wires = [sealed, stubData(1)].map((data) => wireMessage(repetition, target, data, NOW).android);

    assert.deepEqual(
      wires.map(({ ttl, collapse_key }) => [ttl, collapse_key]),
      [
        ['30s', undefined],
        ['30s', undefined],
      ],
    );
  });
});
