/** Accounts: making, listing, showing, deleting and exporting them; their passwords and quotas. */

import { readAccount } from '../../lib/accounts/account.ts';
import { type AccountPage, listAccounts } from '../../lib/accounts/account-index.ts';
import { Apps } from '../../lib/accounts/apps.ts';
import { DeviceRegistry } from '../../lib/accounts/device-registry.ts';
import { deviceView } from '../../lib/accounts/device-view.ts';
import { AccountExport, type ExportPiece } from '../../lib/accounts/export.ts';
import { AccountRemoval, type Removal } from '../../lib/accounts/removal.ts';
import { Attachments } from '../../lib/attachments/attachments.ts';
import { Groups } from '../../lib/groups/groups.ts';
import { listSounds } from '../../lib/media/custom-sounds.ts';
import { allowanceOf } from '../../lib/messages/quota.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { Refusal } from '../../lib/refusal.ts';
import { attachmentsBucket, limit, table, variable } from '../environment.ts';
import { accounts, clock, directory, sessions, userOf } from './context.ts';
import { WORK_MS } from './work.ts';

/** Clients read the number into 32 bits. */
const MOST_QUOTA = 2 ** 31 - 1;

const mailbox = table('MAILBOX_TABLE');
const apps = new Apps(directory, clock);
const quota = limit('QUOTA');
const removal = new AccountRemoval({
  directory,
  mailbox,
  sessions,
  attachments: new Attachments(mailbox, attachmentsBucket(), clock),
  media,
  clock,
});
const exporter = new AccountExport({ directory, mailbox, sessions, clock });

/** An account at a glance. Times in Unix seconds. */
export interface AccountSummary {
  email: string;
  user: string;
  created_at: number;
  two_factor: boolean;
  deleting: boolean;
  devices: ReturnType<typeof deviceView>[];
  apps: { id: number; name: string }[];
  /** How many there are. */
  sessions: number;
  groups: number;
  sounds: number;
  quota: AccountQuota;
}

/** What an account may send in a month: users that its messages may reach. */
export interface AccountQuota {
  /** 0: no limit. */
  limit: number;
  /** Whether that is its own, and not what all have. */
  own: boolean;
  /** Absent without a limit. */
  remaining?: number;
}

export const ACCOUNT_COMMANDS = {
  'create-account': async ({ email, password }: { email: string; password: string }) => {
    const { id } = await accounts.create(String(email), String(password), '');
    return { id };
  },

  'reset-password': async ({
    email,
    password,
    twofa,
  }: {
    email: string;
    password: string;
    twofa: 'keep' | 'off';
  }) => ({
    id: await accounts.resetPassword(String(email), String(password), twofa === 'off' ? 'off' : 'keep'),
  }),

  'list-accounts': ({ after, size }: { after?: string | undefined; size?: number }): Promise<AccountPage> =>
    listAccounts(directory, after, size),

  'show-account': async ({ email }: { email: string }): Promise<AccountSummary> => {
    const account = await readAccount(directory, String(email));
    if (!account) throw new Refusal({ field: 'email', reason: 'has no account' });
    const { user, createdAt, twofaNonce, deleting } = account;
    const [{ devices }, ownApps, open, groups, sounds, allowed] = await Promise.all([
      new DeviceRegistry(directory, clock).list(user),
      apps.list(user),
      sessions.list(user, ''),
      new Groups(directory, clock).keysOf(user),
      listSounds(directory, user),
      quotaOf(user),
    ]);
    return {
      email: account.email,
      user,
      created_at: createdAt,
      two_factor: twofaNonce !== undefined,
      deleting: deleting !== undefined,
      devices: devices.map(deviceView),
      apps: ownApps.map(({ id, name }) => ({ id, name })),
      sessions: open.length,
      groups: groups.length,
      sounds: sounds.length,
      quota: allowed,
    };
  },

  'delete-account': ({ email }: { email: string }): Promise<Removal> =>
    removal.remove(String(email), clock() + WORK_MS),

  'export-account': ({
    email,
    cursor,
  }: {
    email: string;
    cursor?: string | undefined;
  }): Promise<ExportPiece> => exporter.piece(String(email), cursor),

  'show-quota': async ({ email }: { email: string }) => ({ quota: await quotaOf(await userOf(email)) }),

  'set-quota': async ({ email, quota: given }: { email: string; quota: number | 'default' }) => {
    const user = await userOf(email);
    await apps.setQuota(user, given === 'default' ? undefined : checkQuota(given));
    return { quota: await quotaOf(user) };
  },
};

async function quotaOf(user: string): Promise<AccountQuota> {
  const own = await apps.quotaOf(user);
  const allowance = await allowanceOf(directory, user, clock(), own ?? quota);
  return {
    limit: own ?? quota,
    own: own !== undefined,
    ...(allowance && { remaining: allowance.remaining }),
  };
}

/** @throws Refusal naming `quota` */
function checkQuota(given: number): number {
  if (Number.isInteger(given) && given >= 0 && given <= MOST_QUOTA) return given;
  throw new Refusal({ field: 'quota', reason: `must be a whole number from 0 (no limit) to ${MOST_QUOTA}` });
}

/** Its client is loaded for who deletes an account that has sounds. */
async function media() {
  const [{ S3Client }, { MediaBucket }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('../../lib/media/bucket.ts'),
  ]);
  return new MediaBucket(awsClient('s3', S3Client), variable('MEDIA_BUCKET'));
}
