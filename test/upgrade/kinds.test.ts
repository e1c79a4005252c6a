/** The steps between versions of items, on what each version has written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT } from '../../lib/accounts/account.ts';
import { TOKEN } from '../../lib/accounts/apps.ts';
import { SESSION } from '../../lib/accounts/sessions.ts';
import { type Kind, newest } from '../../lib/storage/schema.ts';
import { type OldItems, oldItems } from './old-items.ts';

/** A string or a number of an item on the wire. */
function plain(item: OldItems['Directory'][number]): Record<string, unknown> {
  const entries = Object.entries(item).map(([name, { S, N }]) => [name, N === undefined ? S : Number(N)]);
  return Object.fromEntries(entries);
}

/** Items of a kind, by what their keys begin with. */
const VERSION_0: [kind: Kind, pk: string, sk: string, added: (item: Record<string, unknown>) => object][] = [
  [ACCOUNT, 'email#', 'account', () => ({})],
  [SESSION, 'user#', 'session#', ({ createdAt }) => ({ seenAt: createdAt })],
  // The icon of a token's item was written from the start.
  [TOKEN, 'token#', 'app', () => ({})],
];

for (const [kind, pk, sk, added] of VERSION_0) {
  test(`what version 0 wrote becomes version 1, and loses nothing: ${kind.name}`, () => {
    const items = oldItems(0)
      .Directory.map(plain)
      .filter((item) => String(item.pk).startsWith(pk) && String(item.sk).startsWith(sk));

    const migrated = items.map((item) => newest(kind, item));

    assert.ok(items.length > 0);
    assert.deepEqual(
      migrated,
      items.map((item) => ({ ...item, ...added(item), v: 1 })),
    );
  });
}

test('an icon that was chosen in version 0 stays', () => {
  const item = { id: 1, name: 'App', icon: 'f'.repeat(32), iconVersion: 3 };

  assert.deepEqual(newest(TOKEN, item), { ...item, v: 1 });
});
