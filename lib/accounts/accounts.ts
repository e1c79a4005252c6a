import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { beginGroups } from '../groups/groups.ts';
import { Refusal } from '../refusal.ts';
import { batchDelete } from '../storage/batches.ts';
import { versioned } from '../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { ACCOUNT, readAccount } from './account.ts';
import { enlist } from './account-index.ts';
import { beginApps } from './apps.ts';
import { checkNewCredentials, checkNewPassword } from './credentials.ts';
import { beginDevices } from './device-registry.ts';
import { accountKey, appsKey, devicesKey, groupsKey } from './directory.ts';
import { canonicalEmail, NO_EMAIL } from './email.ts';
import { Invitations } from './invitations.ts';
import { randomKey } from './keys.ts';
import { hashPassword } from './passwords.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { SignUpMode } from './sign-up-mode.ts';

/** What login and sign-up give: the user key, and the secret of a session of its own. */
export interface Login {
  id: string;
  secret: string;
}

/** Who signs up. */
export interface NewAccount {
  email: string;
  password: string;
  invitation?: string | undefined;
  /** Of the session. */
  name: string;
}

/** The refusal of an address that has an account. */
export class AddressTaken extends Refusal {
  constructor() {
    super({ field: 'email', reason: 'has already been taken' });
  }
}

/** Accounts. All state is in the Directory table. */
export class Accounts {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #sessions: SessionRegistry;
  readonly #invitations: Invitations;

  constructor(table: Table, clock: Clock, sessions: SessionRegistry) {
    this.#table = table;
    this.#clock = clock;
    this.#sessions = sessions;
    this.#invitations = new Invitations(table, clock);
  }

  /**
   * Creates an account and its first session.
   *
   * One conditional write claims the address, so of two concurrent sign-ups one wins. An invitation is redeemed
   * before that and is lost if the address then turns out to be taken, or if the process dies in between: a code is
   * never good for two accounts, and the operator can make another.
   *
   * @throws Refusal naming `email`, `password` or `invitation`
   */
  async signUp({ email, password, invitation, name }: NewAccount, mode: SignUpMode): Promise<Login> {
    checkNewCredentials(email, password);
    if (mode === 'invitation') await this.#invitations.redeem(invitation);
    return this.create(email, password, name);
  }

  /**
   * Creates an account regardless of the sign-up mode: for the operator.
   *
   * The address is noted for the operator's list before it is claimed, so that no account is ever missing there, and so
   * are the lists of what the account owns begun, without which it could do nothing. What dies before the claim leaves
   * lists of nobody, which nothing leads to.
   *
   * @throws Refusal naming `email` or `password`
   */
  async create(given: string, password: string, name: string): Promise<Login> {
    checkNewCredentials(given, password);
    const email = canonicalEmail(given)!;
    const user = randomKey('u');
    const Item = versioned(ACCOUNT, {
      ...accountKey(email),
      user,
      password: await hashPassword(password),
      createdAt: seconds(this.#clock),
      listed: true,
    });
    await beginLists(this.#table, user);
    await enlist(this.#table, email, user);
    try {
      const ConditionExpression = 'attribute_not_exists(pk)';
      await this.#table.client.send(
        new PutCommand({ TableName: this.#table.name, Item, ConditionExpression }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      // Unless it is our own write, whose answer was lost and which the SDK has repeated.
      if ((await readAccount(this.#table, email))?.user !== user) {
        await batchDelete(this.#table, [devicesKey(user), appsKey(user), groupsKey(user)]);
        throw new AddressTaken();
      }
    }
    return { id: user, secret: await this.#sessions.open(user, email, name) };
  }

  /**
   * Sets a password and ends all sessions: for the operator, whose account's owner has lost the password or has been
   * robbed of it. Repeating it is harmless, and completes what died after the password was set. A change of the password
   * that is under way has lost its turn, and is refused.
   *
   * @param twofa `off` also takes the second factor away
   * @returns the user key
   * @throws Refusal naming `email` or `password`
   */
  async resetPassword(email: string, password: string, twofa: 'keep' | 'off'): Promise<string> {
    checkNewPassword(password);
    const removed = [
      'twofaPending',
      'turn',
      ...(twofa === 'off' ? ['twofaNonce', 'twofaStep', 'recovery'] : []),
    ];
    try {
      const { Attributes } = await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: accountKey(canonicalEmail(email) ?? NO_EMAIL),
          UpdateExpression: `SET password = :password REMOVE ${removed.join(', ')}`,
          ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(deleting)',
          ExpressionAttributeValues: { ':password': await hashPassword(password) },
          ReturnValues: 'ALL_NEW',
        }),
      );
      const user = Attributes!.user as string;
      await this.#sessions.endAll(user);
      return user;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      throw new Refusal({ field: 'email', reason: 'has no account' });
    }
  }
}

/** Begins the lists of what a new account owns. Repeatable. */
export async function beginLists(table: Table, user: string): Promise<void> {
  await Promise.all([beginDevices(table, user), beginApps(table, user), beginGroups(table, user)]);
}
