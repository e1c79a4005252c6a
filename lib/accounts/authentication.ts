import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { type Clock, isConditionFailure, type Table } from '../storage/table.ts';
import { type Account, findAccount, isPasswordOf, listOnce } from './account.ts';
import type { Login } from './accounts.ts';
import { accountKey } from './directory.ts';
import { canonicalEmail, NO_EMAIL } from './email.ts';
import { hashSecret } from './keys.ts';
import type { LoginGuard } from './login-guard.ts';
import { hashPassword } from './passwords.ts';
import { noAccount } from './refusals.ts';
import type { SessionRegistry } from './session-registry.ts';
import { isOpen, type Session } from './sessions.ts';
import type { Taken, ThrottleLog } from './throttles.ts';
import { asItWas, atTheSameTime, Turns } from './turns.ts';
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
  clock: Clock;
  sessions: SessionRegistry;
  guard: LoginGuard;
  twofa: TwoFactor;
  log: ThrottleLog;
}

/** Proving who one is, at login and again within a session: passwords, second factors, and the throttles on both. */
export class Authentication {
  readonly #context: AuthenticationContext;
  readonly #turns: Turns;

  constructor(context: AuthenticationContext) {
    this.#context = context;
    this.#turns = new Turns(context.table, context.clock, context.log);
  }

  /**
   * Opens a session. The password is case-sensitive, the address of e-mail is not, and the answer takes the same time
   * and says the same whether the address is unknown or the password wrong; that there is a second factor is said
   * only to who knows the password.
   *
   * A login that overlaps with a change of the password must not leave a session of the old one: the account is read
   * again when the session is stored, and the change lists the sessions when the password is. One of both sees the
   * other. In the same way a login sees a second factor that was set up meanwhile, and that its session was ended with all
   * others before it was answered. What dies before the answer leaves a session whose secret nobody knows.
   *
   * @param address that the request came from
   * @throws Refusal: 400 for wrong credentials, 409 for a session that was ended at once, 412 naming `twofa`, 429
   */
  async login({ email: given, password, twofa, name }: Attempt, address: string): Promise<Login> {
    const { table, sessions, guard } = this.#context;
    const email = canonicalEmail(given) ?? NO_EMAIL;
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
    const opened = { user: account.user, hash: hashSecret(secret) };
    const [now, stillOpen] = await Promise.all([findAccount(table, email), isOpen(table, opened)]);
    if (now?.password !== account.password || now.twofaNonce !== account.twofaNonce) {
      await sessions.close(opened.user, opened.hash);
      throw wrongCredentials();
    }
    if (!stillOpen) throw endedAtOnce();
    await Promise.all([guard.loggedIn(email, address, taken), this.#list(account)]);
    return { id: account.user, secret };
  }

  /**
   * Changes the password and ends all other sessions.
   *
   * They are ended before and after: what dies after the password has changed, when a repeat would be refused for its
   * old password, then leaves at most a session that was opened within that moment. Of two changes at once one has its
   * turn, and the other is refused without having ended anything. It changes what it has proved to know: a password that
   * the operator has set since, or a second factor, is not overwritten.
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
    const { condition, values } = asItWas(account);
    await this.#turns.take(session, account, async (turn) => {
      await sessions.endAll(session.user, session.hash);
      try {
        await table.client.send(
          new UpdateCommand({
            TableName: table.name,
            Key: accountKey(account.email),
            // Anyone who knew the old password may have begun to set a second factor up.
            UpdateExpression: 'SET password = :next REMOVE twofaPending',
            ConditionExpression: `${condition} AND turn.id = :turn`,
            ExpressionAttributeValues: { ...values, ':next': hash, ':turn': turn },
          }),
        );
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
        // Where the SDK did not hear that it has succeeded, its repeat fails: the hash, with its salt, is ours alone.
        if ((await findAccount(table, account.email))?.password !== hash) throw atTheSameTime();
      }
      await sessions.endAll(session.user, session.hash);
    });
    await guard.giveBack(taken);
  }

  /**
   * Ends all sessions of an account but the one that asks.
   *
   * @returns how many
   * @throws Refusal with status 409 if another session does that at the same time; naming `secret` if it was faster
   */
  async endOthers(session: Session): Promise<number> {
    const { sessions } = this.#context;
    const account = await this.#account(session);
    return this.#turns.take(session, account, () => sessions.endAll(session.user, session.hash));
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
    // Deleted since the session was read.
    if (!account) throw noAccount();
    return account;
  }
}

function endedAtOnce(): Refusal {
  const sentence = 'all sessions were ended at the same time, log in again';
  return new Refusal({ field: 'email', reason: 'was signed out at the same time', sentence }, 409);
}

function wrongCredentials(): Refusal {
  return new Refusal({
    field: 'email',
    reason: 'and/or password is invalid',
    sentence: 'e-mail and/or password is invalid',
  });
}
