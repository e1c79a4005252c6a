import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PealApi, Session } from '../../lib/device/api.ts';
import { randomCharacters } from '../../lib/protocol/characters.ts';
import { isUnanswered, untilAnswered } from './patience.ts';

/** The demo account. The password is made up at its creation. */
export interface DemoAccount {
  email: string;
  password: string;
  /** User key. */
  user: string;
  /** Token of the demo app. */
  token: string;
}

const EMAIL = 'demo@peal.example';
const APP = 'Demo';
/** 81 bits. */
const PASSWORD_LENGTH = 14;

/**
 * The demo account: the one that is remembered with the kept data, else a new one with an app.
 *
 * @param folder where kept data is; absent: nothing is remembered
 */
export async function demoAccount(
  api: PealApi,
  folder: string | undefined,
): Promise<{ account: DemoAccount; secret: string }> {
  const file = folder && join(folder, 'demo.json');
  if (file && existsSync(file)) {
    const account = JSON.parse(await readFile(file, 'utf8')) as DemoAccount;
    const { email, password } = account;
    const { secret } = await untilAnswered(() => api.login({ email, password }));
    return { account, secret };
  }
  const password = randomCharacters(PASSWORD_LENGTH);
  const { user, secret } = await signUp(api, password);
  const { token } = await api.withSecret(secret).createApp(APP);
  const account = { email: EMAIL, password, user, token };
  if (file) await writeFile(file, JSON.stringify(account), { mode: 0o600 });
  return { account, secret };
}

/** Signs up. A try that was not answered may have made the account: then it is there to log in to. */
async function signUp(api: PealApi, password: string): Promise<Session> {
  const credentials = { email: EMAIL, password };
  try {
    return await api.signUp(credentials);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
  }
  return untilAnswered(() =>
    api.signUp(credentials).catch((error) => {
      if (isUnanswered(error)) throw error;
      return api.login(credentials);
    }),
  );
}
