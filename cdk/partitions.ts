import * as directory from '../lib/accounts/directory.ts';
import type { Email } from '../lib/accounts/email.ts';
import { DEVICE_ID_LENGTH } from '../lib/accounts/keys.ts';
import { chunkKey, entryKey } from '../lib/history/entry.ts';
import { acknowledgedKey } from '../lib/mailbox/traces.ts';

/**
 * What partition keys of the tables are like, by what is in the partitions, as conditions of grants match them
 * (`dynamodb:LeadingKeys`). A condition cannot see sort keys, so a function that reads an account's sounds may read all
 * of the partition of that account; but one that stores receipts cannot store a session.
 */
export const PARTITIONS = {
  // Of the Directory.
  logins: directory.accountKey('*' as Email).pk,
  listed: directory.listedKey('*', '').pk,
  accounts: directory.devicesKey('*').pk,
  tokens: directory.tokenKey('*').pk,
  groups: directory.groupKey('*').pk,
  receipts: directory.receiptKey('*').pk,
  recipients: directory.recipientsKey('*', '*').pk,
  deliveries: directory.deliveredKey('*').pk,
  tags: 'tag#*',
  ownReceipts: directory.receiptOfOwnerKey('*', '').pk,
  invitations: directory.invitationKey('*').pk,
  madeInvitations: directory.madeInvitationKey('').pk,
  connections: directory.connectionKey('*').pk,
  throttles: 'throttle#*',
  // Of the Mailbox. A device's partition is its bare id, which is the only key of that length.
  devices: '?'.repeat(DEVICE_ID_LENGTH),
  attachments: 'attachment#*',
  jobs: 'jobs#*',
  claims: 'once#*',
  acknowledgements: acknowledgedKey({ device: '*', id: 0 }).pk,
  sent: entryKey('*', 0).pk,
  reached: chunkKey('*', '*').pk,
} as const;

export type Partition = keyof typeof PARTITIONS;
