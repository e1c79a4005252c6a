import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { openFileStore } from '../../lib/device/file-store.ts';
import { identityOf, newMessage } from './builders.ts';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peal-file-store-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Fills a store, and closes it. */
async function filled(t: TestContext, count: number): Promise<string> {
  const folder = await folderFor(t);
  const store = await openFileStore(folder);
  for (let id = 1; id <= count; id++) await store.add([newMessage(id, { message: `text ${id} äöü 🔔` })]);
  await store.close();
  return folder;
}

async function idsIn(folder: string): Promise<number[]> {
  const store = await openFileStore(folder);
  const ids = (await store.list()).map(({ id }) => id);
  await store.close();
  return ids;
}

test('a store that is opened again has everything: messages, what was shown and removed, identity', async (t) => {
  const folder = await folderFor(t);
  const before = await openFileStore(folder);
  const identity = identityOf();
  await before.setIdentity(identity);
  await before.add([newMessage(1), newMessage(2), newMessage(3)]);
  await before.markShown([1]);
  await before.remove([3]);
  await before.close();

  const after = await openFileStore(folder);

  assert.deepEqual(await after.identity(), identity);
  assert.deepEqual(await after.list(), [
    { ...newMessage(1), shown: true },
    { ...newMessage(2), shown: false },
  ]);
  assert.equal(await after.has(3), true);
  await after.close();
});

test('a journal cut off at any byte has what was whole, and takes more', async (t) => {
  const folder = await filled(t, 3);
  const path = join(folder, 'messages.jsonl');
  const journal = await readFile(path);

  for (let length = 0; length <= journal.length; length += 7) {
    await writeFile(path, journal.subarray(0, length));
    const whole = journal.subarray(0, length).toString('latin1').split('\n').length - 1;
    const store = await openFileStore(folder);
    await store.add([newMessage(9)]);
    await store.close();

    assert.deepEqual(await idsIn(folder), [...[1, 2, 3].slice(0, whole), 9], `cut at ${length}`);
  }
});

test('an end of zeros, as a power cut leaves it, is cut off', async (t) => {
  const folder = await filled(t, 2);
  const path = join(folder, 'messages.jsonl');

  await truncate(path, (await stat(path)).size + 100);

  assert.deepEqual(await idsIn(folder), [1, 2]);
});

test('damage in the middle is not taken for an end: nothing after it is dropped in silence', async (t) => {
  const folder = await filled(t, 3);
  const path = join(folder, 'messages.jsonl');
  const lines = (await readFile(path, 'utf8')).split('\n');
  const damaged = lines.with(1, 'garbage').join('\n');
  await writeFile(path, damaged);

  await assert.rejects(openFileStore(folder), { name: 'StoreError', message: /line 2 is damaged/ });
  assert.equal(await readFile(path, 'utf8'), damaged);
});

test('what was stored when the process is killed is there', async (t) => {
  const folder = await folderFor(t);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'add-until-killed.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stored = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    stored = Number(line);
    if (stored === 20) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');

  const ids = await idsIn(folder);

  assert.ok(ids.length >= stored && stored >= 20, `${ids.length} of ${stored}`);
  assert.deepEqual(
    ids,
    Array.from({ length: ids.length }, (_, i) => i + 1),
  );
});

test('only the owner may read it', async (t) => {
  const folder = join(await folderFor(t), 'made', 'by', 'it');
  const store = await openFileStore(folder);
  await store.setIdentity(identityOf());
  await store.add([newMessage(1)]);

  const mode = async (name: string) => (await stat(join(folder, name))).mode & 0o777;

  assert.equal(await mode('.'), 0o700);
  assert.equal(await mode('identity.json'), 0o600);
  assert.equal(await mode('messages.jsonl'), 0o600);
  await store.close();
});

test('only one may have it open, and a lock left by a dead process is no obstacle', async (t) => {
  const folder = await folderFor(t);
  const first = await openFileStore(folder);
  await assert.rejects(openFileStore(folder), { name: 'StoreError', message: /in use by process/ });
  await first.close();

  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  await writeFile(join(folder, 'lock'), `${child.pid}\n`);

  await (await openFileStore(folder)).close();
});

test('a lock that a running process holds is respected', async (t) => {
  const folder = await folderFor(t);
  await writeFile(join(folder, 'lock'), `${process.ppid}\n`);

  await assert.rejects(openFileStore(folder), { name: 'StoreError', message: /in use by process/ });
});

test('the journal does not grow with what was removed', async (t) => {
  const folder = await folderFor(t);
  let now = 1_700_000_000_000;
  const store = await openFileStore(folder, { now: () => now });
  await store.setIdentity(identityOf());
  const batch = Array.from({ length: 100 }, (_, i) => newMessage(i + 1));
  await store.add(batch);
  await store.remove(batch.map(({ id }) => id));

  now += 31 * 86_400_000;
  await store.add([newMessage(500), newMessage(501)]);
  await Promise.all(Array.from({ length: 1100 }, () => store.markShown([500])));
  await store.remove([501]);
  await store.close();

  const lines = (await readFile(join(folder, 'messages.jsonl'), 'utf8')).split('\n').length;
  assert.ok(lines < 200, `${lines} lines`);
  const again = await openFileStore(folder, { now: () => now });
  assert.deepEqual(await again.list(), [{ ...newMessage(500), shown: true }]);
  assert.equal(await again.highest(), 501);
  assert.equal(await again.has(1), false);
  await again.close();
});

test('a damaged identity says what to do', async (t) => {
  const folder = await folderFor(t);
  const store = await openFileStore(folder);

  for (const text of [
    '',
    '{',
    '[]',
    '{"user":"u"}',
    '{"user":"u","device":"d","secret":"s","secret_key":"AAAA"}',
  ]) {
    await writeFile(join(folder, 'identity.json'), text);
    await assert.rejects(store.identity(), { name: 'StoreError', message: /log in again/ });
  }
  await store.close();
});

test('attachments survive the end of the process; a file that the journal does not know of is deleted', async (t) => {
  const folder = await folderFor(t);
  const before = await openFileStore(folder);
  const attachment = { id: 'a', key: 'k', type: 'image/png', size: 3 };
  const odd = { ...attachment, type: '../../etc' };
  await before.add([
    newMessage(1, { attachment }),
    newMessage(2, { attachment: odd }),
    newMessage(3, { attachment }),
  ]);
  await before.setAttachment(1, Uint8Array.of(1, 2, 3));
  await before.setAttachment(2, Uint8Array.of(4));
  await before.setAttachment(3, 'given-up');
  await before.close();
  await writeFile(join(folder, 'attachments', '4.png'), 'cut off');

  const after = await openFileStore(folder);

  const states = (await after.list()).map((message) => message.attachment);
  const paths = [1, 2, 3, 4].map((id) => after.attachmentPath(id));
  const bytes = await after.attachment(1);
  await after.close();
  assert.deepEqual(states, ['stored', 'stored', 'given-up']);
  assert.deepEqual(paths, [
    join(folder, 'attachments', '1.png'),
    join(folder, 'attachments', '2.bin'),
    undefined,
    undefined,
  ]);
  assert.deepEqual(bytes, Uint8Array.of(1, 2, 3));
  assert.deepEqual((await readdir(join(folder, 'attachments'))).sort(), ['1.png', '2.bin']);
});
