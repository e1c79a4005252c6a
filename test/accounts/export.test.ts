import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT } from '../../lib/accounts/account.ts';
import { accountKey, sessionKey, userPartition } from '../../lib/accounts/directory.ts';
import { canonicalEmail } from '../../lib/accounts/email.ts';
import { AccountExport, type ExportPart } from '../../lib/accounts/export.ts';
import { SessionRegistry } from '../../lib/accounts/session-registry.ts';
import { SESSION } from '../../lib/accounts/sessions.ts';
import { ANSWER_BYTES } from '../../lib/http/weight.ts';
import { batchWrite } from '../../lib/storage/batches.ts';
import { versioned } from '../../lib/storage/schema.ts';
import type { Table } from '../../lib/storage/table.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();

/** Its devices and their messages are none. */
const mailbox = {
  client: { send: async () => ({ Items: [] }) } as unknown as Table['client'],
  name: 'Mailbox',
};

test('pieces of an export fit Lambda’s answer however much their content grows as JSON, and leave nothing out', async () => {
  const email = canonicalEmail('wide@example.org')!;
  const user = `u${'w'.repeat(29)}`;
  const account = versioned(ACCOUNT, { ...accountKey(email), user, password: 'x', createdAt: 1 });
  // A control character is a byte where it is stored, and six in JSON: a page of DynamoDB would be 6 MB.
  const note = '\u0001'.repeat(10_000);
  const names = Array.from({ length: 150 }, (_, n) => `a-wide#${String(n).padStart(3, '0')}`);
  // They come in the same piece, before it.
  const open = Array.from({ length: 900 }, (_, n) =>
    versioned(SESSION, {
      ...sessionKey(user, `hash${n}`),
      email,
      createdAt: 1,
      seenAt: 1,
      name: note.slice(0, 100),
    }),
  );
  await batchWrite(directory(), [
    { put: account },
    ...open.map((put) => ({ put })),
    ...names.map((sk) => ({ put: { pk: userPartition(user), sk, note } })),
  ]);
  const sessions = new SessionRegistry(directory(), Date.now, async () => {});
  const exporter = new AccountExport({ directory: directory(), mailbox, sessions, clock: Date.now });

  const pieces: ExportPart[][] = [];
  const bytes: number[] = [];
  let cursor: string | undefined;
  do {
    const piece = await exporter.piece(email, cursor);
    pieces.push(piece.parts);
    bytes.push(Buffer.byteLength(JSON.stringify(piece)));
    cursor = piece.next;
  } while (cursor !== undefined);

  const shown = pieces.flat().filter(({ section }) => section === 'other');
  assert.ok(Math.max(...bytes) < ANSWER_BYTES);
  assert.deepEqual(
    shown.flatMap(({ entries }) => entries.map((entry) => (entry as { item: string }).item)),
    names,
  );
});
