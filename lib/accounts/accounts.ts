import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { createDeviceList } from './device-registry.ts';
import { accountKey, invitationKey, sessionKey } from './directory.ts';
import { hashSecret, randomCharacters, randomKey, randomSecret } from './keys.ts';
import { hashPassword, MAX_PASSWORD, MIN_PASSWORD, verifyPassword } from './passwords.ts';

/** Who may create an account: anyone, holders of an invitation, or only the operator. */
export type SignUpMode = 'open' | 'invitation' | 'closed';

/** What login and sign-up give: the user key, and the secret of a session of its own. */
export interface Login {
  id: string;
  secret: string;
}

/** An invitation is good for a week and for one account. */
export const INVITATION_SECONDS = 7 * 24 * 3600;

/** Longest e-mail address (RFC 5321, 4.5.3.1.3, without the angle brackets). */
const MAX_EMAIL = 254;

/** Accounts, their passwords and the invitations to make one. All state is in the Directory table. */
export class Accounts {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Creates an account and its first session.
   *
   * One conditional write claims the address, so of two concurrent sign-ups one wins. An invitation is redeemed
   * before that and is lost if the address then turns out to be taken, or if the process dies in between: a code is
   * never good for two accounts, and the operator can make another.
   *
   * @throws Refusal when sign-up is not allowed, or naming `email`, `password` or `invitation`
   */
  async signUp(email: string, password: string, mode: SignUpMode, invitation?: string): Promise<Login> {
    if (mode === 'closed') {
      throw new Refusal(
        { field: 'email', reason: 'cannot sign up', sentence: 'sign-up is closed on this server' },
        403,
      );
    }
    checkCredentials(email, password);
    if (mode === 'invitation') await this.#redeem(invitation);
    return this.create(email, password);
  }

  /**
   * Creates an account regardless of the sign-up mode: for the operator.
   *
   * What dies after the address is claimed leaves an account that can log in; its list of devices is then made by the
   * first registration.
   *
   * @throws Refusal naming `email` or `password`
   */
  async create(email: string, password: string): Promise<Login> {
    checkCredentials(email, password);
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
    return { id: user, secret: await this.#openSession(user, email) };
  }

  /**
   * Opens a session. E-mail and password are case-sensitive (Pushover's rule), and the answer takes the same time
   * and says the same whether the address is unknown or the password wrong.
   *
   * @throws Refusal
   */
  async login(email: string, password: string): Promise<Login> {
    const tooLong = Buffer.byteLength(password) > MAX_PASSWORD;
    const found = await this.#table.client.send(
      new GetCommand({
        TableName: this.#table.name,
        Key: accountKey(email.slice(0, MAX_EMAIL) || '-'),
        ConsistentRead: true,
      }),
    );
    const correct = await verifyPassword(tooLong ? '' : password, found.Item?.password);
    if (!found.Item || !correct || tooLong) {
      throw new Refusal({
        field: 'email',
        reason: 'and/or password is invalid',
        sentence: 'e-mail and/or password is invalid',
      });
    }
    const user: string = found.Item.user;
    return { id: user, secret: await this.#openSession(user, email) };
  }

  /** Ends a session. Ending one that is gone is no error. */
  async logout(user: string, secret: string): Promise<void> {
    const Key = sessionKey(user, hashSecret(secret));
    await this.#table.client.send(new DeleteCommand({ TableName: this.#table.name, Key }));
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

  async #openSession(user: string, email: string): Promise<string> {
    const secret = randomSecret(user);
    const Item = { ...sessionKey(user, hashSecret(secret)), email, createdAt: seconds(this.#clock) };
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item }));
    return secret;
  }
}

function checkCredentials(email: string, password: string): void {
  const faults = [];
  if (!/^[^\s@]+@[^\s@]+$/.test(email) || email.length > MAX_EMAIL) {
    faults.push({ field: 'email', reason: 'is not a valid e-mail address' });
  }
  if ([...password].length < MIN_PASSWORD) {
    faults.push({ field: 'password', reason: `is too short (minimum is ${MIN_PASSWORD} characters)` });
  } else if (Buffer.byteLength(password) > MAX_PASSWORD) {
    faults.push({ field: 'password', reason: `is too long (maximum is ${MAX_PASSWORD} bytes)` });
  }
  if (faults.length > 0) throw new Refusal(faults);
}
