import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createApi } from '../../lib/device/api.ts';
import { enrol } from '../../lib/device/enrol.ts';
import { openFileStore } from '../../lib/device/file-store.ts';
import { createKeyPair, toBase64 } from '../../lib/device/keys.ts';
import { createListener, type ListenerOptions } from '../../lib/device/listener.ts';
import { createMemoryStore } from '../../lib/device/memory-store.ts';
import type { StoredMessage } from '../../lib/device/store.ts';
import { identityOf, ManualTimers, newMessage, sealedItem } from './builders.ts';
import { type FakePeal, startFakePeal } from './fake-peal.ts';

const keys = createKeyPair();

/** Waits for one call of a callback after another. */
function calls<T>() {
  const got: T[] = [];
  let wake = () => {};
  return {
    got,
    callback: (value: T) => {
      got.push(value);
      wake();
    },
    async until(done: (got: T[]) => boolean): Promise<void> {
      while (!done(got)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

async function listening(
  t: TestContext,
  options: Partial<ListenerOptions> = {},
  prepare?: (fake: FakePeal) => void,
) {
  const fake = await startFakePeal();
  prepare?.(fake);
  const store = options.store ?? createMemoryStore();
  await store.setIdentity(identityOf(keys));
  const shown = calls<StoredMessage>();
  const ends = calls<string>();
  const errors = calls<unknown>();
  const listener = createListener({
    api: createApi({ url: fake.url }),
    socket: fake.socketUrl,
    store,
    onMessage: shown.callback,
    onEnd: ends.callback,
    onError: errors.callback,
    limits: { backoff: { first: 5, most: 20 } },
    retry: { first: 5, most: 20 },
    ...options,
  });
  t.after(async () => {
    await listener.stop();
    await fake.close();
  });
  const put = (id: number, more = {}) => void fake.mailbox.set(id, sealedItem(id, keys, more));
  const signal = (frame: string) => fake.sockets.at(-1)?.send(frame);
  const shownIds = () => shown.got.map(({ id }) => id);
  return { fake, store, listener, shown, shownIds, ends, errors, put, signal };
}

test('shows what waits at the start, and what comes later', async (t) => {
  const { fake, listener, shown, shownIds, put, signal } = await listening(t);
  put(1);

  const login = fake.nextLogin();
  await listener.start();
  assert.equal(await login, `login:${'d'.repeat(40)}:${'s'.repeat(60)}\n`);
  await shown.until((got) => got.length === 1);
  put(2);
  signal('!');
  await shown.until((got) => got.length === 2);

  assert.deepEqual(shownIds(), [1, 2]);
  assert.equal(fake.seen[0]?.authorization, `Bearer ${'s'.repeat(60)}`);
});

test('a signal during a sync causes one more, so that nothing stays behind', async (t) => {
  const { fake, listener, shown, put, signal } = await listening(t);
  let held = () => {};
  const firstSync = calls<void>();
  fake.intercept = async (request) => {
    if (request.method !== 'GET' || firstSync.got.length > 0) return undefined;
    await new Promise<void>((resolve) => {
      held = resolve;
      firstSync.callback();
    });
    return { status: 200, body: { status: 1, request: 'r', messages: [] } };
  };
  await listener.start();
  await firstSync.until((got) => got.length === 1);

  // The answer that is under way does not have it.
  put(1);
  signal('!');
  signal('!');
  const [socket] = fake.sockets;
  socket?.ping();
  if (socket) await once(socket, 'pong');
  held();
  await shown.until((got) => got.length === 1);

  await listener.stop();
  assert.equal(fake.seen.filter(({ method }) => method === 'GET').length, 2);
});

test('connects and syncs again when the connection is lost', async (t) => {
  const { fake, listener, shown, shownIds, put } = await listening(t);
  const first = fake.nextLogin();
  await listener.start();
  await first;

  put(1);
  const second = fake.nextLogin();
  fake.sockets[0]?.terminate();
  await second;
  await shown.until((got) => got.length === 1);

  assert.deepEqual(shownIds(), [1]);
});

test('a sync that fails is tried again by itself', async (t) => {
  const { fake, listener, shown, errors, put } = await listening(t);
  let failures = 3;
  fake.intercept = () => (failures-- > 0 ? { status: 503, body: 'unavailable' } : undefined);
  put(1);

  await listener.start();
  await shown.until((got) => got.length === 1);

  assert.equal(errors.got.length, 3);
});

test('gets messages over HTTP where no WebSocket gets through', async (t) => {
  const { listener, shown } = await listening(t, { socket: 'ws://127.0.0.1:1/push' }, (fake) => {
    fake.mailbox.set(1, sealedItem(1, keys));
  });

  await listener.start();

  await shown.until((got) => got.length === 1);
});

for (const [frame, end] of [
  ['E', 'refused'],
  ['A', 'replaced'],
]) {
  test(`ends as ${end} when the server says ${frame}`, async (t) => {
    const { listener, ends, fake } = await listening(t, {}, (fresh) => {
      fresh.greeting = frame;
    });

    await listener.start();
    await ends.until((got) => got.length === 1);

    assert.deepEqual(ends.got, [end]);
    assert.deepEqual(fake.seen, []);
  });
}

test('ends as signed-out when the session is not known any more', async (t) => {
  const { fake, listener, ends, errors } = await listening(t);
  fake.intercept = () => ({
    status: 400,
    body: { secret: 'invalid', errors: ['secret is invalid'], status: 0 },
  });

  await listener.start();
  await ends.until((got) => got.length === 1);

  assert.deepEqual([ends.got, errors.got], [['signed-out'], []]);
  assert.equal(fake.seen.length, 1);
});

test('shows what an earlier run stored and did not show', async (t) => {
  const store = createMemoryStore();
  await store.add([newMessage(1)]);
  const { listener, shownIds } = await listening(t, { store, socket: 'ws://127.0.0.1:1/push' });

  await listener.start();

  assert.deepEqual(shownIds(), [1]);
});

test('deletes a message when it expires', async (t) => {
  const timers = new ManualTimers();
  const { listener, store, shown, put } = await listening(t, { timers });
  put(1, { expires: Math.floor(timers.now() / 1000) + 60 });
  put(2);
  await listener.start();
  await shown.until((got) => got.length === 2);
  await listener.inbox.removeExpired();
  // The timer is set after the sync has ended.
  while (!timers.waits().includes(60_000)) await new Promise<void>((resolve) => setImmediate(resolve));

  timers.advance(60_000);
  while ((await store.list()).length > 1) await new Promise<void>((resolve) => setImmediate(resolve));

  assert.deepEqual(
    (await store.list()).map(({ id }) => id),
    [2],
  );
});

test('a listener on a file that is stopped and started again shows each message once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'peal-listener-'));
  t.after(() => rm(folder, { recursive: true }));
  const first = await openFileStore(folder);
  const one = await listening(t, { store: first });
  one.put(1);
  // Acknowledging fails, as when the process ends before it.
  one.fake.intercept = ({ path }) => (path.endsWith('/acknowledge.json') ? 'drop' : undefined);
  await one.listener.start();
  await one.shown.until((got) => got.length === 1);
  await one.listener.stop();
  await first.close();

  const second = await openFileStore(folder);
  t.after(() => second.close());
  const two = await listening(t, { store: second });
  two.put(1);
  two.put(2);
  await two.listener.start();
  await two.shown.until((got) => got.length === 1);
  await two.listener.stop();

  assert.deepEqual([one.shownIds(), two.shownIds()], [[1], [2]]);
  assert.equal(two.fake.mailbox.size, 0);
});

test('stopping after the server ended it waits for the sync under way, so that the store may be closed', async (t) => {
  const { fake, listener, ends, signal, put, shownIds } = await listening(t);
  let answer = () => {};
  const asked = calls<void>();
  fake.intercept = async () => {
    await new Promise<void>((resolve) => {
      answer = resolve;
      asked.callback();
    });
    return undefined;
  };
  put(1);
  await listener.start();
  await asked.until((got) => got.length === 1);
  signal('A');
  await ends.until((got) => got.length === 1);

  const stopped = listener.stop();
  fake.intercept = undefined;
  answer();
  await stopped;

  assert.deepEqual(shownIds(), [1]);
  assert.equal(fake.mailbox.size, 0);
});

test('will not start without an identity', async () => {
  const listener = createListener({
    api: createApi({ url: 'http://127.0.0.1:1' }),
    socket: 'ws://127.0.0.1:1/push',
    store: createMemoryStore(),
    onMessage: () => {},
  });

  await assert.rejects(listener.start(), { name: 'StoreError', message: /not registered/ });
});

test('enrolling registers a new key and keeps who the device is', async (t) => {
  const { fake } = await listening(t);
  const store = createMemoryStore();
  const session = { user: 'u1', secret: 's1' };

  const identity = await enrol(createApi({ url: fake.url }), store, session, {
    name: 'desk',
    platform: 'desktop',
  });

  assert.deepEqual(await store.identity(), identity);
  assert.equal(identity.device, 'id-1');
  const [request] = fake.seen;
  assert.equal(request?.authorization, 'Bearer s1');
  assert.equal(request?.body.public_key, toBase64(identity.keys?.publicKey ?? new Uint8Array()));
});

test('enrolling a classic device registers no key', async (t) => {
  const { fake } = await listening(t);
  const store = createMemoryStore();

  const identity = await enrol(
    createApi({ url: fake.url }),
    store,
    { user: 'u', secret: 's' },
    { name: 'n', platform: 'open' },
  );

  assert.equal(identity.keys, undefined);
  assert.deepEqual(fake.seen[0]?.body, { name: 'n', os: 'O' });
});
