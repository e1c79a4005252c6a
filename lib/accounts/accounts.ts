import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { versioned } from '../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { ACCOUNT } from './account.ts';
import { enlist } from './account-index.ts';
import { checkNewCredentials, checkNewPassword } from './credentials.ts';
import { createDeviceList } from './device-registry.ts';
import { accountKey } from './directory.ts';
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
   * The address is noted for the operator's list before it is claimed, so that no account is ever missing there. What
   * dies after it is claimed leaves an account that can log in; its list of devices is then made by the
   * first registration.
   *
   * @throws Refusal naming `email` or `password`
   */
  async create(email: string, password: string, name: string): Promise<Login> {
    checkNewCredentials(email, password);
    const user = randomKey('u');
    const Item = versioned(ACCOUNT, {
      ...accountKey(email),
      user,
      password: await hashPassword(password),
      createdAt: seconds(this.#clock),
      listed: true,
    });
    await enlist(this.#table, email);
    try {
      const ConditionExpression = 'attribute_not_exists(pk)';
      await this.#table.client.send(
        new PutCommand({ TableName: this.#table.name, Item, ConditionExpression }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      throw new Refusal({ field: 'email', reason: 'has already been taken' });
    }
    await createDeviceList(this.#table, user);
    return { id: user, secret: await this.#sessions.open(user, email, name) };
  }

  /**
   * Sets a password and ends all sessions: for the operator, whose account's owner has lost the password or has been
   * robbed of it. Repeating it is harmless, and completes what died after the password was set.
   *
   * @param twofa `off` also takes the second factor away
   * @returns the user key
   * @throws Refusal naming `email` or `password`
   */
  async resetPassword(email: string, password: string, twofa: 'keep' | 'off'): Promise<string> {
    checkNewPassword(password);
    const removed = ['twofaPending', ...(twofa === 'off' ? ['twofaNonce', 'twofaStep', 'recovery'] : [])];
    try {
      const { Attributes } = await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: accountKey(email === '' ? '-' : email),
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
