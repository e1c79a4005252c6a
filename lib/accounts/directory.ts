import type { Email } from './email.ts';

/**
 * Keys of the Directory table: who there is, and how they are reached. Partition key `pk`, sort key `sk`; `ttl` is
 * the attribute by which DynamoDB purges (late: every reader of an item that has one filters).
 *
 * | item                      | pk                   | sk                           |
 * | ------------------------- | -------------------- | ---------------------------- |
 * | account, by its address   | `email#<address>`    | `account`                    |
 * | that an address may have an account | `accounts#<shard>` | `<address>`           |
 * | all devices of an account | `user#<user key>`    | `devices`                    |
 * | all sounds of an account  | `user#<user key>`    | `sounds`                     |
 * | a session                 | `user#<user key>`    | `session#<hash>`             |
 * | all apps of an account    | `user#<user key>`    | `apps`                       |
 * | all groups of an account  | `user#<user key>`    | `groups`                     |
 * | an app, for sending       | `token#<hash>`       | `app`                        |
 * | a group                   | `group#<group key>`  | `group`                      |
 * | a member of a group       | `group#<group key>`  | `member#<user key>#<device>` |
 * | a membership, for its user | `user#<user key>`   | `member#<group key>#<device>` |
 * | a receipt                 | `receipt#<receipt>`  | `receipt`                    |
 * | recipients of a receipt   | `recipients#<receipt>#<shard>` | `recipients`       |
 * | when a receipt's message was delivered | `delivered#<receipt>` | `delivered`   |
 * | which record goes on with a chain of repetitions | `receipt#<receipt>` | `chain#<hash>` |
 * | an app's tagged receipt   | `tag#<owner>#<app id>#<tag>` | `receipt#<receipt>`  |
 * | a receipt, for its sender's account | `receipts#<user key>` | `receipt#<receipt>` |
 * | an invitation             | `invitation#<hash>`  | `invitation`                 |
 * | that there is an invitation | `invitations`      | `invitation#<hash>`          |
 * | a desktop's connection    | `device#<device id>` | `connection`                 |
 * | an account's month        | `user#<user key>`    | `quota#<year>-<month>`       |
 * | limits of an account's own | `user#<user key>`   | `limits`                     |
 * | a throttle's count        | `throttle#<name>#<hash>[#<spare>]` | `window#<number>` |
 * | an address known by an account | `throttle#known#<hash>` | `known`                |
 *
 * A member's device is its name in lower case, or nothing for all devices.
 */

export const userPartition = (user: string) => `user#${user}`;
export const accountKey = (email: Email) => ({ pk: `email#${email}`, sk: 'account' });
export const devicesKey = (user: string) => ({ pk: `user#${user}`, sk: 'devices' });
export const soundsKey = (user: string) => ({ pk: `user#${user}`, sk: 'sounds' });
export const sessionKey = (user: string, secretHash: string) => ({
  pk: `user#${user}`,
  sk: `session#${secretHash}`,
});
export const appsKey = (user: string) => ({ pk: `user#${user}`, sk: 'apps' });
export const tokenKey = (tokenHash: string) => ({ pk: `token#${tokenHash}`, sk: 'app' });
export const limitsKey = (user: string) => ({ pk: `user#${user}`, sk: 'limits' });
export const groupKey = (key: string) => ({ pk: `group#${key}`, sk: 'group' });
export const groupsKey = (user: string) => ({ pk: `user#${user}`, sk: 'groups' });
export const memberKey = (group: string, user: string, device: string | undefined) => ({
  pk: `group#${group}`,
  sk: `member#${user}#${(device ?? '').toLowerCase()}`,
});
export const membershipKey = (user: string, group: string, device: string | undefined) => ({
  pk: `user#${user}`,
  sk: `member#${group}#${(device ?? '').toLowerCase()}`,
});
export const invitationKey = (codeHash: string) => ({ pk: `invitation#${codeHash}`, sk: 'invitation' });
/** Where an address is listed. @param shard that it falls into */
export const listedKey = (shard: number | string, email: Email | '') => ({
  pk: `accounts#${shard}`,
  sk: email,
});
export const madeInvitationKey = (codeHash: string) => ({ pk: 'invitations', sk: `invitation#${codeHash}` });
export const connectionKey = (device: string) => ({ pk: `device#${device}`, sk: 'connection' });
export const quotaKey = (user: string, month: string) => ({ pk: `user#${user}`, sk: `quota#${month}` });
/** @param spare 0: the count itself */
export const countKey = (throttle: string, subjectHash: string, window: number, spare = 0) => ({
  pk: `throttle#${throttle}#${subjectHash}${spare === 0 ? '' : `#${spare}`}`,
  sk: `window#${window}`,
});
export const knownAddressKey = (subjectHash: string) => ({
  pk: `throttle#known#${subjectHash}`,
  sk: 'known',
});
export const receiptKey = (receipt: string) => ({ pk: `receipt#${receipt}`, sk: 'receipt' });
/** @param shard `all`, or a number */
export const recipientsKey = (receipt: string, shard: number | string) => ({
  pk: `recipients#${receipt}#${shard}`,
  sk: 'recipients',
});
export const deliveredKey = (receipt: string) => ({ pk: `delivered#${receipt}`, sk: 'delivered' });
export const chainKey = (receipt: string, line: string) => ({
  pk: `receipt#${receipt}`,
  sk: `chain#${line}`,
});
export const receiptOfOwnerKey = (owner: string, receipt: string) => ({
  pk: `receipts#${owner}`,
  sk: `receipt#${receipt}`,
});
export const tagKey = ({ owner, id }: { owner: string; id: number }, tag: string, receipt: string) => ({
  pk: `tag#${owner}#${id}#${tag}`,
  sk: `receipt#${receipt}`,
});
