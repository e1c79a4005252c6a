import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { openFileStore } from '../../lib/device/file-store.ts';
import { createMemoryStore } from '../../lib/device/memory-store.ts';
import type { NewMessage } from '../../lib/device/message.ts';
import type { DeviceStore } from '../../lib/device/store.ts';
import { identityOf, newMessage } from './builders.ts';

const unreadable = (id: number): NewMessage => ({
  kind: 'unreadable',
  id,
  reason: 'version',
  kept: { sealed: 'AAAA' },
});

const STORES: Record<string, (t: TestContext) => Promise<DeviceStore>> = {
  memory: async () => createMemoryStore(),
  file: async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'peal-store-'));
    const store = await openFileStore(folder);
    t.after(async () => {
      await store.close();
      await rm(folder, { recursive: true });
    });
    return store;
  },
};

for (const [name, open] of Object.entries(STORES)) {
  suite(`a store in ${name}`, () => {
    test('lists what was added by ascending id, not shown yet', async (t) => {
      const store = await open(t);

      await store.add([newMessage(3), unreadable(1)]);
      await store.add([newMessage(2)]);

      assert.deepEqual(await store.list(), [
        { ...unreadable(1), shown: false },
        { ...newMessage(2), shown: false },
        { ...newMessage(3), shown: false },
      ]);
      assert.equal(await store.highest(), 3);
    });

    test('adding again changes nothing', async (t) => {
      const store = await open(t);
      await store.add([newMessage(1)]);
      await store.markShown([1]);

      await store.add([newMessage(1, { message: 'another text' }), newMessage(2)]);

      assert.deepEqual(await store.list(), [
        { ...newMessage(1), shown: true },
        { ...newMessage(2), shown: false },
      ]);
    });

    test('a readable copy takes the place of an unreadable one, and is to be shown', async (t) => {
      const store = await open(t);
      await store.add([unreadable(1)]);
      await store.markShown([1]);

      await store.add([newMessage(1)]);
      await store.add([unreadable(1)]);

      assert.deepEqual(await store.unshown(), [{ ...newMessage(1), shown: false }]);
    });

    test('of two copies in one batch the readable one stays', async (t) => {
      const store = await open(t);

      await store.add([newMessage(1), unreadable(1), unreadable(2), newMessage(2)]);

      assert.deepEqual(await store.list(), [
        { ...newMessage(1), shown: false },
        { ...newMessage(2), shown: false },
      ]);
    });

    test('says what cannot be read, and what expires when', async (t) => {
      const store = await open(t);

      await store.add([newMessage(1), newMessage(2, { expires: 2000 }), unreadable(3)]);

      assert.deepEqual(await store.unreadable(), [{ ...unreadable(3), shown: false }]);
      assert.deepEqual(await store.expiring(), [{ id: 2, expires: 2000 }]);
    });

    test('marks as shown only what is named and there', async (t) => {
      const store = await open(t);
      await store.add([newMessage(1), newMessage(2)]);

      await store.markShown([2, 99]);

      assert.deepEqual(
        (await store.unshown()).map(({ id }) => id),
        [1],
      );
      assert.equal(await store.has(99), false);
    });

    test('what was removed stays away when it comes again', async (t) => {
      const store = await open(t);
      await store.add([newMessage(1), newMessage(2)]);

      await store.remove([2]);
      await store.add([newMessage(2)]);

      assert.deepEqual(
        (await store.list()).map(({ id }) => id),
        [1],
      );
      assert.equal(await store.has(2), true);
      assert.equal(await store.highest(), 2);
    });

    test('keeps an attachment beside its message until the message is removed', async (t) => {
      const store = await open(t);
      const attachment = { id: 'a', key: 'k', type: 'image/png', size: 3 };
      await store.add([newMessage(1, { attachment }), newMessage(2, { attachment })]);

      await store.setAttachment(1, Uint8Array.of(1, 2, 3));
      await store.setAttachment(1, 'gone');
      await store.setAttachment(2, 'gone');
      await store.setAttachment(3, Uint8Array.of(4));

      const states = (await store.list()).map((message) => message.attachment);
      const kept = await Promise.all([1, 2, 3].map((id) => store.attachment(id)));
      await store.remove([1]);
      assert.deepEqual(states, ['stored', 'gone']);
      assert.deepEqual(kept, [Uint8Array.of(1, 2, 3), undefined, undefined]);
      assert.equal(await store.attachment(1), undefined);
    });

    test('keeps and forgets who the device is', async (t) => {
      const store = await open(t);
      const identity = identityOf();
      assert.equal(await store.identity(), undefined);

      await store.setIdentity(identity);
      assert.deepEqual(await store.identity(), identity);

      await store.setIdentity(undefined);
      assert.equal(await store.identity(), undefined);
    });

    test('an empty store has no highest id', async (t) => {
      const store = await open(t);

      assert.equal(await store.highest(), undefined);
      assert.equal(await store.has(1), false);
      assert.deepEqual(await store.unshown(), []);
    });
  });
}
