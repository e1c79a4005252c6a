import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { addressBlock } from '../net/address-block.ts';
import { Refusal } from '../refusal.ts';
import { type Clock, seconds, type Table } from '../storage/table.ts';
import { knownAddressKey } from './directory.ts';
import type { Email } from './email.ts';
import type { HashOf } from './keyed-hash.ts';
import type { Taken, ThrottleLog, ThrottleName, Throttles } from './throttles.ts';

/** For how long an account knows an address at which it logged in. Seconds. */
const KNOWN = 30 * 24 * 3600;

/** Decides whether an attempt to log in, or to prove who one is within a session, may be made: see `THROTTLES`. */
export class LoginGuard {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #throttles: Throttles;
  readonly #hash: HashOf;
  readonly #log: ThrottleLog;

  /** @param hash of accounts' addresses together with those of the network */
  constructor(table: Table, clock: Clock, throttles: Throttles, hash: HashOf, log: ThrottleLog) {
    this.#table = table;
    this.#clock = clock;
    this.#throttles = throttles;
    this.#hash = hash;
    this.#log = log;
  }

  /**
   * Counts an attempt to log in. The same for addresses that have no account.
   *
   * @throws Refusal with status 429
   */
  async admitLogin(email: Email, address: string): Promise<Taken[]> {
    const taken = await this.#takeAll('email', [
      ['login', pair(email, address)],
      ['loginAddress', addressBlock(address)],
    ]);
    try {
      taken.push(await this.#throttles.take('loginAccount', email, 'email'));
    } catch (error) {
      const known = error instanceof Refusal && (await this.#isKnown(email, address));
      if (known) return taken;
      await this.#throttles.giveBack(taken);
      throw error;
    }
    return taken;
  }

  /** A login has succeeded: it counts for nothing, and the account knows the address from now on. */
  async loggedIn(email: Email, address: string, taken: Taken[]): Promise<void> {
    await Promise.all([
      this.#throttles.giveBack(taken),
      this.#know(email, address).catch((error) =>
        this.#log('an address could not be noted', { error: String(error) }),
      ),
    ]);
  }

  /**
   * Counts an attempt to prove within a session who one is, by a password or a code.
   *
   * @throws Refusal with status 429
   */
  admitInSession(
    { user, email }: { user: string; email: Email },
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

  /**
   * Counts a sign-up, for good; and as one that is told that the address has an account, which is to be given back if it
   * is not: an address that was told too often is not told any more, by an answer or by the lack of one.
   *
   * @returns what is to be given back
   * @throws Refusal with status 429
   */
  async admitSignUp(address: string): Promise<Taken[]> {
    const taken = await this.#takeAll('email', [
      ['signUpAddress', addressBlock(address)],
      ['signUp', 'all'],
      ['signUpTakenAddress', addressBlock(address)],
      ['signUpTaken', 'all'],
    ]);
    return taken.slice(2);
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

  async #know(email: Email, address: string): Promise<void> {
    const Key = knownAddressKey(await this.#hash(pair(email, address)));
    const Item = { ...Key, ttl: seconds(this.#clock) + KNOWN };
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item }));
  }

  /** Not so if it cannot be said: an attempt that has to be allowed by this is one too many otherwise. */
  async #isKnown(email: Email, address: string): Promise<boolean> {
    try {
      const Key = knownAddressKey(await this.#hash(pair(email, address)));
      const found = await this.#table.client.send(
        new GetCommand({ TableName: this.#table.name, Key, ConsistentRead: true }),
      );
      return found.Item !== undefined && found.Item.ttl > seconds(this.#clock);
    } catch (error) {
      this.#log('an address could not be looked up', { error: String(error) });
      return false;
    }
  }
}

/** The account and the address together. A line end is in neither. */
const pair = (email: Email, address: string) => `${email}\n${addressBlock(address)}`;
