import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { createApns } from '../../../lib/carriers/apns/apns.ts';
import { notificationId, sealedPayload } from '../../../lib/carriers/apns/payload.ts';
import type { Carrier, Push } from '../../../lib/carriers/carrier.ts';
import type { Fault } from '../../../local/carriers/index.ts';
import { deviceToken, push, type StandIns, startStandIns } from '../stand-ins.ts';

const TOPIC = 'net.peal.app';
let standIns: StandIns;
let apns: Carrier;
let now = Date.now();

before(async () => {
  standIns = await startStandIns({ now: () => now, apns: { topics: [TOPIC, 'net.peal.beta'] } });
  apns = createApns({ ...standIns.credentials.apns, now: () => now });
  await apns.send(to('warm-up'));
  standIns.reset();
});
afterEach(() => standIns.reset());
after(async () => {
  await apns.close();
  await standIns.close();
});

function to(name: string, fields: Partial<Push> = {}, topic = TOPIC): Push {
  const target = { type: 'apns', token: deviceToken(name), topic, environment: 'production' } as const;
  return push(target, fields);
}

function failNext(name: string, fault: Fault, times = 1): void {
  standIns.fail({ carrier: 'apns', target: deviceToken(name), times, fault });
}

function reasons(): (number | string)[] {
  return standIns.handled.map(({ status, reason }) => reason ?? status);
}

describe('APNs client', () => {
  it('hands a sealed message over, with what Apple wants to know', async () => {
    const message = to('one', { id: 5, device: 'the-device', sealed: Buffer.from('secret') });

    const outcome = await apns.send(message);

    assert.deepEqual(outcome, { kind: 'accepted' });
    const [received] = standIns.journal.received;
    assert.equal(received?.target, deviceToken('one'));
    assert.equal(received?.environment, 'production');
    assert.equal(received?.headers['apns-id'], notificationId('the-device', 5));
    assert.deepEqual(received?.payload.peal, {
      v: 1,
      id: '5',
      sealed: Buffer.from('secret').toString('base64'),
    });
  });

  it('talks to the host of the target’s environment', async () => {
    const target = { type: 'apns', token: deviceToken('dev'), topic: TOPIC, environment: 'sandbox' } as const;

    const outcome = await apns.send(push(target));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.equal(standIns.journal.received[0]?.environment, 'sandbox');
  });

  it('sends the stub for a message that is too large, without asking first', async () => {
    const outcome = await apns.send(to('one', { id: 5, sealed: Buffer.alloc(3100) }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.deepEqual(standIns.journal.received[0]?.payload.peal, { v: 1, id: '5', sync: 1 });
    assert.deepEqual(reasons(), [200]);
  });

  it('has the largest sealed message that it sends accepted', async () => {
    const empty = sealedPayload({ id: 5, priority: 0, sealed: new Uint8Array() })!;
    const room = Math.floor((4096 - empty.length) / 4) * 3;

    const outcome = await apns.send(to('one', { id: 5, sealed: Buffer.alloc(room) }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.ok(Object.hasOwn(standIns.journal.received[0]!.payload.peal as object, 'sealed'));
  });

  it('opens one connection for a burst, with one stream until APNs knows it', async () => {
    const cold = createApns({ ...standIns.credentials.apns, now: () => now });

    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, id) => cold.send(to(`burst${id}`, { id }))),
    );
    await cold.close();

    assert.ok(outcomes.every(({ kind }) => kind === 'accepted'));
    assert.equal(new Set(standIns.handled.map(({ connection }) => connection)).size, 1);
  });

  it('shares one provider token with other environments, across the end of a window', async () => {
    const start = now;
    const others = [1, 2, 3].map(() => createApns({ ...standIns.credentials.apns, now: () => now }));

    const tokens: Set<string>[] = [];
    for (let window = 0; window < 3; window++) {
      for (const other of others) await other.send(to('one'));
      tokens.push(new Set(standIns.journal.received.map(({ headers }) => headers.authorization!)));
      standIns.journal.clear();
      now += 40 * 60_000;
    }
    for (const other of others) await other.close();
    now = start + 120 * 60_000;

    assert.deepEqual(
      tokens.map(({ size }) => size),
      [1, 1, 1],
    );
    assert.equal(new Set(tokens.flatMap((set) => [...set])).size, 3);
    assert.deepEqual(reasons(), Array(9).fill(200));
  });

  it('refuses a push without an APNs target, and a target that cannot be one', async () => {
    const { target: _, ...bare } = to('one');
    const odd = [to('one', {}, 'net.peal\r\nx: y'), push({ ...target('sandbox'), token: '../x' })];

    const none = await apns.send(bare);
    const outcomes = await Promise.all(odd.map((message) => apns.send(message)));

    assert.deepEqual(none, { kind: 'refused', reason: 'no APNs target', retire: false });
    for (const outcome of outcomes) assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: true });
    assert.deepEqual(reasons(), []);
  });

  it('retires a target that is gone, and says since when', async () => {
    standIns.notes.set({ carrier: 'apns', target: deviceToken('gone'), deadSince: 1_790_000_000_500 });

    const outcome = await apns.send(to('gone'));

    assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: true, deadSince: 1_790_000_000 });
  });

  it('delivers to the other environment when the target’s was mixed up', async () => {
    standIns.notes.set({ carrier: 'apns', target: deviceToken('mixed'), environment: 'sandbox' });

    const outcome = await apns.send(to('mixed'));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.equal(standIns.journal.received[0]?.environment, 'sandbox');
    assert.deepEqual(reasons(), ['BadDeviceToken', 200]);
  });

  it('retires a token that neither environment knows', async () => {
    const outcome = await apns.send(push({ ...target('production'), token: 'abc' }));

    assert.deepEqual(outcome, { kind: 'refused', reason: 'APNs 400 BadDeviceToken', retire: true });
    assert.deepEqual(reasons(), ['BadDeviceToken', 'BadDeviceToken']);
  });

  it('retires a token that the only environment of our key does not know', async () => {
    failNext('bad', { kind: 'status', status: 400, reason: 'BadDeviceToken' });
    failNext('bad', { kind: 'status', status: 403, reason: 'BadEnvironmentKeyIdInToken' });

    const outcome = await apns.send(to('bad'));

    assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: true });
  });

  it('decides nothing about a bad token while the other environment cannot be asked', async () => {
    failNext('bad', { kind: 'status', status: 400, reason: 'BadDeviceToken' });
    failNext('bad', { kind: 'status', status: 503, reason: 'ServiceUnavailable' });

    const outcome = await apns.send(to('bad'));

    assert.partialDeepStrictEqual(outcome, { kind: 'failed' });
  });

  it('keeps a token that the other environment knows under another app', async () => {
    standIns.notes.set({
      carrier: 'apns',
      target: deviceToken('mixed'),
      environment: 'sandbox',
      owner: 'net.peal.beta',
    });

    const outcome = await apns.send(to('mixed'));

    assert.deepEqual(outcome, { kind: 'fault', reason: 'APNs 400 DeviceTokenNotForTopic' });
  });

  it('calls it a fault when target and topic, or topic and team, do not belong together', async () => {
    standIns.notes.set({ carrier: 'apns', target: deviceToken('beta'), owner: 'net.peal.beta' });

    const outcomes = [await apns.send(to('beta')), await apns.send(to('one', {}, 'com.example.other'))];

    assert.deepEqual(
      outcomes.map((outcome) => outcome.kind),
      ['fault', 'fault'],
    );
    assert.deepEqual(reasons(), ['DeviceTokenNotForTopic', 'TopicDisallowed']);
  });

  it('sends the stub once when the payload is too large for APNs', async () => {
    failNext('one', { kind: 'status', status: 413, reason: 'PayloadTooLarge' });

    const outcome = await apns.send(to('one', { id: 9 }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.deepEqual(standIns.journal.received[0]?.payload.peal, { v: 1, id: '9', sync: 1 });
  });

  it('gives the push up when the stub is too large as well', async () => {
    failNext('one', { kind: 'status', status: 413, reason: 'PayloadTooLarge' }, 2);

    const outcome = await apns.send(to('one'));

    assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: false });
    assert.deepEqual(reasons(), ['PayloadTooLarge', 'PayloadTooLarge']);
  });

  it('signs afresh when the window ended under a request, and repeats', async () => {
    failNext('one', { kind: 'status', status: 403, reason: 'ExpiredProviderToken' });
    let reads = 0;
    // The clock of a client that was frozen between signing and the answer.
    const jumping = createApns({
      ...standIns.credentials.apns,
      now: () => now - (reads++ === 0 ? 40 * 60_000 : 0),
    });

    const outcome = await jumping.send(to('one'));
    await jumping.close();

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.deepEqual(reasons(), ['ExpiredProviderToken', 200]);
  });

  it('calls it a fault when a young provider token is taken for expired', async () => {
    failNext('one', { kind: 'status', status: 403, reason: 'ExpiredProviderToken' });

    const outcome = await apns.send(to('one'));

    assert.deepEqual(outcome, { kind: 'fault', reason: 'APNs 403 ExpiredProviderToken' });
    assert.deepEqual(reasons(), ['ExpiredProviderToken']);
  });

  it('leaves the waiting to the queue', async () => {
    failNext('one', { kind: 'status', status: 429, reason: 'TooManyRequests' });
    failNext('two', { kind: 'status', status: 429, reason: 'TooManyProviderTokenUpdates' });
    failNext('three', { kind: 'status', status: 503, reason: 'Shutdown', headers: { 'retry-after': '5' } });

    const outcomes = await Promise.all(['one', 'two', 'three'].map((name) => apns.send(to(name))));

    assert.partialDeepStrictEqual(outcomes, [
      { kind: 'failed', retryAfter: 60 },
      { kind: 'failed', retryAfter: 1200 },
      { kind: 'failed', retryAfter: 5 },
    ]);
  });

  it('takes the answer that comes after a GOAWAY', async () => {
    failNext('one', { kind: 'goaway' });

    const first = await apns.send(to('one'));
    const second = await apns.send(to('one', { id: 2 }));

    assert.deepEqual([first.kind, second.kind], ['accepted', 'accepted']);
    assert.equal(new Set(standIns.handled.map(({ connection }) => connection)).size, 2);
  });

  it('names the notification alike when it is repeated after a lost answer', async () => {
    failNext('one', { kind: 'reset-after' });

    const first = await apns.send(to('one', { id: 77 }));
    const second = await apns.send(to('one', { id: 77 }));

    assert.deepEqual([first.kind, second.kind], ['failed', 'accepted']);
    const names = standIns.journal.received.map(({ headers }) => [
      headers['apns-id'],
      headers['apns-collapse-id'],
    ]);
    assert.equal(names.length, 2);
    assert.deepEqual(names[0], names[1]);
  });

  it('calls a key that is none, or that Apple does not know, a fault', async () => {
    const keys = [{ privateKey: 'no key' }, { keyId: 'UNKNOWNKEY' }];

    for (const key of keys) {
      const carrier = createApns({ ...standIns.credentials.apns, ...key, now: () => now });
      const outcome = await carrier.send(to('one'));
      await carrier.close();

      assert.equal(outcome.kind, 'fault');
    }
    assert.deepEqual(reasons(), ['InvalidProviderToken']);
  });
});

function target(environment: 'sandbox' | 'production') {
  return { type: 'apns', token: deviceToken('one'), topic: TOPIC, environment } as const;
}
