import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FetchedAttachment, SyncPage } from '../../lib/device/api.ts';
import { createInbox, type InboxOptions } from '../../lib/device/inbox.ts';
import { createKeyPair } from '../../lib/device/keys.ts';
import { createMemoryStore } from '../../lib/device/memory-store.ts';
import type { DeviceStore, StoredMessage } from '../../lib/device/store.ts';
import { identityOf, newMessage, plainItem, sealedItem, sealText, settle } from './builders.ts';

const keys = createKeyPair();
const NOW = 1_700_000_000_000;

/** A server that has these items, deletes what was acknowledged, and tells the story of its calls. */
function serverWith(items: { id: number }[], pageSize = 100) {
  const mailbox = new Map(items.map((item) => [item.id, item]));
  const story: string[] = [];
  return {
    mailbox,
    story,
    async sync(_device: string, after = 0): Promise<SyncPage> {
      story.push(`sync ${after}`);
      const found = [...mailbox.values()].filter(({ id }) => id > after).sort((a, b) => a.id - b.id);
      return { messages: found.slice(0, pageSize), user: {}, device: {}, more: found.length > pageSize };
    },
    async acknowledge(_device: string, ids: readonly number[]): Promise<void> {
      story.push(`acknowledge ${ids}`);
      for (const id of ids) mailbox.delete(id);
    },
    fetchAttachment: (): Promise<FetchedAttachment> => Promise.reject(new Error('nothing has an attachment')),
    async reportAttachment(_device: string, message: number): Promise<void> {
      story.push(`report ${message}`);
    },
  };
}

async function inboxWith(options: Partial<InboxOptions> = {}) {
  const store = options.store ?? createMemoryStore();
  if (!(await store.identity())) await store.setIdentity(identityOf(keys));
  const shown: StoredMessage[] = [];
  const onMessage = (message: StoredMessage) => void shown.push(message);
  return {
    store,
    shown,
    ids: () => shown.map(({ id }) => id),
    inbox: createInbox({ onMessage, now: () => NOW, ...options, store }),
  };
}

/** A store of which one method fails from now on, as when the process ends there. */
function dyingAt(store: DeviceStore, method: 'add' | 'markShown'): DeviceStore {
  return { ...store, [method]: () => Promise.reject(new Error(`died at ${method}`)) };
}

test('stores, acknowledges and shows what waits, in the order of the ids', async () => {
  const { inbox, store, shown } = await inboxWith();
  const server = serverWith([sealedItem(2, keys), sealedItem(1, keys)]);

  await inbox.syncOnce(server);

  assert.deepEqual(server.story, ['sync 0', 'acknowledge 1,2']);
  assert.deepEqual(shown, [
    { ...newMessage(1), shown: false },
    { ...newMessage(2), shown: false },
  ]);
  assert.deepEqual(await store.unshown(), []);
});

test('fetches page after page, and acknowledges each once it is stored', async () => {
  const { inbox, ids } = await inboxWith();
  const server = serverWith(
    [1, 2, 3, 4, 5].map((id) => sealedItem(id, keys)),
    2,
  );

  await inbox.syncOnce(server);

  assert.deepEqual(server.story, [
    'sync 0',
    'acknowledge 1,2',
    'sync 2',
    'acknowledge 3,4',
    'sync 4',
    'acknowledge 5',
  ]);
  assert.deepEqual(ids(), [1, 2, 3, 4, 5]);
});

test('acknowledges nothing when nothing waits', async () => {
  const { inbox } = await inboxWith();
  const server = serverWith([]);

  await inbox.syncOnce(server);

  assert.deepEqual(server.story, ['sync 0']);
});

test('acknowledges nothing that it could not store', async () => {
  const store = createMemoryStore();
  await store.setIdentity(identityOf(keys));
  const { inbox, shown } = await inboxWith({ store: dyingAt(store, 'add') });
  const server = serverWith([sealedItem(1, keys)]);

  await assert.rejects(inbox.syncOnce(server), /died at add/);

  assert.deepEqual(server.story, ['sync 0']);
  assert.deepEqual(shown, []);
});

test('a process that ends between storing and acknowledging loses nothing and repeats nothing', async () => {
  const first = await inboxWith();
  const server = serverWith([sealedItem(1, keys)]);
  const cutOff = { ...server, acknowledge: () => Promise.reject(new Error('connection lost')) };
  await assert.rejects(first.inbox.syncOnce(cutOff), /connection lost/);

  const second = await inboxWith({ store: first.store });
  await second.inbox.syncOnce(server);

  assert.deepEqual([first.ids(), second.ids()], [[1], []]);
  assert.equal(server.mailbox.size, 0);
});

test('a process that ends between storing and showing shows after it starts', async () => {
  const store = createMemoryStore();
  await store.setIdentity(identityOf(keys));
  await store.add([newMessage(1)]);

  const { inbox, ids } = await inboxWith({ store });
  await inbox.showNew();
  await inbox.showNew();

  assert.deepEqual(ids(), [1]);
});

test('a process that ends between showing and noting it shows once more, and does not lose', async () => {
  const store = createMemoryStore();
  const first = await inboxWith({ store: dyingAt(store, 'markShown') });
  await assert.rejects(first.inbox.syncOnce(serverWith([sealedItem(1, keys)])), /died at markShown/);

  const second = await inboxWith({ store });
  await second.inbox.showNew();

  assert.deepEqual([first.ids(), second.ids()], [[1], [1]]);
});

test('a message that cannot be shown comes again, and does not hold up the others', async () => {
  let broken = true;
  const seen: number[] = [];
  const onMessage = ({ id }: StoredMessage) => {
    if (id === 1 && broken) throw new Error('no notification today');
    seen.push(id);
  };
  const { inbox } = await inboxWith({ onMessage });
  const server = serverWith([sealedItem(1, keys), sealedItem(2, keys)]);

  await assert.rejects(inbox.syncOnce(server), /no notification today/);
  broken = false;
  await inbox.syncOnce(server);

  assert.deepEqual(seen, [2, 1]);
});

test('a message that comes by push and by sync, in any number, is shown once', async () => {
  const { inbox, ids } = await inboxWith();
  const { id, sealed } = sealedItem(7, keys);
  const server = serverWith([{ ...sealedItem(7, keys) }]);

  const results = await Promise.all([
    inbox.receivePush({ peal: '1', id: String(id), sealed }),
    inbox.syncOnce(server),
    inbox.receivePush({ aps: { alert: {} }, peal: { v: 1, id: String(id), sealed } }),
    inbox.receivePush({ peal: 1, id: String(id), sealed }),
    inbox.syncOnce(server),
  ]);
  const again = await inbox.receivePush({ peal: '1', id: String(id), sealed });

  assert.deepEqual(ids(), [7]);
  assert.equal(results[0], 'new');
  assert.equal(again, 'known');
});

test('the JSON of a Web Push brings the message', async () => {
  const { inbox, ids } = await inboxWith();
  const { id, sealed } = sealedItem(7, keys);

  const result = await inbox.receivePush(JSON.parse(JSON.stringify({ peal: 1, id: String(id), sealed })));

  assert.equal(result, 'new');
  assert.deepEqual(ids(), [7]);
});

test('a push without the message, with a damaged one, or that is none at all asks for a sync and stores nothing', async () => {
  const { inbox, store } = await inboxWith();
  const { sealed } = sealedItem(8, keys);
  const pushes = [
    { peal: '1', id: '7', sync: '1' },
    { peal: { v: 1, id: '7', sync: 1 } },
    { peal: 1, id: '7', sync: 1 },
    { peal: '1', id: '7', sealed: 'AAAA' },
    { peal: '1', id: '7', sealed },
    { peal: '1', id: '7', sealed: sealText('{"v":2}', keys) },
    { peal: '1', id: 'x', sealed },
    {},
    [],
    null,
    undefined,
    'text',
    5,
  ];

  for (const push of pushes) assert.equal(await inbox.receivePush(push), 'sync', JSON.stringify(push));

  assert.deepEqual(await store.list(), []);
});

test('what cannot be read is kept, shown as such, and acknowledged; the rest goes its way', async () => {
  const { inbox, store, shown } = await inboxWith();
  const sealed = sealText('{"v":2,"id":1}', keys);
  const server = serverWith([{ id: 1, sealed } as { id: number }, sealedItem(2, keys)]);

  await inbox.syncOnce(server);

  const unreadable = { kind: 'unreadable', id: 1, reason: 'version', kept: { sealed } };
  assert.deepEqual(shown, [
    { ...unreadable, shown: false },
    { ...newMessage(2), shown: false },
  ]);
  assert.deepEqual((await store.list())[0], { ...unreadable, shown: true });
  assert.equal(server.mailbox.size, 0);
});

test('what was kept unread is read, and shown, by software that knows more', async () => {
  const old = await inboxWith({ open: () => undefined });
  await old.inbox.syncOnce(serverWith([sealedItem(1, keys)]));

  const newer = await inboxWith({ store: old.store });
  await newer.inbox.readAgain();
  await newer.inbox.showNew();

  assert.deepEqual(newer.shown, [{ ...newMessage(1), shown: false }]);
});

test('an item without an id is told of, and does not stop the others', async () => {
  const errors: Error[] = [];
  const { inbox, ids } = await inboxWith({ onError: (error) => errors.push(error) });
  const server = serverWith([sealedItem(1, keys)]);
  const sync = async () => ({ messages: [{}, null, sealedItem(1, keys)], user: {}, device: {}, more: false });

  await inbox.syncOnce({ ...server, sync });

  assert.deepEqual(ids(), [1]);
  assert.match(errors[0]?.message ?? '', /2 messages without a usable id/);
});

test('a device without a key gets plain messages', async () => {
  const store = createMemoryStore();
  await store.setIdentity({ user: 'u', device: 'd', secret: 's' });
  const { inbox, shown } = await inboxWith({ store });

  await inbox.syncOnce(serverWith([plainItem(1, { title: 'T' })]));

  assert.deepEqual(shown, [{ ...newMessage(1, { title: 'T' }), shown: false }]);
});

test('an expired message is neither stored nor shown, nor acknowledged: nobody has it but the server', async () => {
  const { inbox, store, ids } = await inboxWith();
  const server = serverWith([
    sealedItem(1, keys, { expires: NOW / 1000 }),
    sealedItem(2, keys, { expires: NOW / 1000 + 1 }),
    sealedItem(3, keys, { expires: NOW / 1000 - 100 }),
  ]);

  await inbox.syncOnce(server);

  assert.deepEqual(ids(), [2]);
  assert.deepEqual(
    (await store.list()).map(({ id }) => id),
    [2],
  );
  assert.deepEqual(server.story, ['sync 0', 'acknowledge 2']);
});

test('removes what has expired and says when the next one does', async () => {
  let now = NOW;
  const { inbox, store } = await inboxWith({ now: () => now });
  const at = (seconds: number) => ({ expires: NOW / 1000 + seconds });
  await store.add([newMessage(1, at(10)), newMessage(2, at(30)), newMessage(3, at(20)), newMessage(4)]);

  now += 10_000;
  const next = await inbox.removeExpired();
  assert.deepEqual([next, (await store.list()).map(({ id }) => id)], [NOW / 1000 + 20, [2, 3, 4]]);

  now += 60_000;
  assert.equal(await inbox.removeExpired(), undefined);
  assert.deepEqual(
    (await store.list()).map(({ id }) => id),
    [4],
  );
});

test('pages that never end are an error, not a loop', async () => {
  const { inbox } = await inboxWith();
  const server = serverWith([]);
  const page = (messages: unknown[]) => async () => ({ messages, user: {}, device: {}, more: true });

  await assert.rejects(inbox.syncOnce({ ...server, sync: page([]) }), { name: 'ProtocolError' });
  await assert.rejects(inbox.syncOnce({ ...server, sync: page([sealedItem(5, keys)]) }), {
    name: 'ProtocolError',
  });
});

test('showing does not wait for the acknowledgement', async () => {
  const { inbox, ids } = await inboxWith();
  let acknowledge = () => {};
  const server = {
    ...serverWith([sealedItem(1, keys)]),
    acknowledge: () =>
      new Promise<void>((resolve) => {
        acknowledge = resolve;
      }),
  };

  const synced = inbox.syncOnce(server);
  await settle();

  assert.deepEqual(ids(), [1]);
  acknowledge();
  await synced;
});

test('says that a device has to be registered first', async () => {
  const inbox = createInbox({ store: createMemoryStore(), onMessage: () => {} });

  await assert.rejects(inbox.syncOnce(serverWith([])), { name: 'StoreError', message: /not registered/ });
});
