import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { addressBlock } from '../net/address-block.ts';
import { Refusal } from '../refusal.ts';
import { type Clock, seconds, type Table } from '../storage/table.ts';
import { knownAddressKey } from './directory.ts';
import { hashSecret } from './keys.ts';
import type { Taken, ThrottleLog, ThrottleName, Throttles } from './throttles.ts';

/** For how long an account knows an address at which it logged in. Seconds. */
const KNOWN = 30 * 24 * 3600;

/** Decides whether an attempt to log in, or to prove who one is within a session, may be made: see `THROTTLES`. */
export class LoginGuard {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #throttles: Throttles;
  readonly #log: ThrottleLog;

  constructor(table: Table, clock: Clock, throttles: Throttles, log: ThrottleLog) {
    this.#table = table;
    this.#clock = clock;
    this.#throttles = throttles;
    this.#log = log;
  }

  /**
   * Counts an attempt to log in. The same for addresses that have no account.
   *
   * @throws Refusal with status 429
   */
  async admitLogin(email: string, address: string): Promise<Taken[]> {
    const taken = await this.#takeAll('email', [
      ['login', pair(email, address)],
      ['loginAddress', addressBlock(address)],
    ]);
    try {
      taken.push(await this.#throttles.take('loginAccount', email, 'email'));
    } catch (error) {
      if (error instanceof Refusal && (await this.#isKnown(email, address))) return taken;
      await this.#throttles.giveBack(taken);
      throw error;
    }
    return taken;
  }

  /** A login has succeeded: it counts for nothing, and the account knows the address from now on. */
  async loggedIn(email: string, address: string, taken: Taken[]): Promise<void> {
    const Item = { ...knownAddressKey(hashSecret(pair(email, address))), ttl: seconds(this.#clock) + KNOWN };
    await Promise.all([
      this.#throttles.giveBack(taken),
      this.#table.client
        .send(new PutCommand({ TableName: this.#table.name, Item }))
        .catch((error) => this.#log('an address could not be noted', { error: String(error) })),
    ]);
  }

  /**
   * Counts an attempt to prove within a session who one is, by a password or a code.
   *
   * @throws Refusal with status 429
   */
  admitInSession(
    { user, email }: { user: string; email: string },
    address: string,
    field: string,
  ): Promise<Taken[]> {
    return this.#takeAll(field, [
      ['login', pair(email, address)],
      ['loginAddress', addressBlock(address)],
      ['session', user],
    ]);
  }

  /**
   * Counts a code that came with the right password.
   *
   * @throws Refusal with status 429
   */
  async admitCode(user: string): Promise<Taken[]> {
    return [await this.#throttles.take('loginCode', user, 'twofa')];
  }

  /** Counts a sign-up, for good. @throws Refusal with status 429 */
  async admitSignUp(address: string): Promise<void> {
    await this.#takeAll('email', [
      ['signUpAddress', addressBlock(address)],
      ['signUp', 'all'],
    ]);
  }

  /** An attempt was none after all. */
  async giveBack(taken: Taken[]): Promise<void> {
    await this.#throttles.giveBack(taken);
  }

  /** One after the other: what is refused by an earlier count must not use up a later, wider one. */
  async #takeAll(field: string, wanted: [name: ThrottleName, subject: string][]): Promise<Taken[]> {
    const taken: Taken[] = [];
    try {
      for (const [name, subject] of wanted) taken.push(await this.#throttles.take(name, subject, field));
      return taken;
    } catch (error) {
      await this.#throttles.giveBack(taken);
      throw error;
    }
  }

  async #isKnown(email: string, address: string): Promise<boolean> {
    const Key = knownAddressKey(hashSecret(pair(email, address)));
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key, ConsistentRead: true }),
    );
    return found.Item !== undefined && found.Item.ttl > seconds(this.#clock);
  }
}

/** The account and the address together. A line end is in neither. */
const pair = (email: string, address: string) => `${email}\n${addressBlock(address)}`;
