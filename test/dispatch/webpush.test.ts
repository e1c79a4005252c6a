import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createListener, type PealApi } from '../../lib/device/index.ts';
import type { Subscriber } from '../../local/carriers/index.ts';
import { newDevice, type TestDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal();

/** Longest wait for something that is bound to happen. Milliseconds. */
const LIMIT = 20_000;

/** An account with a browser for each subscription, and a way to send. */
async function ready(subscribers: Subscriber[]) {
  const { carriers } = peal();
  carriers.faults.clear();
  carriers.notes.clear();
  carriers.journal.clear();
  const account = await newAccount(peal());
  const browsers = await Promise.all(
    subscribers.map(({ target }) => newDevice(account, { platform: 'web', push: target })),
  );
  const send = async (message: string, more: Record<string, string> = {}) => {
    const { token, user } = account;
    const { status } = await post(peal(), 'messages.json', { token, user, message, ...more });
    assert.equal(status, 200);
  };
  return { ...account, browsers, send };
}

const receivedBy = ({ target }: Subscriber) =>
  peal().carriers.journal.received.filter((received) => received.target === target.endpoint);

/** What a closed browser does with what its push service kept for it. */
async function wake(browser: TestDevice, subscriber: Subscriber) {
  const results = [];
  for (const payload of subscriber.wake()) results.push(await browser.inbox.receivePush(payload));
  return results;
}

const drained = () =>
  Promise.all(['WebpushPush', 'DesktopPush'].map((name) => peal().cloud.poller(name).drained()));

/** Opens a browser's window: it listens on the socket. */
async function openWindow(browser: TestDevice, api: PealApi) {
  const connected = Promise.withResolvers<void>();
  const shown = Promise.withResolvers<void>();
  const listener = createListener({
    api,
    socket: peal().socket,
    store: browser.store,
    onMessage: (message) => {
      browser.shown.push(message);
      shown.resolve();
    },
    onError: connected.reject,
    onEnd: (end) => connected.reject(new Error(end)),
    onState: ({ state }) => {
      if (state === 'connected') connected.resolve();
    },
  });
  await listener.start();
  await connected.promise;
  return { shown: shown.promise, stop: () => listener.stop() };
}

test('a closed browser is woken with the sealed message, which its push service cannot read', async () => {
  const subscribers = [peal().carriers.subscribe('firefox'), peal().carriers.subscribe('safari')];
  const { browsers, send } = await ready(subscribers);

  await send('hello', { title: 'Title', priority: '1' });
  await peal().carriers.journal.waitFor(2, LIMIT);
  await drained();
  const results = await Promise.all(browsers.map((browser, n) => wake(browser, subscribers[n]!)));

  assert.deepEqual(results, [['new'], ['new']]);
  for (const [n, browser] of browsers.entries()) {
    const [received] = receivedBy(subscribers[n]!);
    assert.deepEqual(browser.texts(), ['hello']);
    assert.equal(received?.headers.urgency, 'high');
    assert.doesNotMatch(JSON.stringify(subscribers[n]!.open(received!)), /hello|Title/);
  }
});

test('a message that does not fit a push wakes the browser, which syncs', async () => {
  const subscriber = peal().carriers.subscribe();
  const { browsers, send } = await ready([subscriber]);
  const long = '😀'.repeat(1024);

  await send(long);
  await peal().carriers.journal.waitFor(1, LIMIT);
  const results = await wake(browsers[0]!, subscriber);
  await browsers[0]!.sync();

  assert.deepEqual(results, ['sync']);
  assert.deepEqual(browsers[0]!.texts(), [long]);
});

test('a subscription that is gone is retired, and the browser keeps its messages', async () => {
  const [gone, here] = [peal().carriers.subscribe('safari'), peal().carriers.subscribe('safari')];
  const { api, browsers, send } = await ready([gone, here]);
  peal().carriers.notes.set({ carrier: 'webpush', target: gone.target.endpoint, deadSince: 1 });

  await send('one');
  await peal().carriers.journal.waitFor(1, LIMIT);
  await drained();
  const targets = new Map((await api.listDevices()).map(({ id, push }) => [id, push?.type]));
  await Promise.all(browsers.map((browser) => browser.sync()));

  assert.deepEqual(
    browsers.map(({ id }) => targets.get(id)),
    [undefined, 'webpush'],
  );
  assert.deepEqual(
    browsers.map((browser) => browser.texts()),
    [['one'], ['one']],
  );
});

test('an open window is signalled and the push service gets the message too; it is shown once', async (t) => {
  const subscriber = peal().carriers.subscribe();
  const { api, browsers, send } = await ready([subscriber]);
  const browser = browsers[0]!;
  // The push service is slow enough for the socket's signal to be marked first, which must not count for the push.
  peal().carriers.faults.add({ carrier: 'webpush', times: 1, fault: { kind: 'status', status: 503 } });
  const acknowledge = Promise.withResolvers<void>();
  // Until the push is through, the message stays where dispatch finds it.
  const patient: typeof api = {
    ...api,
    withSecret: () => patient,
    acknowledge: async (...args) => {
      await acknowledge.promise;
      await api.acknowledge(...args);
    },
  };
  const window = await openWindow(browser, patient);
  t.after(() => window.stop());

  await send('both ways');
  await window.shown;
  await peal().carriers.journal.waitFor(1, LIMIT);
  await drained();
  acknowledge.resolve();
  const results = await wake(browser, subscriber);

  assert.deepEqual(results, ['known']);
  assert.deepEqual(browser.texts(), ['both ways']);
});

test('a lost answer of the push service makes it push again, and one notification waits', async () => {
  const subscriber = peal().carriers.subscribe('safari');
  const { browsers, send } = await ready([subscriber]);
  peal().carriers.faults.add({ carrier: 'webpush', times: 1, fault: { kind: 'reset-after' } });

  await send('once');
  await peal().carriers.journal.waitFor(2, LIMIT);
  await drained();
  const results = await wake(browsers[0]!, subscriber);

  assert.equal(receivedBy(subscriber).length, 2);
  assert.deepEqual(results, ['new']);
  assert.deepEqual(browsers[0]!.texts(), ['once']);
});
