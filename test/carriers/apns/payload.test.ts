import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  MAX_PAYLOAD_BYTES,
  notificationId,
  requestHeaders,
  sealedPayload,
  stubPayload,
} from '../../../lib/carriers/apns/payload.ts';
import { push } from '../stand-ins.ts';

const target = {
  type: 'apns',
  token: 'ab'.repeat(32),
  topic: 'net.peal.app',
  environment: 'production',
} as const;

/** The longest sealed message that fits beside everything else, found from an empty one. */
function roomFor(id: number, priority: number): number {
  const empty = sealedPayload({ id, priority, sealed: new Uint8Array() });
  return Math.floor((MAX_PAYLOAD_BYTES - Buffer.byteLength(empty!)) / 4) * 3;
}

describe('APNs payload', () => {
  it('carries the sealed message and lets the extension open it', () => {
    const text = sealedPayload({ id: 7, priority: 0, sealed: Buffer.from([0xfb, 0xff]) });

    assert.deepEqual(JSON.parse(text!), {
      aps: {
        alert: { title: 'Peal', body: 'New message' },
        'mutable-content': 1,
        sound: 'default',
        'interruption-level': 'active',
      },
      peal: { v: 1, id: '7', sealed: '+/8=' },
    });
  });

  it('sounds as the device’s owner chose, and not at all below priority 0', () => {
    const sounds = [-1, 0, 1].map((priority) => {
      const payload = JSON.parse(stubPayload({ id: 7, priority, target: { ...target, sound: 'siren.caf' } }));
      return payload.aps.sound;
    });

    assert.deepEqual(sounds, [undefined, 'siren.caf', 'siren.caf']);
  });

  it('never lets the name of a sound break out of its place', () => {
    const text = stubPayload({ id: 7, priority: 0, target: { ...target, sound: '","x":"' } });

    assert.equal(JSON.parse(text).aps.sound, 'default');
  });

  it('carries the largest message that fits and not one byte more, whatever id and priority', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), fc.integer({ min: -2, max: 2 }), (id, priority) => {
        const room = roomFor(id, priority);

        const fits = sealedPayload({ id, priority, sealed: Buffer.alloc(room) });
        const tooLarge = sealedPayload({ id, priority, sealed: Buffer.alloc(room + 1) });

        assert.ok(fits && Buffer.byteLength(fits) > MAX_PAYLOAD_BYTES - 4);
        assert.ok(Buffer.byteLength(fits) <= MAX_PAYLOAD_BYTES);
        assert.equal(tooLarge, undefined);
      }),
      { numRuns: 100 },
    );
  });

  it('fills the limit to the last byte', () => {
    const sizes = new Set<number>();

    for (let digits = 1; digits <= 4; digits++) {
      const id = 10 ** (digits - 1);
      const text = sealedPayload({ id, priority: 0, sealed: Buffer.alloc(roomFor(id, 0)) });
      sizes.add(Buffer.byteLength(text!));
    }

    assert.ok(sizes.has(MAX_PAYLOAD_BYTES));
  });

  it('asks to sync where there is no sealed message', () => {
    assert.equal(sealedPayload({ id: 7, priority: 0 }), undefined);
    assert.deepEqual(JSON.parse(stubPayload({ id: 7, priority: 0 })).peal, { v: 1, id: '7', sync: 1 });
  });

  it('presents each priority as its own', () => {
    const presentations = [-2, -1, 0, 1, 2].map((priority) => {
      const { aps } = JSON.parse(stubPayload({ id: 1, priority }));
      return [aps['interruption-level'], aps.sound];
    });

    assert.deepEqual(presentations, [
      ['passive', undefined],
      ['active', undefined],
      ['active', 'default'],
      ['time-sensitive', 'default'],
      ['time-sensitive', 'default'],
    ]);
  });

  it('says in its headers what Apple wants to know', () => {
    const message = push(target, { id: 42, device: 'device', priority: -1, expiresAt: 1_800_000_000 });

    const headers = requestHeaders(message, target, 'JWT');

    assert.deepEqual(headers, {
      authorization: 'bearer JWT',
      'apns-id': notificationId('device', 42),
      'apns-topic': 'net.peal.app',
      'apns-push-type': 'alert',
      'apns-priority': '5',
      'apns-expiration': '1800000000',
      'apns-collapse-id': '42',
      'content-type': 'application/json',
    });
  });

  it('sends normal and high priorities at once', () => {
    const priorities = [0, 1, 2].map(
      (priority) => requestHeaders(push(target, { priority }), target, '')['apns-priority'],
    );

    assert.deepEqual(priorities, ['10', '10', '10']);
  });

  it('gives a message to a device one id that no other has', () => {
    const id = notificationId('device', 42);

    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(notificationId('device', 42), id);
    assert.notEqual(notificationId('device', 43), id);
    assert.notEqual(notificationId('device4', 2), id);
  });
});
