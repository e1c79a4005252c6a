import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { isConditionFailure, type Table } from '../storage/table.ts';
import { type Account, findAccount, isPasswordOf, listOnce } from './account.ts';
import type { Login } from './accounts.ts';
import { accountKey } from './directory.ts';
import { hashSecret } from './keys.ts';
import type { LoginGuard } from './login-guard.ts';
import { hashPassword } from './passwords.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { Session } from './sessions.ts';
import type { Taken, ThrottleLog } from './throttles.ts';
import { codeNeeded, hasTwoFactor, type TwoFactor } from './twofa.ts';

/** What somebody who logs in says. */
export interface Attempt {
  email: string;
  password: string;
  /** A code, or a recovery code. */
  twofa?: string | undefined;
  /** Of the session. */
  name: string;
}

/** What it needs. */
export interface AuthenticationContext {
  table: Table;
  sessions: SessionRegistry;
  guard: LoginGuard;
  twofa: TwoFactor;
  log: ThrottleLog;
}

/** Proving who one is, at login and again within a session: passwords, second factors, and the throttles on both. */
export class Authentication {
  readonly #context: AuthenticationContext;

  constructor(context: AuthenticationContext) {
    this.#context = context;
  }

  /**
   * Opens a session. E-mail and password are case-sensitive (Pushover's rule), and the answer takes the same time
   * and says the same whether the address is unknown or the password wrong; that there is a second factor is said
   * only to who knows the password.
   *
   * A login that overlaps with a change of the password must not leave a session of the old one: the account is read
   * again when the session is stored, and the change lists the sessions when the password is. One of both sees the
   * other. What dies before the answer leaves a session whose secret nobody knows.
   *
   * @param address that the request came from
   * @throws Refusal: 400 for wrong credentials, 412 naming `twofa`, 429
   */
  async login({ email, password, twofa, name }: Attempt, address: string): Promise<Login> {
    const { table, sessions, guard } = this.#context;
    const taken = await guard.admitLogin(email, address);
    const account = await findAccount(table, email);
    const correct = await isPasswordOf(account, password);
    if (!account || !correct) throw wrongCredentials();
    if (hasTwoFactor(account)) {
      if (twofa === undefined) {
        await guard.giveBack(taken);
        throw codeNeeded();
      }
      const code = await guard.admitCode(account.user);
      await this.#context.twofa.use(account, twofa);
      taken.push(...code);
    }
    const secret = await sessions.open(account.user, email, name);
    const now = await findAccount(table, email);
    if (now?.password !== account.password) {
      await sessions.close(account.user, hashSecret(secret));
      throw wrongCredentials();
    }
    await Promise.all([guard.loggedIn(email, address, taken), this.#list(account)]);
    return { id: account.user, secret };
  }

  /**
   * Changes the password and ends all other sessions.
   *
   * They are ended before and after: what dies after the password has changed, when a repeat would be refused for its
   * old password, then leaves at most a session that was opened within that moment. Of two changes at once one wins.
   *
   * @throws Refusal
   */
  async changePassword(
    session: Session,
    { password, next, twofa }: { password: string; next: string; twofa?: string | undefined },
    address: string,
  ): Promise<void> {
    const { table, sessions, guard } = this.#context;
    const { account, taken } = await this.#prove(session, { password, twofa }, address);
    const hash = await hashPassword(next);
    await sessions.endAll(session.user, session.hash);
    try {
      await table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: accountKey(account.email),
          // Whoever knew the old password may have begun to set a second factor up.
          UpdateExpression: 'SET password = :next REMOVE twofaPending',
          ConditionExpression: 'password = :old',
          ExpressionAttributeValues: { ':next': hash, ':old': account.password },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      // Where the SDK did not hear that it has succeeded, its repeat fails: the hash, with its salt, is ours alone.
      if ((await this.#account(session)).password !== hash)
        throw new Refusal({ field: 'password', reason: 'was changed at the same time, try again' }, 409);
    }
    await sessions.endAll(session.user, session.hash);
    await guard.giveBack(taken);
  }

  /** Begins to set a second factor up. @throws Refusal */
  async beginTwoFactor(
    session: Session,
    password: string,
    address: string,
  ): Promise<{ secret: string; otpauth: string }> {
    const { guard, twofa } = this.#context;
    const taken = await guard.admitInSession(session, address, 'password');
    const account = await this.#checkPassword(session, password);
    const begun = await twofa.begin(account);
    await guard.giveBack(taken);
    return begun;
  }

  /** Sets the second factor up. @returns recovery codes @throws Refusal */
  async confirmTwoFactor(session: Session, code: string, address: string): Promise<string[]> {
    const { guard, twofa } = this.#context;
    const taken = await guard.admitInSession(session, address, 'twofa');
    const codes = await twofa.confirm(await this.#account(session), code);
    await guard.giveBack(taken);
    return codes;
  }

  /** Takes the second factor away. @throws Refusal */
  async disableTwoFactor(
    session: Session,
    given: { password: string; twofa?: string | undefined },
    address: string,
  ): Promise<void> {
    const { account, taken } = await this.#prove(session, given, address);
    if (!hasTwoFactor(account)) throw new Refusal({ field: 'twofa', reason: 'is not on' });
    await this.#context.twofa.disable(account);
    await this.#context.guard.giveBack(taken);
  }

  /** Whether there is a second factor, and how many recovery codes are left. */
  async twoFactorState(session: Session): Promise<{ enabled: boolean; recovery_codes: number }> {
    const account = await this.#account(session);
    return { enabled: hasTwoFactor(account), recovery_codes: account.recovery?.size ?? 0 };
  }

  /** Only the operator's list depends on it: a login does not fail for that, and the next one tries again. */
  async #list(account: Account): Promise<void> {
    try {
      await listOnce(this.#context.table, account);
    } catch (error) {
      this.#context.log('an account could not be listed', { error: String(error) });
    }
  }

  /** Checks password and, where there is a second factor, code of a session's account. */
  async #prove(
    session: Session,
    { password, twofa }: { password: string; twofa?: string | undefined },
    address: string,
  ): Promise<{ account: Account; taken: Taken[] }> {
    const { guard } = this.#context;
    const taken = await guard.admitInSession(session, address, 'password');
    const account = await this.#checkPassword(session, password);
    if (hasTwoFactor(account)) {
      if (twofa === undefined) {
        await guard.giveBack(taken);
        throw codeNeeded();
      }
      await this.#context.twofa.use(account, twofa);
    }
    return { account, taken };
  }

  async #checkPassword(session: Session, password: string): Promise<Account> {
    const account = await this.#account(session);
    if (await isPasswordOf(account, password)) return account;
    throw new Refusal({ field: 'password', reason: 'is invalid' });
  }

  async #account({ email }: Session): Promise<Account> {
    const account = await findAccount(this.#context.table, email);
    if (!account) throw new Error('a session has no account');
    return account;
  }
}

function wrongCredentials(): Refusal {
  return new Refusal({
    field: 'email',
    reason: 'and/or password is invalid',
    sentence: 'e-mail and/or password is invalid',
  });
}
