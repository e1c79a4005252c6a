import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fault } from '../../local/carriers/index.ts';
import { apnsTarget, fcmTarget, newDevice, type TestDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /given up/, pollConcurrency: 2 });

const MESSAGES = 20;
/** Of how many hand-offs one fails. */
const ONE_IN = 5;

/** Every way in which the stand-ins can fail and the message still has a future. */
const FAULTS: Fault[] = [
  { kind: 'status', status: 503 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429, headers: { 'retry-after': '90' } },
  { kind: 'delay', ms: 300 },
  { kind: 'reset-before' },
  { kind: 'reset-after' },
  { kind: 'close' },
  { kind: 'goaway' },
  { kind: 'goaway-close' },
  { kind: 'slow-body', ms: 300 },
  { kind: 'stream-limit', streams: 1 },
  { kind: 'silence' },
];

test('in a storm of faults every message is delivered or a dead letter, and shown once', async () => {
  const { carriers, cloud } = peal();
  const account = await newAccount(peal());
  const targets = [fcmTarget(), apnsTarget(), fcmTarget(), apnsTarget()];
  const devices: TestDevice[] = [];
  for (const push of targets) {
    devices.push(await newDevice(account, { platform: push.type === 'apns' ? 'ios' : 'android', push }));
  }
  // What the queue would hold back for minutes comes back after a second.
  const stop = cloud.front.intercept((call) => {
    if (call.action !== 'SendMessageBatch') return undefined;
    const entries = call.input.Entries as { DelaySeconds?: number }[];
    const soon = entries.map((entry) => ({ ...entry, DelaySeconds: Math.min(1, entry.DelaySeconds ?? 0) }));
    return { input: { ...call.input, Entries: soon } };
  });
  const random = fc.sample(fc.nat({ max: 2 ** 30 }), { numRuns: MESSAGES * 4, seed: 7325 });
  let drawn = 0;
  const draw = (below: number) => random[drawn++ % random.length]! % below;
  let struck = 0;
  // A rule strikes the next hand-off of its carrier; a new one comes with every fifth that was handled. Each kind has its
  // turn.
  const unsettle = () => {
    const carrier = draw(2) === 0 ? 'fcm' : 'apns';
    carriers.faults.add({ carrier, times: 1, fault: FAULTS[struck++ % FAULTS.length]! });
  };
  carriers.journal.on('handled', () => draw(ONE_IN) === 0 && unsettle());

  const texts = Array.from({ length: MESSAGES }, (_, n) => `message ${n}`);
  for (const [n, message] of texts.entries()) {
    if (n % 4 === 0) unsettle();
    if (n % 7 === 0) for (const name of ['FcmPush', 'ApnsPush']) cloud.poller(name).deliverTwice();
    const { status } = await post(peal(), 'messages.json', {
      token: account.token,
      user: account.user,
      message,
    });
    assert.equal(status, 200);
  }
  await Promise.all(['FcmPush', 'ApnsPush'].map((name) => cloud.poller(name).drained()));
  stop();
  const dead = ['FcmDeadLetters', 'ApnsDeadLetters'].map(
    (name) => cloud.engine.queueState(cloud.queue(name).name).ready,
  );
  for (const [n, device] of devices.entries()) {
    const target = targets[n]!;
    const token = 'token' in target ? target.token : '';
    for (const { carrier, target: to, payload } of carriers.journal.received) {
      if (to === token) await device.inbox.receivePush(carrier === 'fcm' ? payload.data : payload);
    }
  }
  const pushed = devices.map((device) => device.texts().sort());
  for (const device of devices) await device.sync();

  assert.ok(struck >= FAULTS.length);
  assert.deepEqual(dead, [0, 0]);
  for (const [n, device] of devices.entries()) {
    assert.deepEqual(pushed[n], texts.toSorted());
    assert.deepEqual(device.texts().sort(), texts.toSorted());
  }
});
