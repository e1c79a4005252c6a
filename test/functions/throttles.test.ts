import assert from 'node:assert/strict';
import { request as open } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, type TestContext, test } from 'node:test';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { countKey } from '../../lib/accounts/directory.ts';
import { canonicalEmail } from '../../lib/accounts/email.ts';
import { type HashOf, keyedHash } from '../../lib/accounts/keyed-hash.ts';
import { LoginGuard } from '../../lib/accounts/login-guard.ts';
import { THROTTLES, type ThrottleName, Throttles } from '../../lib/accounts/throttles.ts';
import { Refusal } from '../../lib/refusal.ts';
import { failure } from '../../local/aws/intercept.ts';
import type { JsonObject } from '../../local/template/json.ts';
import { COUNTING } from '../support/configs.ts';
import { fill, PASSWORD, seedAccount, tableOf } from '../support/directory.ts';
import { usePeal } from '../support/peal.ts';
import { codeOf } from '../support/totp.ts';

/** The deployment's own throttles: nothing is asked for of them. */
const peal = usePeal({
  config: COUNTING,
  expectedErrors: /could not be counted|given back|request failed/,
});

let addresses = 1;
let people = 0;

/** An address of this machine that nobody has used yet. */
const newAddress = () => `127.0.${Math.floor(addresses / 200)}.${(addresses++ % 200) + 2}`;

interface Answer {
  status: number;
  retryAfter: number;
  body: Record<string, unknown>;
}

/** Posts a form from an address of this machine. */
function postFrom(
  localAddress: string,
  path: string,
  fields: Record<string, string>,
  headers = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      localAddress,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    };
    open(`${peal().api}/1/${path}.json`, options, async (response) => {
      resolve({
        status: response.statusCode!,
        retryAfter: Number(response.headers['retry-after']),
        body: JSON.parse(await text(response)),
      });
    })
      .once('error', reject)
      .end(new URLSearchParams(fields).toString());
  });
}

/** The deployment's own hash of who tries. */
const hashOf: HashOf = (text) =>
  keyedHash(() => peal().cloud.readSecret('AccountsMaster'), 'throttles')(text);

/** Sets a count, in this window and the next, in case it begins meanwhile. */
async function count(name: ThrottleName, subject: string, attempts: number): Promise<void> {
  const { seconds } = THROTTLES[name];
  const window = Math.floor(Date.now() / 1000 / seconds);
  const ttl = (window + 2) * seconds;
  const hash = await hashOf(subject);
  await fill(
    tableOf(peal(), 'Directory'),
    [window, window + 1].map((one) => ({ ...countKey(name, hash, one), attempts, ttl })),
  );
}

/** Sets how many logins have failed at an address. */
const countLogin = (email: string, address: string, attempts: number) =>
  count('login', `${email}\n${address}`, attempts);

/** An account that has logged in nowhere. */
async function newAccount() {
  const email = `throttled${++people}@example.org`;
  const { user, secret } = await seedAccount(tableOf(peal(), 'Directory'), email);
  const login = (address: string, password = PASSWORD, more: Record<string, string> = {}) =>
    postFrom(address, 'users/login', { email, password, ...more });
  /** Sets how often somebody has failed to log in at an address. */
  const failedAt = (address: string, attempts: number) => countLogin(email, address, attempts);
  return { email, user, secret, login, failedAt };
}

/** How many times accounts are looked up from now on: what is refused by a throttle does not get so far. */
function countLookups(): { lookups(): number; stop(): void } {
  let lookups = 0;
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    if (action === 'GetItem' && JSON.stringify(input.Key).includes('email#')) lookups++;
    return undefined;
  });
  after(stop);
  return { lookups: () => lookups, stop };
}

/** Fails the counting of a throttle. */
function failCounting(name: ThrottleName): () => void {
  return peal().cloud.front.intercept(({ action, input }) =>
    action === 'UpdateItem' && JSON.stringify(input).includes(`throttle#${name}#`)
      ? failure(500, 'InternalServerError', 'no')
      : undefined,
  );
}

/** All windows begin when one of the shortest does. Seconds. */
const SHORTEST = Math.min(...Object.values(THROTTLES).map(({ seconds }) => seconds));
const windowNow = () => Math.floor(Date.now() / 1000 / SHORTEST);

/** A test within one window: one that another began under is done again. */
function throttled(name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    for (;;) {
      const window = windowNow();
      try {
        await body(t);
        return;
      } catch (error) {
        if (windowNow() === window) throw error;
      }
    }
  });
}

const statuses = (answers: Answer[]) => answers.map(({ status }) => status);

throttled(
  'after ten wrong passwords from an address, an account is closed to it, and to it alone',
  async () => {
    const { login } = await newAccount();
    const [here, elsewhere] = [newAddress(), newAddress()];

    // At once: no more get through than one after the other.
    const wrong = await Promise.all(Array.from({ length: 14 }, () => login(here, 'wrong horse')));
    const { lookups, stop } = countLookups();
    const refused = await login(here);
    const looked = lookups();
    stop();
    const other = await login(elsewhere);

    assert.deepEqual(statuses(wrong).sort(), [...Array(10).fill(400), ...Array(4).fill(429)]);
    assert.equal(refused.status, 429);
    assert.equal(looked, 0);
    assert.ok(refused.retryAfter > 0 && refused.retryAfter <= 900);
    assert.equal(refused.body.email, 'was tried too often');
    assert.match(String(refused.body.errors), /^too many attempts, try again in \d+ minutes?$/);
    assert.equal(refused.body.status, 0);
    assert.equal(other.status, 200);
  },
);

throttled('an address that has no account is closed in the same way', async () => {
  const here = newAddress();
  const email = 'nobody@example.org';
  const attempt = () => postFrom(here, 'users/login', { email, password: PASSWORD });
  await countLogin(email, here, 8);

  const answers = [await attempt(), await attempt(), await attempt()];

  assert.deepEqual(statuses(answers), [400, 400, 429]);
});

throttled('X-Forwarded-For makes nobody another', async () => {
  const { email, failedAt } = await newAccount();
  const here = newAddress();
  await failedAt(here, 10);

  const headers = { 'X-Forwarded-For': '203.0.113.7', Forwarded: 'for=203.0.113.7' };
  const { status } = await postFrom(here, 'users/login', { email, password: PASSWORD }, headers);

  assert.equal(status, 429);
});

throttled('logins that succeed, or only lack a code, do not count', async () => {
  const { login, failedAt } = await newAccount();
  const here = newAddress();
  await failedAt(here, 9);

  const answers = [];
  for (let n = 0; n < 3; n++) answers.push(await login(here));
  const last = [await login(here, 'wrong horse'), await login(here)];

  assert.deepEqual(statuses(answers), Array(3).fill(200));
  assert.deepEqual(statuses(last), [400, 429]);
});

throttled('an address that fails with many accounts is closed to all of them', async () => {
  const { login } = await newAccount();
  const here = newAddress();
  await count('loginAddress', here, 99);

  const answers = [await login(here, 'wrong horse'), await login(here)];

  assert.deepEqual(statuses(answers), [400, 429]);
});

throttled('an account under attack from everywhere stays open where it is known', async () => {
  const { email, login, failedAt } = await newAccount();
  const [home, abroad] = [newAddress(), newAddress()];
  assert.equal((await login(home)).status, 200);
  await count('loginAccount', email, 99);

  const last = await login(newAddress(), 'wrong horse');
  const closed = await login(abroad);
  const open = await login(home);
  await failedAt(home, 9);
  const guessed = [await login(home, 'wrong horse'), await login(home, 'wrong horse')];

  assert.deepEqual([last.status, closed.status, open.status], [400, 429, 200]);
  assert.ok(closed.retryAfter <= 3600);
  assert.deepEqual(statuses(guessed), [400, 429]);
});

throttled('what an address is refused does not use up the account’s own count', async () => {
  const { email, login, failedAt } = await newAccount();
  const here = newAddress();
  await count('loginAccount', email, 98);
  await failedAt(here, 9);

  const answers = [];
  for (let n = 0; n < 3; n++) answers.push(await login(here, 'wrong horse'));
  const elsewhere = await login(newAddress());

  assert.deepEqual(statuses(answers), [400, 429, 429]);
  assert.equal(elsewhere.status, 200);
});

throttled(
  'ten wrong codes close an account’s logins for an hour at most, not what it does within sessions',
  async () => {
    const { login, secret } = await newAccount();
    const here = newAddress();
    const begun = await postFrom(here, 'users/twofa', { secret, password: PASSWORD });
    const totp = String(begun.body.secret);
    await postFrom(here, 'users/twofa/confirm', { secret, twofa: codeOf(totp) });

    const wrong = await Promise.all(
      Array.from({ length: 12 }, () => login(newAddress(), PASSWORD, { twofa: codeOf(totp, 99) })),
    );
    const refused = await login(newAddress(), PASSWORD, { twofa: codeOf(totp, 1) });
    const change = { secret, password: PASSWORD, new_password: 'another horse', twofa: codeOf(totp, 1) };
    const changed = await postFrom(here, 'users/password', change);

    assert.deepEqual(statuses(wrong).sort(), [...Array(10).fill(412), 429, 429]);
    assert.equal(refused.status, 429);
    assert.equal(refused.body.twofa, 'was tried too often');
    assert.ok(refused.retryAfter <= 3600);
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
  },
);

throttled(
  'who has stolen a session cannot guess the password with it, from however many addresses',
  async () => {
    const { login, secret, user } = await newAccount();
    const guess = (path: string) =>
      postFrom(newAddress(), path, { secret, password: 'wrong horse', new_password: 'another horse' });
    await count('session', user, 7);

    const answers = [];
    for (let n = 0; n < 2; n++)
      for (const path of ['users/twofa', 'users/twofa/disable', 'users/password'])
        answers.push(await guess(path));
    const owner = await login(newAddress());

    assert.deepEqual(statuses(answers), [400, 400, 400, 429, 429, 429]);
    assert.equal(owner.status, 200);
  },
);

throttled('password checks within a session count as failed logins of the address', async () => {
  const { login, secret, failedAt } = await newAccount();
  const here = newAddress();
  await failedAt(here, 9);

  await postFrom(here, 'users/twofa', { secret, password: 'wrong horse' });
  const answer = await login(here);

  assert.equal(answer.status, 429);
});

throttled('twenty accounts an hour can be made from an address', async () => {
  const here = newAddress();
  const signUp = (address: string) => {
    const email = `flood${++people}@example.org`;
    return postFrom(address, 'users', { email, password: PASSWORD });
  };

  const malformed = await postFrom(here, 'users', { email: 'nonsense', password: PASSWORD });
  await count('signUpAddress', here, 17);
  const answers = await Promise.all(Array.from({ length: 5 }, () => signUp(here)));
  const elsewhere = await signUp(newAddress());

  assert.equal(malformed.status, 400);
  assert.deepEqual(statuses(answers).sort(), [200, 200, 200, 429, 429]);
  assert.equal(elsewhere.status, 200);
});

throttled('a thousand accounts an hour can be made altogether', async () => {
  const signUp = () =>
    postFrom(newAddress(), 'users', { email: `all${++people}@example.org`, password: PASSWORD });
  await count('signUp', 'all', 999);

  const answers = [await signUp(), await signUp()];
  await count('signUp', 'all', 0);

  assert.deepEqual(statuses(answers), [200, 429]);
  assert.ok(answers[1]!.retryAfter <= 3600);
});

for (const name of ['login', 'loginAddress', 'loginAccount'] as const) {
  throttled(`a login goes on, and the log says so, where ${name} cannot be counted`, async (t) => {
    const { login } = await newAccount();
    const lines = peal().lines.length;
    const stop = failCounting(name);
    t.after(stop);

    const right = await login(newAddress());
    const wrong = await login(newAddress(), 'wrong horse');

    assert.deepEqual([right.status, wrong.status], [200, 400]);
    assert.match(JSON.stringify(peal().lines.slice(lines)), /could not be counted/);
  });
}

throttled('a sign-up goes on where it cannot be counted', async (t) => {
  t.after(failCounting('signUp'));
  t.after(failCounting('signUpAddress'));
  const email = `uncounted${++people}@example.org`;

  const { status, body } = await postFrom(newAddress(), 'users', { email, password: PASSWORD });

  assert.equal(status, 200);
  assert.match(String(body.id), /^u/);
});

throttled('within a session nothing is proved where it cannot be counted', async (t) => {
  const { secret } = await newAccount();
  t.after(failCounting('session'));

  const { status } = await postFrom(newAddress(), 'users/twofa', { secret, password: PASSWORD });

  assert.equal(status, 500);
});

throttled('counts name neither accounts nor addresses, and end', async () => {
  const { email, login } = await newAccount();
  const here = newAddress();
  const seen: JsonObject[] = [];
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    if (JSON.stringify(input).includes('throttle#') && action !== 'GetItem') seen.push(input);
    return undefined;
  });

  await login(here, 'wrong horse');
  await login(here);
  stop();

  const written = JSON.stringify(seen);
  assert.ok(seen.length >= 7);
  assert.ok(!written.includes(email) && !written.includes(here));
  assert.ok(seen.every((input) => /ttl|attempts > :zero/.test(JSON.stringify(input))));
});

test('a throttle opens again when its window ends, which is when it said that it would', async () => {
  let now = 1_800_000_000_000 + 100_000;
  const throttles = new Throttles(tableOf(peal(), 'Directory'), () => now, assert.fail, hashOf);
  const take = () => throttles.take('login', 'somebody', 'email');
  for (let n = 0; n < 10; n++) await take();

  const refused = await take().catch((error: unknown) => error);
  now += 800_000 - 1;
  const stillRefused = await take().catch((error: unknown) => error);
  now += 1;
  const taken = await take();

  assert.ok(refused instanceof Refusal && stillRefused instanceof Refusal);
  assert.equal(refused.status, 429);
  assert.deepEqual(
    [refused, stillRefused].map(({ headers }) => headers['Retry-After']),
    ['800', '1'],
  );
  assert.ok(taken);
});

test('what is given back can be taken again, and what was purged meanwhile does not come back', async () => {
  const directory = tableOf(peal(), 'Directory');
  const throttles = new Throttles(directory, () => 1_800_000_000_000, assert.fail, hashOf);
  const take = () => throttles.take('session', 'giver', 'password');
  const all = [];
  for (let n = 0; n < 10; n++) all.push(await take());
  const gone = { ...countKey('session', 'purged', 1) };

  await throttles.giveBack([...all.slice(0, 2), gone, undefined]);
  await take();
  await take();

  await assert.rejects(take(), Refusal);
  const { Item } = await directory.client.send(new GetCommand({ TableName: directory.name, Key: gone }));
  assert.equal(Item, undefined);
});

test('an account forgets an address where it has not logged in for 30 days', async () => {
  let now = Date.now();
  const directory = tableOf(peal(), 'Directory');
  const throttles = new Throttles(directory, () => now, assert.fail, hashOf, { loginAccount: 1 });
  const guard = new LoginGuard(directory, () => now, throttles, hashOf, assert.fail);
  const email = canonicalEmail('traveller@example.org')!;
  /** A login, after others have used up what there is. */
  const admit = async () => {
    await throttles.take('loginAccount', email, 'email').catch(() => undefined);
    return guard.admitLogin(email, '2001:db8::1').catch((error: unknown) => error);
  };
  const day = 24 * 3600 * 1000;

  const stranger = await admit();
  await guard.loggedIn(email, '2001:db8::2', []);
  now += 29 * day;
  const known = await admit();
  now += 2 * day;
  const forgotten = await admit();

  assert.ok(stranger instanceof Refusal && forgotten instanceof Refusal);
  assert.ok(Array.isArray(known));
});
