import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Carrier, Push } from '../../../lib/carriers/carrier.ts';
import { AccessTokens } from '../../../lib/carriers/fcm/access-token.ts';
import { createFcm } from '../../../lib/carriers/fcm/fcm.ts';
import type { Fault } from '../../../local/carriers/index.ts';
import { push, type StandIns, startStandIns } from '../stand-ins.ts';

let standIns: StandIns;
let fcm: Carrier;
let now = Date.now();

before(async () => {
  standIns = await startStandIns({ now: () => now });
  fcm = createFcm({ serviceAccount: standIns.credentials.serviceAccount, now: () => now });
  // The first hand-off asks for the access token.
  await fcm.send(to('warm-up-device'));
  standIns.reset();
});
afterEach(() => standIns.reset());
after(async () => {
  await fcm.close();
  await standIns.close();
});

function to(token: string, fields: Partial<Push> = {}): Push {
  return push({ type: 'fcm', token }, fields);
}

function failNext(target: string, fault: Fault): void {
  standIns.fail({ carrier: 'fcm', target, times: 1, fault });
}

function statuses(): (number | string)[] {
  return standIns.handled.map(({ carrier, status }) => (carrier === 'oauth' ? 'token' : status));
}

describe('FCM client', () => {
  it('hands a sealed message over', async () => {
    const outcome = await fcm.send(to('device-aaaa', { id: 5, sealed: Buffer.from('secret') }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    const [received] = standIns.journal.received;
    assert.equal(received?.target, 'device-aaaa');
    assert.deepEqual(received?.payload.data, {
      peal: '1',
      id: '5',
      sealed: Buffer.from('secret').toString('base64'),
    });
  });

  it('reaches an installation id', async () => {
    const outcome = await fcm.send(push({ type: 'fcm', fid: 'cAbCdEfGhIjKlMnOpQrStU' }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.equal(standIns.journal.received[0]?.payload.fid, 'cAbCdEfGhIjKlMnOpQrStU');
  });

  it('sends the stub for a message that is too large, without asking first', async () => {
    const outcome = await fcm.send(to('device-aaaa', { id: 5, sealed: Buffer.alloc(3100) }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.deepEqual(standIns.journal.received[0]?.payload.data, { peal: '1', id: '5', sync: '1' });
    assert.deepEqual(statuses(), [200]);
  });

  it('has the largest sealed message that it sends accepted', async () => {
    const room = Math.floor((4096 - 'peal1id'.length - 13 - 'sealed'.length) / 4) * 3;

    const outcome = await fcm.send(to('device-aaaa', { sealed: Buffer.alloc(room) }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.ok(Object.hasOwn(standIns.journal.received[0]!.payload.data as object, 'sealed'));
  });

  it('uses one access token and one session for many messages', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, id) => fcm.send(to('device-many', { id }))),
    );

    assert.ok(outcomes.every(({ kind }) => kind === 'accepted'));
    assert.equal(statuses().filter((status) => status === 'token').length, 0);
    assert.equal(new Set(standIns.handled.map(({ connection }) => connection)).size, 1);
  });

  it('refuses a push without an FCM target', async () => {
    const { target: _, ...bare } = to('device-aaaa');

    const outcomes = [
      await fcm.send(bare),
      await fcm.send(push({ type: 'webpush', endpoint: 'https://x', p256dh: '', auth: '' })),
    ];

    for (const outcome of outcomes) {
      assert.deepEqual(outcome, { kind: 'refused', reason: 'no FCM target', retire: false });
    }
  });

  it('retires a target that is gone, and only that', async () => {
    standIns.notes.set({ carrier: 'fcm', target: 'device-gone', deadSince: 1 });

    const [gone, other] = await Promise.all([fcm.send(to('device-gone')), fcm.send(to('device-here'))]);

    assert.partialDeepStrictEqual(gone, { kind: 'refused', retire: true });
    assert.equal(other.kind, 'accepted');
  });

  it('retires a token that FCM does not take for one', async () => {
    const outcome = await fcm.send(to('not a token'));

    assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: true });
    assert.deepEqual(statuses(), [400]);
  });

  it('keeps a target that belongs to another project, and calls it a fault', async () => {
    standIns.notes.set({ carrier: 'fcm', target: 'device-else', owner: 'another-project' });

    const outcome = await fcm.send(to('device-else'));

    assert.partialDeepStrictEqual(outcome, { kind: 'fault' });
  });

  it('sends the stub once when FCM refuses the message', async () => {
    failNext('device-aaaa', { kind: 'status', status: 400, reason: 'INVALID_ARGUMENT' });

    const outcome = await fcm.send(to('device-aaaa', { id: 9 }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.deepEqual(standIns.journal.received[0]?.payload.data, { peal: '1', id: '9', sync: '1' });
  });

  it('gives the push up when FCM refuses the stub too', async () => {
    standIns.fail({ carrier: 'fcm', fault: { kind: 'status', status: 400, reason: 'INVALID_ARGUMENT' } });

    const outcome = await fcm.send(to('device-aaaa'));

    assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: false });
    assert.deepEqual(statuses(), [400, 400]);
  });

  it('fetches one fresh access token for all messages when the old one is not accepted any more', async () => {
    standIns.revokeAccessTokens();
    now += 120_000;

    const outcomes = await Promise.all(
      Array.from({ length: 5 }, (_, id) => fcm.send(to('device-aaaa', { id }))),
    );

    assert.ok(outcomes.every(({ kind }) => kind === 'accepted'));
    assert.equal(statuses().filter((status) => status === 'token').length, 1);
  });

  it('calls it a fault when a fresh access token is not accepted, and does not fetch one a message', async () => {
    standIns.fail({ carrier: 'fcm', fault: { kind: 'status', status: 403, reason: 'PERMISSION_DENIED' } });
    now += 120_000;

    const first = await fcm.send(to('device-aaaa'));
    const second = await fcm.send(to('device-aaaa'));

    assert.equal(first.kind, 'fault');
    assert.equal(second.kind, 'fault');
    assert.deepEqual(statuses(), [403, 'token', 403, 403]);
  });

  it('waits at least a minute after a quota, and as long as FCM says', async () => {
    failNext('device-aaaa', { kind: 'status', status: 429, reason: 'QUOTA_EXCEEDED' });
    failNext('device-bbbb', {
      kind: 'status',
      status: 429,
      reason: 'QUOTA_EXCEEDED',
      headers: { 'retry-after': '90' },
    });

    const [short, long] = await Promise.all([fcm.send(to('device-aaaa')), fcm.send(to('device-bbbb'))]);

    assert.partialDeepStrictEqual(short, { kind: 'failed', retryAfter: 60 });
    assert.partialDeepStrictEqual(long, { kind: 'failed', retryAfter: 90 });
  });

  it('leaves a repeat to the queue when FCM is unavailable', async () => {
    failNext('device-aaaa', {
      kind: 'status',
      status: 503,
      reason: 'UNAVAILABLE',
      headers: { 'retry-after': '5' },
    });

    const outcome = await fcm.send(to('device-aaaa'));

    assert.partialDeepStrictEqual(outcome, { kind: 'failed', retryAfter: 5 });
    assert.deepEqual(statuses(), [503]);
  });

  it('takes the answer that comes after a GOAWAY', async () => {
    failNext('device-aaaa', { kind: 'goaway' });

    const first = await fcm.send(to('device-aaaa'));
    const second = await fcm.send(to('device-aaaa', { id: 2 }));

    assert.deepEqual([first.kind, second.kind], ['accepted', 'accepted']);
    assert.equal(new Set(standIns.handled.map(({ connection }) => connection)).size, 2);
  });

  it('names the message alike when it is repeated after a lost answer', async () => {
    failNext('device-aaaa', { kind: 'reset-after' });

    const first = await fcm.send(to('device-aaaa', { id: 77 }));
    const second = await fcm.send(to('device-aaaa', { id: 77 }));

    assert.deepEqual([first.kind, second.kind], ['failed', 'accepted']);
    const ids = standIns.journal.received.map(({ payload }) => (payload.data as { id: string }).id);
    assert.deepEqual(ids, ['77', '77']);
  });
});

describe('FCM client with a wrong service account', () => {
  it('calls a key that is none a fault', async () => {
    const account = { ...standIns.credentials.serviceAccount, private_key: 'no key' };
    const broken = createFcm({ serviceAccount: account });

    const outcome = await broken.send(to('device-aaaa'));
    await broken.close();

    assert.equal(outcome.kind, 'fault');
  });

  it('calls an account that Google does not know a fault', async () => {
    const account = { ...standIns.credentials.serviceAccount, client_email: 'nobody@example.com' };
    const stranger = createFcm({ serviceAccount: account });

    const outcome = await stranger.send(to('device-aaaa'));
    await stranger.close();

    assert.equal(outcome.kind, 'fault');
    assert.deepEqual(statuses(), ['token' as const]);
  });

  it('calls silence of the token endpoint a failure when its time is over', { timeout: 8000 }, async () => {
    standIns.fail({ carrier: 'oauth', fault: { kind: 'silence' } });
    const account = { ...standIns.credentials.serviceAccount, project_id: 'another' };
    const unlucky = createFcm({ serviceAccount: account, timeout: 400 });

    const outcome = await unlucky.send(to('device-aaaa'));
    await unlucky.close();

    assert.deepEqual(outcome, {
      kind: 'failed',
      reason: 'no access token: none within 400 ms',
      silent: 'fcm.googleapis.com',
    });
  });

  it('asks for a token again after one request for it was never answered', async () => {
    standIns.fail({ carrier: 'oauth', times: 1, fault: { kind: 'silence' } });
    const account = { ...standIns.credentials.serviceAccount, project_id: 'a third' };
    const tokens = new AccessTokens(account, () => now);

    const first = await tokens.get(100);
    const second = await tokens.get(5_000);

    assert.equal(first.kind, 'late');
    assert.equal(second.kind, 'token');
    assert.deepEqual(statuses(), ['token', 'token']);
  });
});
