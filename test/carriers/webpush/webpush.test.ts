import assert from 'node:assert/strict';
import type { AddressInfo, LookupFunction } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import tls from 'node:tls';
import type { Carrier, Push } from '../../../lib/carriers/carrier.ts';
import { createWebPush } from '../../../lib/carriers/webpush/webpush.ts';
import type { Fault, Subscriber } from '../../../local/carriers/index.ts';
import { push, type StandIns, startStandIns } from '../stand-ins.ts';

let standIns: StandIns;
let webPush: Carrier;
const now = Date.now();

before(async () => {
  standIns = await startStandIns({ now: () => now });
  const { vapid } = standIns.credentials;
  webPush = createWebPush({ vapid, now: () => now });
  standIns.reset();
});
afterEach(() => standIns.reset());
after(async () => {
  await webPush.close();
  await standIns.close();
});

function to(subscriber: Subscriber, fields: Partial<Push> = {}): Push {
  return push(subscriber.target, fields);
}

function failNext({ target }: Subscriber, fault: Fault): void {
  standIns.fail({ carrier: 'webpush', target: target.endpoint, times: 1, fault });
}

const statuses = () => standIns.handled.map(({ status }) => status);
const connections = () => new Set(standIns.handled.map(({ connection }) => connection)).size;

describe('Web Push client', () => {
  for (const browser of ['firefox', 'safari'] as const) {
    it(`hands a sealed message over to ${browser}`, async () => {
      const subscriber = standIns.subscribe(browser);

      const outcome = await webPush.send(
        to(subscriber, { id: 5, sealed: Buffer.from('secret'), priority: 1 }),
      );

      assert.deepEqual(outcome, { kind: 'accepted' });
      const [received] = standIns.journal.received;
      assert.deepEqual(subscriber.open(received!), { peal: 1, id: '5', sealed: 'c2VjcmV0' });
      assert.partialDeepStrictEqual(received?.headers, {
        urgency: 'high',
        topic: '0000000000000005',
        'content-encoding': 'aes128gcm',
      });
    });
  }

  it('gives the push service as long as the message lives', async () => {
    const subscriber = standIns.subscribe();
    const seconds = Math.floor(now / 1000);

    await webPush.send(to(subscriber, { id: 1, expiresAt: seconds + 100 }));
    await webPush.send(to(subscriber, { id: 2, expiresAt: seconds - 100 }));

    assert.deepEqual(
      standIns.journal.received.map(({ headers }) => Number(headers.ttl)),
      [now % 1000 === 0 ? 100 : 99, 0],
    );
  });

  it('has the largest sealed message that it sends accepted', async () => {
    const subscriber = standIns.subscribe('safari');

    const outcome = await webPush.send(to(subscriber, { id: 123, sealed: Buffer.alloc(2970) }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    const { payload } = standIns.journal.received[0]!;
    assert.equal(Buffer.from(String(payload.body), 'base64').length, 4096);
    assert.deepEqual(statuses(), [201]);
  });

  it('sends the stub for a message that is a byte too large, without asking first', async () => {
    const subscriber = standIns.subscribe();

    const outcome = await webPush.send(to(subscriber, { id: 1234, sealed: Buffer.alloc(2970) }));

    assert.deepEqual(outcome, { kind: 'accepted' });
    assert.deepEqual(subscriber.open(standIns.journal.received[0]!), { peal: 1, id: '1234', sync: 1 });
    assert.deepEqual(statuses(), [201]);
  });

  it('sends the stub to a device without a key', async () => {
    const subscriber = standIns.subscribe();
    const { sealed: _, ...bare } = to(subscriber, { id: 5 });

    await webPush.send(bare);

    assert.deepEqual(subscriber.open(standIns.journal.received[0]!), { peal: 1, id: '5', sync: 1 });
  });

  it('uses one session and one token for many messages to a service', async () => {
    const browsers = Array.from({ length: 40 }, () => standIns.subscribe());

    const outcomes = await Promise.all(browsers.map((browser, id) => webPush.send(to(browser, { id }))));

    assert.ok(outcomes.every(({ kind }) => kind === 'accepted'));
    assert.equal(connections(), 1);
    assert.equal(new Set(standIns.journal.received.map(({ headers }) => headers.authorization)).size, 1);
  });

  it('replaces what waits when a message is repeated after a lost answer', async () => {
    const subscriber = standIns.subscribe('safari');
    failNext(subscriber, { kind: 'reset-after' });

    const first = await webPush.send(to(subscriber, { id: 77 }));
    const second = await webPush.send(to(subscriber, { id: 77 }));

    assert.deepEqual([first.kind, second.kind], ['failed', 'accepted']);
    assert.equal(standIns.journal.received.length, 2);
    assert.equal(subscriber.wake().length, 1);
  });

  it('retires a subscription that is gone, and only that', async () => {
    const [gone, here, unknown] = [standIns.subscribe(), standIns.subscribe(), standIns.subscribe('safari')];
    standIns.notes.set({ carrier: 'webpush', target: gone.target.endpoint, deadSince: 1 });
    failNext(unknown, { kind: 'status', status: 404 });

    const outcomes = await Promise.all([gone, here, unknown].map((browser) => webPush.send(to(browser))));

    assert.partialDeepStrictEqual(outcomes, [
      { kind: 'refused', retire: true },
      { kind: 'accepted' },
      { kind: 'refused', retire: true },
    ]);
  });

  it('sends the stub once when the service finds the message too large', async () => {
    const [once, always] = [standIns.subscribe(), standIns.subscribe()];
    failNext(once, { kind: 'status', status: 413, reason: '104' });
    standIns.fail({
      carrier: 'webpush',
      target: always.target.endpoint,
      fault: { kind: 'status', status: 413 },
    });

    const outcomes = [await webPush.send(to(once, { id: 9 })), await webPush.send(to(always))];

    assert.partialDeepStrictEqual(outcomes, [{ kind: 'accepted' }, { kind: 'refused', retire: false }]);
    assert.deepEqual(once.open(standIns.journal.received[0]!), { peal: 1, id: '9', sync: 1 });
    assert.deepEqual(statuses(), [413, 201, 413, 413]);
  });

  it('calls it a fault when the service does not take our key, and keeps the target', async () => {
    const [mozilla, apple] = [standIns.subscribe(), standIns.subscribe('safari')];
    for (const { target } of [mozilla, apple])
      standIns.notes.set({ carrier: 'webpush', target: target.endpoint, owner: 'another key' });

    const outcomes = [await webPush.send(to(mozilla)), await webPush.send(to(apple))];

    assert.deepEqual(outcomes, [
      { kind: 'fault', reason: 'updates.push.services.mozilla.com 401 errno 109' },
      { kind: 'fault', reason: 'web.push.apple.com 403 VapidPkHashMismatch' },
    ]);
  });

  it('calls a subject that Apple does not take a fault', async () => {
    const vapid = { ...standIns.credentials.vapid, subject: 'mailto:me@localhost' };
    const stranger = createWebPush({ vapid });

    const outcome = await stranger.send(to(standIns.subscribe('safari')));
    await stranger.close();

    assert.deepEqual(outcome, { kind: 'fault', reason: 'web.push.apple.com 403 BadJwtToken' });
  });

  it('calls a key that is none a fault, and asks nobody', async () => {
    const vapid = { ...standIns.credentials.vapid, privateKey: 'AAAA' };
    const broken = createWebPush({ vapid });

    const outcome = await broken.send(to(standIns.subscribe()));
    await broken.close();

    assert.equal(outcome.kind, 'fault');
    assert.deepEqual(statuses(), []);
  });

  it('waits at least a minute after a quota, and as long as the service says', async () => {
    const [short, long] = [standIns.subscribe(), standIns.subscribe()];
    failNext(short, { kind: 'status', status: 429, headers: { 'retry-after': '3' } });
    failNext(long, { kind: 'status', status: 429, headers: { 'retry-after': '90' } });

    const outcomes = await Promise.all([short, long].map((browser) => webPush.send(to(browser))));

    assert.partialDeepStrictEqual(outcomes, [
      { kind: 'failed', retryAfter: 60 },
      { kind: 'failed', retryAfter: 90 },
    ]);
  });

  it('leaves a repeat to the queue when the service is unavailable', async () => {
    const subscriber = standIns.subscribe();
    failNext(subscriber, { kind: 'status', status: 503, headers: { 'retry-after': '5' } });

    const outcome = await webPush.send(to(subscriber));

    assert.partialDeepStrictEqual(outcome, { kind: 'failed', retryAfter: 5 });
    assert.deepEqual(statuses(), [503]);
  });

  it('takes the answer that comes after a GOAWAY', async () => {
    const subscriber = standIns.subscribe();
    failNext(subscriber, { kind: 'goaway' });

    const first = await webPush.send(to(subscriber));
    const second = await webPush.send(to(subscriber, { id: 2 }));

    assert.deepEqual([first.kind, second.kind], ['accepted', 'accepted']);
    assert.equal(connections(), 2);
  });
});

describe('Web Push client and targets that are none', () => {
  const target = () => standIns.subscribe().target;

  it('refuses a push without a Web Push target', async () => {
    const outcome = await webPush.send(push({ type: 'fcm', token: 'x' }));

    assert.deepEqual(outcome, { kind: 'refused', reason: 'no Web Push target', retire: false });
  });

  it('retires keys that nobody could encrypt for', async () => {
    const off = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]).toString('base64url');

    const outcomes = await Promise.all(
      [{ p256dh: 'B'.repeat(87) }, { p256dh: off }, { p256dh: '' }, { auth: 'AAAA' }].map((change) =>
        webPush.send(push({ ...target(), ...change })),
      ),
    );

    for (const outcome of outcomes) assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: true });
    assert.deepEqual(statuses(), []);
  });

  it('retires endpoints that are not at a public address, and connects to none of them', async () => {
    let connected = 0;
    const server = tls.createServer({}).on('connection', (socket) => {
      connected++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const endpoints = [
      ...['http://push.example.org/x', 'x', `https://127.0.0.1:${port}/`, `https://localhost:${port}/`],
      ...[`https://[::1]:${port}/`, `https://[::ffff:127.0.0.1]:${port}/`, `https://2130706433:${port}/`],
      ...['https://169.254.169.254/latest/meta-data', 'https://[fd00:ec2::254]/', 'https://8.8.8.8/'],
      `https://user:password@localhost:${port}/`,
    ];

    const outcomes = await Promise.all(
      endpoints.map((endpoint) => webPush.send(push({ ...target(), endpoint }))),
    );
    await new Promise((resolve) => server.close(resolve));

    for (const [n, outcome] of outcomes.entries())
      assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: true }, endpoints[n]);
    assert.equal(connected, 0);
  });

  it('calls a name that cannot be resolved a failure', async () => {
    const lookup: LookupFunction = (_host, _options, done) =>
      done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    const client = createWebPush({ vapid: standIns.credentials.vapid, lookup });

    const outcome = await client.send(push({ ...target(), endpoint: 'https://push.example.org/x' }));
    await client.close();

    assert.equal(outcome.kind, 'failed');
  });
});
