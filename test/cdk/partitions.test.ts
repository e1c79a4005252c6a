import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { PARTITIONS, type Partition } from '../../cdk/partitions.ts';
import * as directory from '../../lib/accounts/directory.ts';
import { canonicalEmail } from '../../lib/accounts/email.ts';
import { randomDeviceId, randomKey } from '../../lib/accounts/keys.ts';
import { chunkKey, entryKey } from '../../lib/history/entry.ts';
import { acknowledgedKey } from '../../lib/mailbox/traces.ts';
import { randomCharacters } from '../../lib/protocol/characters.ts';
import { matchesWildcard } from '../../local/iam/match.ts';

const user = randomKey('u');
const hash = randomCharacters(43);
const someone = canonicalEmail('someone@example.org')!;
const OF_DIRECTORY: Record<string, { pk: string }> = {
  logins: directory.accountKey(someone),
  listed: directory.listedKey(1, someone),
  accounts: directory.sessionKey(user, hash),
  tokens: directory.tokenKey(hash),
  groups: directory.memberKey(randomKey('g'), user, undefined),
  receipts: directory.receiptKey(randomKey('r')),
  recipients: directory.recipientsKey(randomKey('r'), 'all'),
  deliveries: directory.deliveredKey(randomKey('r')),
  tags: directory.tagKey({ owner: user, id: 1 }, 'tag', randomKey('r')),
  ownReceipts: directory.receiptOfOwnerKey(user, randomKey('r')),
  invitations: directory.invitationKey(hash),
  madeInvitations: directory.madeInvitationKey(hash),
  connections: directory.connectionKey(randomDeviceId()),
  throttles: directory.countKey('login', hash, 1),
};
const OF_MAILBOX: Record<string, { pk: string }> = {
  devices: { pk: randomDeviceId() },
  attachments: { pk: `attachment#${randomCharacters(30)}` },
  jobs: { pk: `jobs#${randomUUID()}` },
  claims: { pk: `once#${user}#1#${hash}` },
  acknowledgements: acknowledgedKey({ device: randomDeviceId(), id: 1 }),
  sent: entryKey(user, 1),
  reached: chunkKey(randomUUID(), 1),
};

for (const [table, keys] of Object.entries({ Directory: OF_DIRECTORY, Mailbox: OF_MAILBOX })) {
  test(`a grant on one kind of item of the ${table} is none on another`, () => {
    for (const [kind, { pk }] of Object.entries(keys)) {
      const matching = Object.keys(keys).filter((name) => matchesWildcard(PARTITIONS[name as Partition], pk));

      assert.deepEqual(matching, [kind]);
    }
  });
}

test('each kind of item has its partitions', () => {
  const kinds = Object.keys({ ...OF_DIRECTORY, ...OF_MAILBOX });

  assert.deepEqual(Object.keys(PARTITIONS).sort(), kinds.sort());
});
