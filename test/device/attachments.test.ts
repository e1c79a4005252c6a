import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealImage, seedOf } from '../../lib/attachments/seal.ts';
import type { FetchedAttachment } from '../../lib/device/api.ts';
import { NetworkError, PealError } from '../../lib/device/errors.ts';
import { createInbox, type InboxApi } from '../../lib/device/inbox.ts';
import { createKeyPair } from '../../lib/device/keys.ts';
import { createMemoryStore } from '../../lib/device/memory-store.ts';
import type { StoredMessage } from '../../lib/device/store.ts';
import { imageOf } from '../support/images.ts';
import { identityOf, plainItem, sealedItem } from './builders.ts';

const keys = createKeyPair();
const image = { type: 'image/png' as const, bytes: imageOf('image/png', 400) };
const { ref, object } = sealImage(image, seedOf(image));

const withImage = (id: number) => sealedItem(id, keys, { attachment: ref });
const offline = () =>
  Promise.reject(new NetworkError('download: no connection', { timedOut: false, cause: 0 }));
const answered = (status: number) => () => Promise.reject(new PealError({ status, errors: [], fields: {} }));

interface World {
  items?: { id: number }[];
  pageSize?: number;
  fetch?: (id: number) => Promise<FetchedAttachment>;
}

/** A device, and a server that has these items and gives attachments as it is told. */
async function deviceWith({ items = [withImage(1)], pageSize = 100, ...world }: World = {}) {
  const mailbox = new Map(items.map((item) => [item.id, item]));
  const story: string[] = [];
  const server: InboxApi & { fetch: NonNullable<World['fetch']> } = {
    fetch: world.fetch ?? (async () => ({ bytes: object, sealed: true })),
    async sync(_device, after = 0) {
      const found = [...mailbox.values()].filter(({ id }) => id > after);
      return { messages: found.slice(0, pageSize), user: {}, device: {}, more: found.length > pageSize };
    },
    async acknowledge(_device, ids) {
      story.push(`acknowledge ${ids}`);
      for (const id of ids) mailbox.delete(id);
    },
    async fetchAttachment(_device, id) {
      story.push(`fetch ${id}`);
      return server.fetch(id);
    },
    async reportAttachment(_device, id) {
      story.push(`report ${id}`);
    },
  };
  const store = createMemoryStore();
  await store.setIdentity(identityOf(keys));
  const shown: StoredMessage[] = [];
  const errors: Error[] = [];
  const late: (string | undefined)[] = [];
  const inbox = createInbox({
    store,
    onAttachment: ({ attachment }) => void late.push(attachment),
    onMessage: (message) => void shown.push(message),
    onError: (error) => void errors.push(error),
  });
  const states = async () => (await store.list()).map(({ attachment }) => attachment);
  return { server, store, story, shown, late, errors, inbox, states, sync: () => inbox.syncOnce(server) };
}

test('stores the attachment, reports it, and only then acknowledges its message, which is shown with it', async () => {
  const { sync, story, shown, store } = await deviceWith();

  await sync();

  assert.deepEqual(story, ['fetch 1', 'report 1', 'acknowledge 1']);
  assert.equal(shown[0]?.attachment, 'stored');
  assert.deepEqual(Buffer.from((await store.attachment(1))!), image.bytes);
});

test('a device without a key takes it as it comes', async () => {
  const items = [plainItem(1, { attachment: { type: ref.type, size: ref.size } })];
  const { sync, store } = await deviceWith({
    items,
    fetch: async () => ({ bytes: image.bytes, sealed: false }),
  });

  await sync();

  assert.deepEqual(Buffer.from((await store.attachment(1))!), image.bytes);
});

test('one that cannot be fetched now holds back its own message alone, which is shown', async () => {
  const items = [sealedItem(1, keys), withImage(2), sealedItem(3, keys), withImage(4)];
  const { sync, story, shown, states, server } = await deviceWith({ items, pageSize: 3, fetch: offline });

  await assert.rejects(sync(), /no connection/);
  const first = story.splice(0);
  server.fetch = async () => ({ bytes: object, sealed: true });
  await sync();

  assert.deepEqual(first, ['fetch 2', 'acknowledge 1,3', 'fetch 4']);
  // Both are opened side by side: whichever is ready first is reported first.
  assert.deepEqual(story.slice(0, 2), ['fetch 2', 'fetch 4']);
  assert.deepEqual(story.slice(2, -1).sort(), ['report 2', 'report 4']);
  assert.equal(story.at(-1), 'acknowledge 2,4');
  assert.deepEqual(
    shown.map(({ id }) => id),
    [1, 2, 3, 4],
  );
  assert.deepEqual(await states(), [undefined, 'stored', undefined, 'stored']);
});

test('after some tries it is given up, and noted, and the acknowledgement goes on', async () => {
  const { sync, story, states } = await deviceWith({ fetch: answered(500) });

  for (let n = 1; n < 8; n++) await assert.rejects(sync(), PealError);
  const before = await states();
  await sync();

  assert.deepEqual(before, [undefined]);
  assert.deepEqual(await states(), ['given-up']);
  assert.deepEqual(story.slice(-2), ['fetch 1', 'acknowledge 1']);
});

for (const status of [404, 410]) {
  test(`${status} says that it is gone: noted, not reported, not tried again`, async () => {
    const { sync, story, states } = await deviceWith({ fetch: answered(status) });

    await sync();

    assert.deepEqual(await states(), ['gone']);
    assert.deepEqual(story, ['fetch 1', 'acknowledge 1']);
  });
}

test('what is not what the message says is noted as damaged', async () => {
  const fetched: FetchedAttachment[] = [
    { bytes: object.subarray(1), sealed: true },
    { bytes: image.bytes, sealed: false },
    { sealed: true },
  ];

  for (const one of fetched) {
    const { sync, states, story } = await deviceWith({ fetch: async () => one });
    await sync();

    assert.deepEqual(await states(), ['damaged']);
    assert.deepEqual(story, ['fetch 1', 'acknowledge 1']);
  }
});

test('a report that fails stops nothing, since the acknowledgement is one', async () => {
  const { sync, story, errors, server } = await deviceWith();
  server.reportAttachment = answered(500);

  await sync();

  assert.deepEqual(story, ['fetch 1', 'acknowledge 1']);
  assert.equal(errors.length, 1);
});

test('what is stored is not fetched again when the message comes again', async () => {
  const { sync, story, server } = await deviceWith();
  const { acknowledge } = server;
  server.acknowledge = offline;
  await assert.rejects(sync(), NetworkError);
  server.acknowledge = acknowledge;

  await sync();

  assert.deepEqual(story, ['fetch 1', 'report 1', 'acknowledge 1']);
});

test('a device that is signed out does not try on', async () => {
  const { sync, story, states } = await deviceWith({ fetch: answered(403) });

  await assert.rejects(sync(), PealError);

  assert.deepEqual(story, ['fetch 1']);
  assert.deepEqual(await states(), [undefined]);
});

test('what was shown by a push gets its attachment with the sync, which is told', async () => {
  const item = withImage(1);
  const { inbox, sync, shown, late } = await deviceWith({ items: [item] });

  await inbox.receivePush({ peal: 1, id: '1', sealed: item.sealed });
  await sync();
  await sync();

  assert.deepEqual(
    shown.map(({ attachment }) => attachment),
    [undefined],
  );
  assert.deepEqual(late, ['stored']);
});

test('a message waits five seconds for its image, and is shown without it then', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fetching = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<FetchedAttachment>();
  const {
    sync,
    shown,
    states,
    late: told,
  } = await deviceWith({
    fetch: () => {
      fetching.resolve();
      return arrived.promise;
    },
  });

  const done = sync();
  await fetching.promise;
  const early = shown.length;
  t.mock.timers.tick(5000);
  await new Promise(setImmediate);
  const late = shown.map(({ attachment }) => attachment);
  arrived.resolve({ bytes: object, sealed: true });
  await done;

  assert.equal(early, 0);
  assert.deepEqual(late, [undefined]);
  assert.deepEqual(await states(), ['stored']);
  assert.deepEqual(told, ['stored']);
});
