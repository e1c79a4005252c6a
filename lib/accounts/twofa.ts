import { UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { Refusal } from '../refusal.ts';
import { type Clock, isConditionFailure, type Table } from '../storage/table.ts';
import { type Account, findAccount } from './account.ts';
import { accountKey } from './directory.ts';
import type { Email } from './email.ts';
import {
  enrolment,
  hashRecoveryCode,
  isCode,
  newNonce,
  newRecoveryCodes,
  stepOf,
  totpSecret,
} from './totp.ts';

/** Pushover's status for a login that needs a code. */
const CODE_NEEDED = 412;

/**
 * Second factors: codes of an authenticator app, and recovery codes. All state is in the account's item, and every
 * step is one conditional write of it, so of two at once one counts.
 *
 * | what happens                                  | what holds                                                       |
 * | --------------------------------------------- | ---------------------------------------------------------------- |
 * | two begin at once                             | the later one's secret can be confirmed, the other's cannot      |
 * | two confirm at once                           | one gets recovery codes, the other is refused                    |
 * | the answer with the recovery codes is lost    | the app's codes are good: take the second factor away, set it up anew |
 * | one code is used twice, at once or later      | one gets in                                                      |
 * | a login dies after its code was used          | the app's next code is good; a recovery code is lost             |
 * | a code is used and the SDK does not know      | its repeat finds it used: the next one is good                   |
 * | another write succeeds and the SDK does not know | its repeat is refused; the item is read, and says that it was us |
 */
export class TwoFactor {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #master: () => Promise<string>;

  /** @param master reads the deployment's master secret; called only for accounts with a second factor */
  constructor(table: Table, clock: Clock, master: () => Promise<string>) {
    this.#table = table;
    this.#clock = clock;
    this.#master = master;
  }

  /**
   * Begins to set a second factor up. It counts for nothing until a code confirms that the app has it.
   *
   * @throws Refusal naming `twofa`
   */
  async begin({ email, user, password, twofaNonce }: Account): Promise<{ secret: string; otpauth: string }> {
    if (twofaNonce !== undefined) throw alreadyOn();
    const nonce = newNonce();
    const secret = totpSecret(await this.#master(), user, nonce);
    // Only as long as the password is the one that was checked: who changes it must not inherit another's beginning.
    const changed = await this.#change(email, {
      UpdateExpression: 'SET twofaPending = :nonce',
      ConditionExpression: 'attribute_not_exists(twofaNonce) AND password = :password',
      ExpressionAttributeValues: { ':nonce': nonce, ':password': password },
    });
    if (!changed) throw changedMeanwhile();
    return enrolment(secret, email);
  }

  /**
   * Sets the second factor up that was begun last.
   *
   * @returns recovery codes
   * @throws Refusal naming `twofa`
   */
  async confirm({ email, user, twofaNonce, twofaPending }: Account, code: string): Promise<string[]> {
    if (twofaNonce !== undefined) throw alreadyOn();
    if (twofaPending === undefined) throw new Refusal({ field: 'twofa', reason: 'is not being set up' });
    const master = await this.#master();
    const step = stepOf(totpSecret(master, user, twofaPending), code.trim(), this.#clock());
    if (step === undefined) throw wrongCode(400);
    const codes = newRecoveryCodes();
    const hashes = codes.map((one) => hashRecoveryCode(master, user, twofaPending, one));
    const changed = await this.#change(email, {
      UpdateExpression:
        'SET twofaNonce = :nonce, twofaStep = :step, recovery = :recovery REMOVE twofaPending',
      ConditionExpression: 'attribute_not_exists(twofaNonce) AND twofaPending = :nonce',
      ExpressionAttributeValues: { ':nonce': twofaPending, ':step': step, ':recovery': new Set(hashes) },
    });
    if (!changed && !(await findAccount(this.#table, email))?.recovery?.has(hashes[0]!)) {
      throw changedMeanwhile();
    }
    return codes;
  }

  /** Takes the second factor away, unless it is another by now, or the password is that it was proved by. */
  async disable({ email, twofaNonce, password }: Account): Promise<void> {
    const changed = await this.#change(email, {
      UpdateExpression: 'REMOVE twofaNonce, twofaStep, recovery',
      ConditionExpression: 'twofaNonce = :nonce AND password = :password',
      ExpressionAttributeValues: { ':nonce': twofaNonce, ':password': password },
    });
    if (!changed && (await findAccount(this.#table, email))?.twofaNonce !== undefined)
      throw changedMeanwhile();
  }

  /**
   * Uses a code, or a recovery code, up.
   *
   * @throws Refusal naming `twofa`, with status 412, the same for a wrong code and for one that was used
   */
  async use(account: Account & { twofaNonce: string }, given: string): Promise<void> {
    const { email, user, twofaNonce: nonce } = account;
    const master = await this.#master();
    const code = given.replaceAll(/\s/g, '');
    if (!isCode(code)) {
      const hash = hashRecoveryCode(master, user, nonce, code);
      const used = await this.#change(email, {
        UpdateExpression: 'DELETE recovery :hashes',
        ConditionExpression: 'twofaNonce = :nonce AND contains(recovery, :hash)',
        ExpressionAttributeValues: { ':nonce': nonce, ':hash': hash, ':hashes': new Set([hash]) },
      });
      if (!used) throw wrongCode();
      return;
    }
    const step = stepOf(totpSecret(master, user, nonce), code, this.#clock());
    if (step === undefined) throw wrongCode();
    const used = await this.#change(email, {
      UpdateExpression: 'SET twofaStep = :step',
      ConditionExpression: 'twofaNonce = :nonce AND twofaStep < :step',
      ExpressionAttributeValues: { ':nonce': nonce, ':step': step },
    });
    if (!used) throw wrongCode();
  }

  /** @returns whether the condition held */
  async #change(email: Email, update: Omit<UpdateCommandInput, 'Key' | 'TableName'>): Promise<boolean> {
    try {
      await this.#table.client.send(
        new UpdateCommand({ TableName: this.#table.name, Key: accountKey(email), ...update }),
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }
}

/** Whether an account has a second factor. */
export function hasTwoFactor(account: Account): account is Account & { twofaNonce: string } {
  return account.twofaNonce !== undefined;
}

/** The refusal of a right password without a code: the same again, with `twofa` (Pushover's status). */
export function codeNeeded(): Refusal {
  const sentence = 'two-factor authentication is on, send a code as twofa';
  return new Refusal({ field: 'twofa', reason: 'is required', sentence }, CODE_NEEDED);
}

function wrongCode(status = CODE_NEEDED): Refusal {
  return new Refusal({ field: 'twofa', reason: 'is invalid' }, status);
}

function alreadyOn(): Refusal {
  return new Refusal({ field: 'twofa', reason: 'is on already' });
}

function changedMeanwhile(): Refusal {
  return new Refusal({ field: 'twofa', reason: 'was changed at the same time, try again' }, 409);
}
