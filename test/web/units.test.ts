import assert from 'node:assert/strict';
import { test } from 'node:test';
import { e2eeKey, type Message, type StoredMessage, sealE2ee } from '../../lib/device/index.ts';
import { noticeOf } from '../../web/src/platform/notices.ts';
import { subscribe } from '../../web/src/platform/push.ts';
import type { Database } from '../../web/src/store/database.ts';
import { openMessage, type ShownMessage } from '../../web/src/store/e2ee.ts';
import { DEFAULT_SETTINGS, isQuiet } from '../../web/src/store/settings.ts';
import { ceilingOf } from '../../web/src/ui/scale.ts';
import { dayOf, timeFrom } from '../../web/src/ui/times.ts';
import type { Cleanup } from '../local/assemblies.ts';

const at = (time: string) => new Date(`2026-03-02T${time}:00`);

const NIGHT = { ...DEFAULT_SETTINGS, quiet: true, quietFrom: '22:00', quietTo: '07:00' };

const CONFIG = { api: 'https://api.example', socket: 'wss://socket.example/push' };

function stored(more: Partial<Message> = {}): StoredMessage {
  const message: Message = {
    id: 7,
    umid: 7,
    app: 'CI',
    aid: 1,
    icon: 'default',
    date: 1_800_000_000,
    message: 'text',
    priority: 0,
    ...more,
  };
  return { kind: 'message', id: message.id, message, shown: false };
}

const notice = (more: Partial<Message>, settings = DEFAULT_SETTINGS, now = at('12:00')) =>
  noticeOf(stored(more), { config: CONFIG, settings, now });

for (const [from, to, times] of [
  [
    '22:00',
    '07:00',
    { '21:59': false, '22:00': true, '23:59': true, '00:00': true, '06:59': true, '07:00': false },
  ],
  ['13:00', '14:00', { '12:59': false, '13:00': true, '13:59': true, '14:00': false }],
  ['09:00', '09:00', { '08:59': false, '09:00': false }],
] as const) {
  test(`quiet hours from ${from} to ${to}`, () => {
    for (const [time, quiet] of Object.entries(times)) {
      assert.equal(isQuiet({ ...NIGHT, quietFrom: from, quietTo: to }, at(time)), quiet, time);
    }
  });
}

test('quiet hours that are off are never', () => {
  assert.equal(isQuiet({ ...NIGHT, quiet: false }, at('23:00')), false);
});

test('quiet hours on some days: those over midnight belong to the day on which they begin', () => {
  // 2 March 2026 is a Monday.
  const monday = { ...NIGHT, quietDays: [1] };
  const quiet = ['01T23:00', '02T06:59', '02T22:00', '03T06:59', '03T22:00'].map((time) =>
    isQuiet(monday, new Date(`2026-03-${time}:00`)),
  );
  const noon = { ...monday, quietFrom: '12:00', quietTo: '13:00' };

  assert.deepEqual(quiet, [false, false, true, true, false]);
  assert.equal(isQuiet(noon, at('12:30')), true);
  assert.equal(isQuiet({ ...noon, quietDays: [0, 2] }, at('12:30')), false);
});

test('what a sender encrypted is opened with the key; what does not open is left out, unless it was never encrypted', async () => {
  const [key, other] = await Promise.all([e2eeKey('ab'.repeat(32)), e2eeKey('cd'.repeat(32))]);
  const { encrypted, ...fields } = await sealE2ee({ message: 'secret', title: 'Title' }, key);
  const received = stored({ ...fields, encrypted });
  // Apprise names the file of a second attachment in the clear.
  const half = stored({ ...fields, message: 'photo.png', encrypted });
  const shown = ({ closed, ...rest }: ShownMessage) =>
    rest.kind === 'message' && { title: rest.message.title, message: rest.message.message, closed };

  const [open, without, wrong, partly] = await Promise.all([
    openMessage(received, key),
    openMessage(received, undefined),
    openMessage(received, other),
    openMessage(half, key),
  ]);

  assert.deepEqual(shown(open), { title: 'Title', message: 'secret', closed: undefined });
  assert.deepEqual(shown(without), { title: undefined, message: '', closed: 'no-key' });
  assert.deepEqual(shown(wrong), { title: undefined, message: '', closed: 'wrong-key' });
  assert.deepEqual(shown(partly), { title: 'Title', message: 'photo.png', closed: undefined });
  const context = { config: CONFIG, settings: DEFAULT_SETTINGS, now: at('12:00') };
  assert.equal(noticeOf(without, context).options.body, 'Encrypted message');
});

test('a notification shakes if its sound says so, and neither shakes nor rings where the device is to be mute', () => {
  const [shaking, silent, low] = [
    notice({ sound: 'vibrate' }),
    notice({}, { ...DEFAULT_SETTINGS, sound: 'none' }),
    notice({ sound: 'vibrate', priority: -1 }),
  ].map(({ options }) => [options.silent, options.vibrate !== undefined]);

  assert.deepEqual(
    [shaking, silent, low],
    [
      [false, true],
      [true, false],
      [true, false],
    ],
  );
});

test('a notification is named by its message’s id, titled by the app without a title, and has text for HTML', () => {
  const plain = notice({});
  const html = notice({ title: 'Title', message: '<b>1</b> &lt; 2', html: 1, icon: 'build' });

  assert.deepEqual([plain.title, plain.options.tag, plain.options.body], ['CI', '7', 'text']);
  assert.deepEqual([html.title, html.options.body], ['Title', '1 < 2']);
  assert.equal(html.options.icon, 'https://api.example/icons/build.png');
});

test('low priorities are silent, normal ones in quiet hours too, high ones never; an emergency stays', () => {
  const silent = (priority: number, now: Date) => notice({ priority }, NIGHT, now).options.silent;
  const emergency = notice({ priority: 2, receipt: 'r1' });

  assert.deepEqual(
    [-2, -1, 0, 1, 2].map((priority) => silent(priority, at('12:00'))),
    [true, true, false, false, false],
  );
  assert.deepEqual(
    [-2, -1, 0, 1, 2].map((priority) => silent(priority, at('23:00'))),
    [true, true, true, false, false],
  );
  assert.equal(emergency.options.requireInteraction, true);
  assert.deepEqual(emergency.options.data, { id: 7, receipt: 'r1' });
  assert.equal(emergency.options.actions?.[0]?.action, 'acknowledge');
});

test('days are said as people say them', () => {
  const now = new Date('2026-03-02T00:30:00');
  const said = [
    '2026-03-02T00:10:00',
    '2026-03-01T23:50:00',
    '2026-02-27T12:00:00',
    '2025-12-31T12:00:00',
  ].map((time) => dayOf(new Date(time).getTime() / 1000, now));

  assert.deepEqual(said, ['Today', 'Yesterday', 'Friday, February 27', 'December 31, 2025']);
});

/** A browser's push manager, with a subscription or without. */
function pushManager(key: string | undefined, endpoint = 'https://push.example/old') {
  const calls: string[] = [];
  const subscription = (applicationServerKey: string, url: string) => ({
    options: { applicationServerKey: Buffer.from(applicationServerKey, 'base64url') },
    toJSON: () => ({ endpoint: url, keys: { p256dh: 'p', auth: 'a' } }),
    unsubscribe: async () => calls.push('unsubscribe'),
  });
  return {
    calls,
    registration: {
      pushManager: {
        getSubscription: async () => (key === undefined ? null : subscription(key, endpoint)),
        subscribe: async ({ applicationServerKey }: { applicationServerKey: string }) => {
          calls.push(`subscribe ${applicationServerKey}`);
          return subscription(applicationServerKey, 'https://push.example/new');
        },
      },
    } as unknown as ServiceWorkerRegistration,
  };
}

/** Gives this process the browser's permission for a test. */
function allowNotifications(t: Cleanup): void {
  Object.assign(globalThis, { Notification: { permission: 'granted' } });
  t.after(() => Reflect.deleteProperty(globalThis, 'Notification'));
}

/** As much of the database as a subscription needs. */
function memory() {
  const values = new Map<string, unknown>();
  return {
    get: async (_: string, key: string) => values.get(key),
    put: async (_: string, value: unknown, key: string) => void values.set(key, value),
  } as unknown as Database;
}

test('a subscription is told to Peal once; one with another key is made anew', async (t) => {
  allowNotifications(t);
  const told: unknown[] = [];
  const api = {
    pushKey: async () => 'BBBB',
    updateDevice: async (_: string, change: unknown) => void told.push(change),
  };
  const [db, same, other] = [memory(), pushManager('BBBB'), pushManager('AAAA')];

  const results = [
    await subscribe(db, same.registration, api, 'device'),
    await subscribe(db, same.registration, api, 'device'),
    await subscribe(db, other.registration, api, 'device'),
  ];

  assert.deepEqual(results, [true, true, true]);
  assert.deepEqual(same.calls, []);
  assert.deepEqual(other.calls, ['unsubscribe', 'subscribe BBBB']);
  const target = { type: 'webpush', p256dh: 'p', auth: 'a' };
  assert.deepEqual(told, [
    { push: { ...target, endpoint: 'https://push.example/old' } },
    { push: { ...target, endpoint: 'https://push.example/new' } },
  ]);
});

test('where Peal has no key, nothing is subscribed', async (t) => {
  allowNotifications(t);
  const { calls, registration } = pushManager(undefined);
  const api = { pushKey: async () => undefined, updateDevice: async () => assert.fail('nothing to tell') };

  const reachable = await subscribe(memory(), registration, api, 'device');

  assert.equal(reachable, false);
  assert.deepEqual(calls, []);
});

test('a scale ends at the next round number', () => {
  const ends = [0, 1, 2, 3, 5, 6, 10, 11, 99, 160, 1_000, 4_999].map(ceilingOf);

  assert.deepEqual(ends, [1, 1, 2, 5, 5, 10, 10, 20, 100, 200, 1_000, 5_000]);
});

test('a time that follows another has its date only on another day', () => {
  const seconds = (time: string) => new Date(time).getTime() / 1000;
  const noon = seconds('2026-03-02T12:00:00');

  assert.doesNotMatch(timeFrom(noon + 60, noon), /Mar/);
  assert.match(timeFrom(seconds('2026-03-03T00:00:00'), noon), /Mar 3, 2026/);
});
