import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { checkNewCredentials, checkNewPassword } from './credentials.ts';
import { createDeviceList } from './device-registry.ts';
import { accountKey, invitationKey } from './directory.ts';
import { hashSecret, randomCharacters, randomKey } from './keys.ts';
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

/** An invitation is good for a week and for one account. */
export const INVITATION_SECONDS = 7 * 24 * 3600;

/** Accounts, and the invitations to make one. All state is in the Directory table. */
export class Accounts {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #sessions: SessionRegistry;

  constructor(table: Table, clock: Clock, sessions: SessionRegistry) {
    this.#table = table;
    this.#clock = clock;
    this.#sessions = sessions;
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
    if (mode === 'invitation') await this.#redeem(invitation);
    return this.create(email, password, name);
  }

  /**
   * Creates an account regardless of the sign-up mode: for the operator.
   *
   * What dies after the address is claimed leaves an account that can log in; its list of devices is then made by the
   * first registration.
   *
   * @throws Refusal naming `email` or `password`
   */
  async create(email: string, password: string, name: string): Promise<Login> {
    checkNewCredentials(email, password);
    const user = randomKey('u');
    const Item = {
      ...accountKey(email),
      user,
      password: await hashPassword(password),
      createdAt: seconds(this.#clock),
    };
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
          ConditionExpression: 'attribute_exists(pk)',
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

  /** Makes an invitation: a code that lets one person sign up within a week. */
  async invite(): Promise<string> {
    const code = randomCharacters(24);
    const ttl = seconds(this.#clock) + INVITATION_SECONDS;
    const Item = { ...invitationKey(hashSecret(code)), ttl };
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item }));
    return code;
  }

  /** Uses up an invitation: the conditional delete lets exactly one caller have it. */
  async #redeem(code: string | undefined): Promise<void> {
    if (!code) throw new Refusal({ field: 'invitation', reason: 'is required to sign up on this server' });
    try {
      await this.#table.client.send(
        new DeleteCommand({
          TableName: this.#table.name,
          Key: invitationKey(hashSecret(code)),
          ConditionExpression: '#ttl > :now',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':now': seconds(this.#clock) },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      throw new Refusal({ field: 'invitation', reason: 'is invalid or has been used' });
    }
  }
}
