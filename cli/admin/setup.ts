/** The walk of `peal admin setup`: carriers' credentials, then the first account. Every step can be repeated. */
import type { CarrierSet, CarrierState, GivenCredentials } from '../../functions/admin/carriers.ts';
import { RefusedError, UsageError } from '../errors.ts';
import type { Operator } from './operator.ts';
import {
  type Asker,
  CARRIER_NAMES,
  type CarrierId,
  type CredentialOptions,
  gather,
} from './setup-credentials.ts';

/** What the options say. */
export interface SetupOptions extends CredentialOptions {
  /** Carriers whose credentials are replaced although there are some. */
  replace?: CarrierId[];
  unchecked?: boolean;
  yes?: boolean;
  email?: string;
}

/** What came of a carrier. `skipped`: nothing was given for it. */
export type CarrierOutcome = CarrierState & {
  result: CarrierSet['result'] | 'skipped';
  /** What the carrier said, or why it was not asked. */
  said?: string;
  /** Whether that means that the credentials are right. */
  good?: boolean;
};

/** What came of the account. */
export interface AccountOutcome {
  email: string;
  user: string;
  made: boolean;
  /** The password, if it was made up. */
  password?: string;
}

const CARRIERS: readonly CarrierId[] = ['fcm', 'apns', 'webpush'];

const NEW_VAPID_KEY =
  'With a new VAPID key browsers have to subscribe anew, which they do at their next start; until then they get no pushes.';

/** Sets up the carriers. What fails for one does not keep the others back. */
export async function setUpCarriers(
  operator: Operator,
  options: SetupOptions,
  asker: Asker,
): Promise<CarrierOutcome[]> {
  const { carriers } = await operator.ask({ command: 'show-carriers' }, 'carriers');
  const outcomes: CarrierOutcome[] = [];
  for (const carrier of CARRIERS) {
    const state = carriers.find((one) => one.carrier === carrier) ?? { carrier, set: false };
    const outcome = await setUpCarrier(operator, state, options, asker);
    asker.note(outcomeText(outcome));
    outcomes.push(outcome);
  }
  return outcomes;
}

/** What came of a carrier, in words. */
export function outcomeText({ carrier, result, set, about, said, good }: CarrierOutcome): string {
  const name = CARRIER_NAMES[carrier];
  const check = said === undefined ? '' : ` ${good ? 'Checked' : 'Not good'}: ${said}.`;
  switch (result) {
    case 'stored':
      return `${name}: set (${about}).${check} Pushes go out within five minutes.`;
    case 'kept':
      return `${name}: is set already (${about}), and stays. ${check.trim()}`.trimEnd();
    case 'refused':
      return `${name}: NOT set, they are wrong: ${said}.${set ? ` What was there stays (${about}).` : ''}`;
    case 'unchecked':
      return `${name}: NOT set, since it could not be asked: ${said}. Try again, or give --unchecked.`;
    case 'skipped':
      return `${name}: skipped, it is off. Its devices still sync.`;
  }
}

async function setUpCarrier(
  operator: Operator,
  state: CarrierState,
  options: SetupOptions,
  asker: Asker,
): Promise<CarrierOutcome> {
  const { carrier } = state;
  const replace = options.replace?.includes(carrier) === true;
  if (state.set && !replace) {
    const { checked, ...checkedState } = await operator.ask({ command: 'check-carrier', carrier }, 'checked');
    return { ...checkedState, result: 'kept', said: checked.said, good: checked.kind === 'good' };
  }
  if (state.set && carrier === 'webpush' && !(await agree(NEW_VAPID_KEY, options, asker))) {
    return { ...state, result: 'kept' };
  }
  let given = await gather(carrier, options, asker);
  for (;;) {
    if (!given) return { ...state, result: state.set ? 'kept' : 'skipped' };
    const outcome = await trySet(operator, state, given, { replace, unchecked: options.unchecked === true });
    const failed = outcome.result === 'refused' || outcome.result === 'unchecked';
    if (!failed || !asker.interactive) return outcome;
    asker.note(outcomeText(outcome));
    // What was given by options is what failed: now the person is asked for all of it.
    given = await gather(carrier, {}, asker);
  }
}

/** @returns `refused` also for what does not even look like credentials */
async function trySet(
  operator: Operator,
  state: CarrierState,
  given: GivenCredentials,
  how: { replace: boolean; unchecked: boolean },
): Promise<CarrierOutcome> {
  try {
    const { checked, ...outcome } = await operator.ask({ command: 'set-carrier', given, ...how }, 'result');
    return { ...outcome, said: checked.said, good: checked.kind === 'good' };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { ...state, result: 'refused', said: error.message, good: false };
  }
}

async function agree(warning: string, { yes }: SetupOptions, asker: Asker): Promise<boolean> {
  if (yes) return true;
  if (!asker.interactive)
    throw new UsageError(`${warning} There is nobody to ask.`, 'Give --yes to do it without a question.');
  return /^y(es)?$/i.test((await asker.ask(`${warning}\nReplace it? [y/N] `)).trim());
}

/**
 * Makes the first account, if there is none, or the one that is asked for. One that is there is left as it is.
 *
 * @param choose asks for the password, or makes one up
 */
export async function setUpAccount(
  operator: Operator,
  options: SetupOptions,
  asker: Asker,
  choose: () => Promise<{ password: string; generated: { password?: string } }>,
): Promise<AccountOutcome | undefined> {
  let { email } = options;
  if (email === undefined) {
    const { accounts } = await operator.ask({ command: 'list-accounts', size: 1 }, 'accounts');
    if (accounts.length > 0 || !asker.interactive) return undefined;
    email = (await asker.ask('E-mail address of the first account (Enter to skip): ')).trim();
    if (email === '') return undefined;
  }
  const there = await existing(operator, email);
  if (there !== undefined) return { email, user: there, made: false };
  const { password, generated } = await choose();
  const { id: user } = await operator.ask({ command: 'create-account', email, password }, 'id');
  return { email, user, made: true, ...generated };
}

async function existing(operator: Operator, email: string): Promise<string | undefined> {
  try {
    return (await operator.ask({ command: 'show-account', email }, 'user')).user;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

/** What to do next. */
export function nextSteps(api: string, account: AccountOutcome | undefined): string {
  const email = account?.email ?? 'you@example.com';
  const user = account?.user ?? 'USER_KEY';
  return [
    'What comes next:',
    `  People open the address that the stack PealWeb prints as WebUrl, and log in${account ? ` as ${email}` : ''}.`,
    ...(account ? [] : ['  Make an account: peal admin account create you@example.com']),
    '  To send, make an app and use its token:',
    `    peal config set server ${api}`,
    `    peal account login --email ${email}`,
    '    peal app create first --save',
    `    curl -d token=APP_TOKEN -d user=${user} -d message=Hello ${api}/1/messages.json`,
    '  How it is: peal admin status',
  ].join('\n');
}
