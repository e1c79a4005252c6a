import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accountKey } from '../../lib/accounts/directory.ts';
import { canonicalEmail } from '../../lib/accounts/email.ts';
import { failure } from '../../local/aws/intercept.ts';
import type { JsonObject } from '../../local/template/json.ts';
import { tableOf } from '../support/directory.ts';
import { get, newAccount, post, type TestAccount, usePeal } from '../support/peal.ts';
import { codeOf } from '../support/totp.ts';
import { withTwoFactor } from '../support/twofa.ts';

const peal = usePeal({ expectedErrors: /InternalServerError/ });

const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).sort();

test('a login asks for a code with 412, and takes it with the same credentials', async () => {
  const { login, totp, user, secret } = await withTwoFactor(peal());

  const without = await login();
  const withCode = await login(codeOf(totp));
  const state = await get(peal(), 'users/twofa.json', { secret });

  const { request: _, ...rest } = without.body;
  assert.equal(without.status, 412);
  assert.deepEqual(rest, {
    twofa: 'is required',
    errors: ['two-factor authentication is on, send a code as twofa'],
    status: 0,
  });
  assert.equal(withCode.status, 200);
  assert.equal(withCode.body.id, user);
  assert.match(String(withCode.body.secret), /^[A-Za-z0-9]{60}$/);
  assert.deepEqual([state.body.enabled, state.body.recovery_codes], [true, 10]);
});

test('that there is a second factor is not said to who does not know the password', async () => {
  const { email, totp } = await withTwoFactor(peal());
  const wrong = { email, password: 'wrong horse' };

  const answers = [
    await post(peal(), 'users/login.json', wrong),
    await post(peal(), 'users/login.json', { ...wrong, twofa: codeOf(totp) }),
  ];

  for (const { status, body } of answers) {
    assert.equal(status, 400);
    assert.deepEqual(body.errors, ['e-mail and/or password is invalid']);
    assert.ok(!('twofa' in body));
  }
});

test('wrong codes of all kinds are answered alike, with 412', async () => {
  const { login, totp } = await withTwoFactor(peal());
  const stranger = await withTwoFactor(peal());

  const answers = [];
  for (const code of ['000000x', codeOf(totp, -9), codeOf(totp, 9), 'abcde-23456', stranger.recovery[0]!])
    answers.push(await login(code));

  for (const { status, body } of answers) {
    assert.equal(status, 412);
    assert.deepEqual([body.twofa, body.errors, body.status], ['is invalid', ['twofa is invalid'], 0]);
  }
});

test('a code logs in once, however many try at once, and no earlier one does after it', async () => {
  const { login, totp } = await withTwoFactor(peal());
  const [current, next] = [codeOf(totp), codeOf(totp, 1)];

  const together = await Promise.all([1, 2, 3].map(() => login(next)));
  const again = await login(next);
  const earlier = await login(current);

  assert.deepEqual(statuses(together), [200, 412, 412]);
  assert.deepEqual([again.status, earlier.status], [412, 412]);
});

test('a recovery code logs in once, however it is typed', async () => {
  const { login, recovery, secret } = await withTwoFactor(peal());
  const [first, second] = recovery as [string, string];

  const together = await Promise.all([1, 2].map(() => login(first)));
  const typed = await login(` ${second.toUpperCase().replace('-', '')} `);
  const { body } = await get(peal(), 'users/twofa.json', { secret });

  assert.deepEqual(statuses(together), [200, 412]);
  assert.equal(typed.status, 200);
  assert.equal(body.recovery_codes, 8);
});

test('all recovery codes can be used, and then none', async () => {
  const { login, recovery, secret } = await withTwoFactor(peal());

  for (const code of recovery) assert.equal((await login(code)).status, 200);
  const spent = await login(recovery[0]);
  const { body } = await get(peal(), 'users/twofa.json', { secret });

  assert.equal(spent.status, 412);
  assert.equal(body.recovery_codes, 0);
});

test('a second factor that is not confirmed counts for nothing', async () => {
  const { email, password, secret } = await newAccount(peal());
  const begun = await post(peal(), 'users/twofa.json', { secret, password });

  const wrong = await post(peal(), 'users/twofa/confirm.json', { secret, twofa: '12345' });
  const login = await post(peal(), 'users/login.json', { email, password });

  assert.equal(begun.status, 200);
  assert.equal(wrong.status, 400);
  assert.deepEqual(wrong.body.errors, ['twofa is invalid']);
  assert.equal(login.status, 200);
});

test('of two that are begun the later one can be confirmed, and only once', async () => {
  const { password, secret } = await newAccount(peal());
  const begin = () => post(peal(), 'users/twofa.json', { secret, password });
  const confirm = (totp: unknown) =>
    post(peal(), 'users/twofa/confirm.json', { secret, twofa: codeOf(String(totp)) });
  const earlier = await begin();
  const [one, other] = await Promise.all([begin(), begin()]);

  const replaced = await confirm(earlier.body.secret);
  const answers = await Promise.all([one, other, one, other].map(({ body }) => confirm(body.secret)));
  const again = await begin();

  assert.equal(replaced.status, 400);
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.ok(answers.every(({ status }) => [200, 400, 409].includes(status)));
  assert.deepEqual([again.status, again.body.twofa], [400, 'is on already']);
});

test('the code that confirmed does not log in', async () => {
  const { email, password, secret } = await newAccount(peal());
  const { body } = await post(peal(), 'users/twofa.json', { secret, password });
  const twofa = codeOf(String(body.secret));

  const confirmed = await post(peal(), 'users/twofa/confirm.json', { secret, twofa });
  const login = await post(peal(), 'users/login.json', { email, password, twofa });

  assert.deepEqual([confirmed.status, login.status], [200, 412]);
});

test('it is taken away with password and code, and can be set up anew with another secret', async () => {
  const { login, totp, password, secret } = await withTwoFactor(peal());
  const disable = (fields: Record<string, string>) =>
    post(peal(), 'users/twofa/disable.json', { secret, ...fields });

  const refused = [
    await disable({ password }),
    await disable({ password: 'wrong horse', twofa: codeOf(totp) }),
    await disable({ password, twofa: 'abcde-23456' }),
  ];
  const done = await disable({ password, twofa: codeOf(totp) });
  const again = await disable({ password, twofa: codeOf(totp, 1) });
  const plain = await login();
  const begun = await post(peal(), 'users/twofa.json', { secret, password });

  assert.deepEqual(
    refused.map(({ status }) => status),
    [412, 400, 412],
  );
  assert.deepEqual([done.status, again.status, plain.status, begun.status], [200, 400, 200, 200]);
  assert.notEqual(begun.body.secret, totp);
});

test('a recovery code takes it away as well, when the app is lost', async () => {
  const { login, recovery, password, secret } = await withTwoFactor(peal());

  const done = await post(peal(), 'users/twofa/disable.json', { secret, password, twofa: recovery[3]! });
  const plain = await login();

  assert.deepEqual([done.status, plain.status], [200, 200]);
});

test('a login that dies after its code was used is refused that code, and let in with the next', async (t) => {
  const { login, totp } = await withTwoFactor(peal());
  const stop = peal().cloud.front.intercept(({ action, input }) =>
    action === 'PutItem' && JSON.stringify(input).includes('session#')
      ? failure(500, 'InternalServerError', 'no')
      : undefined,
  );
  t.after(stop);
  const code = codeOf(totp);

  const died = await login(code);
  stop();
  const repeated = await login(code);
  const next = await login(codeOf(totp, 1));

  assert.deepEqual([died.status, repeated.status, next.status], [500, 412, 200]);
});

/** Loses the answer to the first update of an account that has this in it; the update takes effect. */
function loseAnswer(text: string): () => void {
  let lost = false;
  return peal().cloud.front.intercept(({ action, input }) => {
    if (lost || action !== 'UpdateItem' || !JSON.stringify(input).includes(text)) return undefined;
    lost = true;
    return { after: 'drop' };
  });
}

test('what took effect without an answer from the database is answered as done', async (t) => {
  const { email, password, secret } = await newAccount(peal());
  const begun = await post(peal(), 'users/twofa.json', { secret, password });
  const totp = String(begun.body.secret);
  t.after(loseAnswer('SET twofaNonce'));
  t.after(loseAnswer('REMOVE twofaNonce'));
  t.after(loseAnswer('SET password = :next'));

  const confirmed = await post(peal(), 'users/twofa/confirm.json', { secret, twofa: codeOf(totp) });
  const [recovery] = confirmed.body.recovery_codes as string[];
  const disabled = await post(peal(), 'users/twofa/disable.json', { secret, password, twofa: recovery! });
  const next = { secret, password, new_password: 'another horse' };
  const changed = await post(peal(), 'users/password.json', next);
  const login = await post(peal(), 'users/login.json', { email, password: 'another horse' });

  assert.deepEqual(
    [confirmed, disabled, changed, login].map(({ status }) => status),
    [200, 200, 200, 200],
  );
});

test('where the counting of codes fails, none is taken', async (t) => {
  const { login, totp } = await withTwoFactor(peal());
  const stop = peal().cloud.front.intercept(({ action, input }) =>
    action === 'UpdateItem' && JSON.stringify(input).includes('throttle#loginCode#')
      ? failure(500, 'InternalServerError', 'no')
      : undefined,
  );
  t.after(stop);

  const uncounted = await login(codeOf(totp));
  stop();
  const counted = await login(codeOf(totp));

  assert.deepEqual([uncounted.status, counted.status], [500, 200]);
});

test('the table holds neither the secret nor a recovery code, and the log nothing of them', async () => {
  const { email, totp, recovery } = await withTwoFactor(peal());
  const { Item } = (await peal().cloud.front.send('local-root', 'dynamodb', 'GetItem', {
    TableName: tableOf(peal(), 'Directory').name,
    Key: { pk: { S: accountKey(canonicalEmail(email)!).pk }, sk: { S: 'account' } },
  })) as { Item: JsonObject };

  const stored = JSON.stringify(Item);
  const logged = JSON.stringify(peal().lines);

  assert.match(stored, /twofaNonce/);
  for (const text of [totp, ...recovery, recovery[0]!.replace('-', '')]) {
    assert.ok(!stored.includes(text));
    assert.ok(!logged.includes(text));
  }
});

test('changing the password asks for the code, and drops a second factor that somebody has begun', async () => {
  const { password, secret, totp } = await withTwoFactor(peal());
  const other = await newAccount(peal());
  const change = (fields: Record<string, string>) =>
    post(peal(), 'users/password.json', { secret, password, new_password: 'another horse', ...fields });
  const begun = await post(peal(), 'users/twofa.json', { secret: other.secret, password: other.password });

  const without = await change({});
  const wrong = await change({ twofa: codeOf(totp, 9) });
  const right = await change({ twofa: codeOf(totp) });
  await post(peal(), 'users/password.json', {
    secret: other.secret,
    password: other.password,
    new_password: 'another horse',
  });
  const dropped = await post(peal(), 'users/twofa/confirm.json', {
    secret: other.secret,
    twofa: codeOf(String(begun.body.secret)),
  });

  assert.deepEqual([without.status, wrong.status, right.status], [412, 412, 200]);
  assert.deepEqual([dropped.status, dropped.body.twofa], [400, 'is not being set up']);
});

/** The account that refusals leave as it is. */
let unchanged: TestAccount | undefined;

for (const [path, fields, named] of [
  ['users/twofa', {}, 'password'],
  ['users/twofa', { password: 'wrong horse' }, 'password'],
  ['users/twofa', { password: 'x'.repeat(5000) }, 'password'],
  ['users/twofa/confirm', {}, 'twofa'],
  ['users/twofa/confirm', { twofa: '123456' }, 'twofa'],
  ['users/twofa/disable', {}, 'password'],
  ['users/twofa/disable', { password: 'correct horse' }, 'twofa'],
  ['users/password', { password: 'correct horse' }, 'new_password'],
  ['users/password', { password: 'correct horse', new_password: 'short' }, 'new_password'],
  ['users/password', { password: 'correct horse', new_password: 'x'.repeat(257) }, 'new_password'],
  ['users/password', { password: 'wrong horse', new_password: 'another horse' }, 'password'],
] as const) {
  test(`${path} refuses ${JSON.stringify(fields).slice(0, 80)}, and changes nothing`, async () => {
    unchanged ??= await newAccount(peal());
    const { email, password, secret } = unchanged;

    const { status, body } = await post(peal(), `${path}.json`, { secret, ...fields });
    const anonymous = await post(peal(), `${path}.json`, fields);
    const login = await post(peal(), 'users/login.json', { email, password });

    assert.equal(status, 400);
    assert.deepEqual(
      Object.keys(body).filter((key) => !['errors', 'request', 'status'].includes(key)),
      [named],
    );
    assert.ok('secret' in anonymous.body);
    assert.equal(login.status, 200);
  });
}

test('whatever is sent as a login, a code or a session is refused, and never breaks anything', async () => {
  const { secret } = await newAccount(peal());
  const wild = fc.string({ unit: 'grapheme', maxLength: 300 });
  const fields = fc.record({ email: wild, password: wild, twofa: wild, name: wild }, { requiredKeys: [] });

  await fc.assert(
    fc.asyncProperty(fields, wild, async (given, id) => {
      const body = Object.fromEntries(Object.entries(given).filter(([, text]) => !text.includes('\0')));
      const answers = [
        await post(peal(), 'users/login.json', body),
        await post(peal(), 'users/twofa/confirm.json', { ...body, secret }),
        await post(peal(), `sessions/x${encodeURIComponent(id)}/revoke.json`, { ...body, secret }),
      ];
      return answers.every(({ status }) => [400, 404, 429].includes(status));
    }),
    { numRuns: 15 },
  );
});
