import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  MAX_PLAIN_BYTES,
  sealedText,
  stubText,
  timeToLive,
  topic,
  urgency,
} from '../../../lib/carriers/webpush/payload.ts';

describe('Web Push payload', () => {
  it('carries the sealed message, or the word to sync', () => {
    const sealed = sealedText({ id: 7, sealed: Buffer.from('secret') });
    const stub = stubText(7);

    assert.deepEqual(JSON.parse(sealed!), { peal: 1, id: '7', sealed: 'c2VjcmV0' });
    assert.deepEqual(JSON.parse(stub), { peal: 1, id: '7', sync: 1 });
  });

  it('carries no sealed message that is not there', () => {
    assert.equal(sealedText({ id: 7 }), undefined);
  });

  it('fits to the byte', () => {
    // 30 bytes of JSON around the digits of the id and the base64.
    const sealed = Buffer.alloc(990 * 3);

    const [below, exact, above] = [12, 123, 1234].map((id) => sealedText({ id, sealed }));

    assert.equal(below?.length, MAX_PLAIN_BYTES - 1);
    assert.equal(exact?.length, MAX_PLAIN_BYTES);
    assert.equal(above, undefined);
  });

  it('never exceeds the limit', () => {
    const push = fc.record({
      id: fc.maxSafeNat(),
      sealed: fc.nat(4000).map((bytes) => Buffer.alloc(bytes)),
    });

    fc.assert(fc.property(push, (of) => (sealedText(of)?.length ?? 0) <= MAX_PLAIN_BYTES));
  });

  it('is as urgent as its priority', () => {
    assert.deepEqual([-2, -1, 0, 1, 2].map(urgency), ['very-low', 'low', 'normal', 'high', 'high']);
  });

  it('lives as long as the message, and never less than nothing', () => {
    const now = 1_790_000_000_400;

    const lives = [1_790_000_060, 1_790_000_000, 1_700_000_000, 1_800_000_000].map((at) =>
      timeToLive(at, now),
    );

    assert.deepEqual(lives, [59, 0, 0, 28 * 24 * 3600]);
  });

  it('has a topic of whole bytes in base64url, its own for each message', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (id) => {
        const name = topic(id);
        assert.match(name, /^[A-Za-z0-9_-]{1,32}$/);
        assert.equal(Buffer.from(name, 'base64url').toString('base64url'), name);
        assert.equal(Number(name), id);
      }),
    );
  });
});
