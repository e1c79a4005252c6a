import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionKey } from '../../lib/accounts/directory.ts';
import { canonicalEmail } from '../../lib/accounts/email.ts';
import { hashSecret } from '../../lib/accounts/keys.ts';
import { noteUse } from '../../lib/accounts/sessions.ts';
import { failure } from '../../local/aws/intercept.ts';
import type { JsonObject } from '../../local/template/json.ts';
import { newDevice } from '../support/devices.ts';
import { fill, tableOf } from '../support/directory.ts';
import { get, newAccount, post, request, type TestAccount, usePeal } from '../support/peal.ts';
import { SocketClient } from '../support/socket-client.ts';
import { codeOf } from '../support/totp.ts';
import { withTwoFactor } from '../support/twofa.ts';

const peal = usePeal({ expectedErrors: /InternalServerError|InternalFailure/ });

interface Listed {
  id: string;
  name: string;
  created_at: number;
  seen_at: number;
  current: boolean;
}

const list = async (secret: string) =>
  (await get(peal(), 'sessions.json', { secret })).body.sessions as Listed[];

/** Another session of an account. */
async function logIn({ email, password }: TestAccount, more: Record<string, string> = {}): Promise<string> {
  const { status, body } = await post(peal(), 'users/login.json', { email, password, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body.secret);
}

/** The id of the session that a secret is of. */
async function idOf(secret: string): Promise<string> {
  return (await list(secret)).find(({ current }) => current)!.id;
}

const alive = async (secret: string) => (await get(peal(), 'devices.json', { secret })).status === 200;

/** Whether a device has a connection item. */
async function isConnected(device: string): Promise<boolean> {
  const { Item } = (await peal().cloud.front.send('local-root', 'dynamodb', 'GetItem', {
    TableName: peal().cloud.tableName('Directory'),
    Key: { pk: { S: `device#${device}` }, sk: { S: 'connection' } },
  })) as { Item?: JsonObject };
  return Item !== undefined;
}

test('lists sessions with what they are, the asking one marked', async () => {
  const account = await newAccount(peal());
  await logIn(account, { name: 'Kitchen tablet' });
  const { body } = await request(peal(), 'users/login.json', {
    method: 'POST',
    headers: { 'User-Agent': `Agent/${'9'.repeat(200)}` },
    body: new URLSearchParams({ email: account.email, password: account.password }),
  });

  const sessions = await list(String(body.secret));

  assert.equal(sessions.length, 3);
  assert.deepEqual(
    sessions.map(({ current }) => current),
    [true, false, false],
  );
  assert.equal(sessions[0]!.name, `Agent/${'9'.repeat(94)}`);
  assert.ok(sessions.some(({ name }) => name === 'Kitchen tablet'));
  for (const { id, created_at, seen_at } of sessions) {
    assert.match(id, /^[A-HJ-NP-Za-hjkmnp-z2-9]{16}$/);
    assert.ok(Math.abs(created_at - Date.now() / 1000) < 60);
    assert.equal(seen_at, created_at);
  }
});

test('a list tells no secret', async () => {
  const account = await newAccount(peal());
  const { secret } = account;

  const { body } = await get(peal(), 'sessions.json', { secret });

  const text = JSON.stringify(body);
  assert.ok(!text.includes(secret) && !text.includes(hashSecret(secret)) && !text.includes(secret.slice(30)));
});

test('a revoked session is over everywhere: REST, and its socket, which is told E', async () => {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const other = await logIn(account);
  using client = new SocketClient(peal().socket);
  using late = new SocketClient(peal().socket);
  const login = `login:${device.id}:${other}`;
  await client.say(login);
  await client.heard(1);

  const revoked = await post(peal(), `sessions/${await idOf(other)}/revoke.json`, { secret: account.secret });
  await client.heard(2);
  await late.say(login);

  assert.equal(revoked.status, 200);
  assert.deepEqual(client.frames, ['#', 'E']);
  assert.deepEqual(await late.heard(1), ['E']);
  assert.equal(await isConnected(device.id), false);
  const secret = other;
  const answers = [
    await get(peal(), 'devices.json', { secret }),
    await get(peal(), 'messages.json', { secret, device_id: device.id }),
    await get(peal(), 'sessions.json', { secret }),
    await get(peal(), 'users/twofa.json', { secret }),
    await post(peal(), `devices/${device.id}/update_highest_message.json`, { secret, message: '1' }),
    await post(peal(), `devices/${device.id}/acknowledge.json`, { secret, messages: '1' }),
    await post(peal(), 'users/logout.json', { secret }),
    await post(peal(), 'users/password.json', { secret, password: 'x', new_password: 'another horse' }),
    await post(peal(), 'sessions/revoke_others.json', { secret }),
  ];
  for (const { status, body } of answers)
    assert.deepEqual([status, body.errors], [400, ['secret is invalid']]);
  assert.ok(await alive(account.secret));
});

test('a message is signalled no more to a socket whose session was ended, and waits for sync', async () => {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const other = await logIn(account);
  using client = new SocketClient(peal().socket);
  await client.say(`login:${device.id}:${other}`);
  await client.heard(1);

  await post(peal(), 'users/logout.json', { secret: other });
  await client.heard(2);
  await post(peal(), 'messages.json', { token: account.token, user: account.user, message: 'hello' });
  await peal().cloud.poller('DesktopPush').drained();
  await client.say('#');
  await client.heard(3);
  await device.sync();

  assert.deepEqual(client.frames, ['#', 'E', '#']);
  assert.deepEqual(device.texts(), ['hello']);
});

test('revoking others leaves this session, and its socket, alone', async () => {
  const account = await newAccount(peal());
  const mine = await newDevice(account);
  const theirs = await newDevice(account);
  const others = [await logIn(account), await logIn(account)];
  using kept = new SocketClient(peal().socket);
  using ended = new SocketClient(peal().socket);
  await kept.say(`login:${mine.id}:${account.secret}`);
  await ended.say(`login:${theirs.id}:${others[0]}`);
  await Promise.all([kept.heard(1), ended.heard(1)]);

  const { body } = await post(peal(), 'sessions/revoke_others.json', { secret: account.secret });
  await ended.heard(2);

  assert.equal(body.revoked, 2);
  assert.deepEqual(ended.frames, ['#', 'E']);
  assert.deepEqual(kept.frames, ['#']);
  assert.deepEqual(await Promise.all([mine.id, theirs.id].map(isConnected)), [true, false]);
  for (const other of others) assert.equal(await alive(other), false);
  assert.equal((await list(account.secret)).length, 1);
});

test('another account’s sessions are out of reach, and as good as none', async () => {
  const mine = await newAccount(peal());
  const theirs = await newAccount(peal());
  const id = await idOf(theirs.secret);
  const revoke = (text: string) =>
    post(peal(), `sessions/${encodeURIComponent(text)}/revoke.json`, { secret: mine.secret });

  const answers = [];
  for (const text of [id, 'A'.repeat(16), id.slice(1), `${id}A`, '-', 'é', ' '.repeat(16)])
    answers.push(await revoke(text));

  for (const { status, body } of answers) {
    assert.equal(status, 404);
    assert.deepEqual([body.session, body.errors], ['not found', ['session not found']]);
  }
  assert.ok((await alive(theirs.secret)) && (await alive(mine.secret)));
});

test('a revocation that dies before the socket was ended is completed by its repeat', async (t) => {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const other = await logIn(account);
  const id = await idOf(other);
  using client = new SocketClient(peal().socket);
  await client.say(`login:${device.id}:${other}`);
  await client.heard(1);
  const stop = peal().cloud.front.intercept(({ caller, action, input }) =>
    caller.name.includes('Account') &&
    action === 'BatchGetItem' &&
    JSON.stringify(input).includes(`device#${device.id}`)
      ? failure(500, 'InternalServerError', 'no')
      : undefined,
  );
  t.after(stop);
  const revoke = () => post(peal(), `sessions/${id}/revoke.json`, { secret: account.secret });

  const died = await revoke();
  stop();
  const over = !(await alive(other));
  const repeated = await revoke();
  await client.heard(2);

  assert.deepEqual([died.status, over, repeated.status], [500, true, 404]);
  assert.deepEqual(client.frames, ['#', 'E']);
});

test('a session that is revoked while it logs in on the socket gets no connection', async (t) => {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const other = await logIn(account);
  const id = await idOf(other);
  let revoked: Promise<number> | undefined;
  const stop = peal().cloud.front.intercept(async ({ caller, action }) => {
    if (!caller.name.includes('Socket') || action !== 'PutItem') return undefined;
    revoked ??= post(peal(), `sessions/${id}/revoke.json`, { secret: account.secret }).then(
      ({ status }) => status,
    );
    await revoked;
    return undefined;
  });
  t.after(stop);
  using client = new SocketClient(peal().socket);

  await client.say(`login:${device.id}:${other}`);
  await client.heard(1);

  assert.deepEqual(client.frames, ['E']);
  assert.equal(await revoked, 200);
  assert.equal(await isConnected(device.id), false);
});

test('changing the password ends all other sessions, and the old password', async () => {
  const account = await newAccount(peal());
  const { email, secret, password } = account;
  const other = await logIn(account);
  const change = { secret, password, new_password: 'another horse' };

  const { status } = await post(peal(), 'users/password.json', change);

  assert.equal(status, 200);
  assert.deepEqual([await alive(secret), await alive(other)], [true, false]);
  assert.equal((await post(peal(), 'users/login.json', { email, password })).status, 400);
  assert.equal((await post(peal(), 'users/login.json', { email, password: 'another horse' })).status, 200);
});

test('a login with the old password that overlaps with the change leaves no session', async (t) => {
  const account = await newAccount(peal());
  const { email, secret, password } = account;
  let changed: Promise<number> | undefined;
  const stop = peal().cloud.front.intercept(async ({ action, input }) => {
    // The login has checked the password and stores its session: now the password changes.
    if (action !== 'PutItem' || !JSON.stringify(input).includes('session#')) return undefined;
    changed ??= post(peal(), 'users/password.json', { secret, password, new_password: 'another horse' }).then(
      ({ status }) => status,
    );
    await changed;
    return undefined;
  });
  t.after(stop);

  const login = await post(peal(), 'users/login.json', { email, password });

  assert.equal(await changed, 200);
  assert.equal(login.status, 400);
  assert.equal((await list(secret)).length, 1);
});

test('a change of the password that dies right after it has ended the other sessions all the same', async (t) => {
  const account = await newAccount(peal());
  const { email, secret, password } = account;
  const other = await logIn(account);
  let changed = false;
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    if (action === 'UpdateItem' && JSON.stringify(input).includes('password = :next')) changed = true;
    return changed && action === 'Query' ? failure(500, 'InternalServerError', 'no') : undefined;
  });
  t.after(stop);
  const change = { secret, password, new_password: 'another horse' };

  const died = await post(peal(), 'users/password.json', change);
  stop();

  assert.equal(died.status, 500);
  assert.deepEqual([await alive(secret), await alive(other)], [true, false]);
  assert.equal((await post(peal(), 'users/login.json', { email, password: 'another horse' })).status, 200);
});

test('of two changes of the password at once one wins', async () => {
  const account = await newAccount(peal());
  const { email, secret, password } = account;
  const next = ['first horse', 'second horse'];

  const answers = await Promise.all(
    next.map((new_password) => post(peal(), 'users/password.json', { secret, password, new_password })),
  );
  const logins = [];
  for (const one of next) logins.push(await post(peal(), 'users/login.json', { email, password: one }));

  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.deepEqual(
    logins.map(({ status }) => status === 200),
    answers.map(({ status }) => status === 200),
  );
});

test('the use of a session is noted once a day, and never brings an ended one back', async () => {
  const { secret, user, email } = await newAccount(peal());
  const directory = tableOf(peal(), 'Directory');
  const hash = hashSecret(secret);
  const stored = { ...sessionKey(user, hash), email, createdAt: 1_700_000_000 };
  await fill(directory, [stored]);
  const session = {
    user,
    email: canonicalEmail(email)!,
    secret,
    hash,
    seenAt: stored.createdAt,
    stored,
    list: { user, devices: [], version: 1 },
  };

  const [noted] = await list(secret);
  const updates: unknown[] = [];
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    if (action === 'UpdateItem' && JSON.stringify(input).includes('seenAt')) updates.push(input);
    return undefined;
  });
  await list(secret);
  await post(peal(), 'users/logout.json', { secret });
  stop();
  await noteUse(directory, session, Date.now);

  assert.equal(noted!.created_at, 1_700_000_000);
  assert.ok(Math.abs(noted!.seen_at - Date.now() / 1000) < 60);
  assert.deepEqual(updates, []);
  assert.equal(await alive(secret), false);
});

test('a device’s sync notes the use, and does its work when that fails', async (t) => {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const { secret, user, email } = account;
  await fill(tableOf(peal(), 'Directory'), [
    { ...sessionKey(user, hashSecret(secret)), email, createdAt: 1_700_000_000 },
  ]);
  const stop = peal().cloud.front.intercept(({ action, input }) =>
    action === 'UpdateItem' && JSON.stringify(input).includes('seenAt')
      ? failure(500, 'InternalServerError', 'no')
      : undefined,
  );
  t.after(stop);
  const sync = () => get(peal(), 'messages.json', { secret, device_id: device.id });

  const failed = await sync();
  stop();
  const noted = await sync();

  assert.deepEqual([failed.status, noted.status], [200, 200]);
  assert.ok((await list(secret))[0]!.seen_at > 1_700_000_000);
});

test('the operator sets a password: all sessions and sockets end, the second factor stays unless told', async () => {
  const account = await withTwoFactor(peal());
  const device = await newDevice(account);
  const { email, secret, user, totp } = account;
  using client = new SocketClient(peal().socket);
  await client.say(`login:${device.id}:${secret}`);
  await client.heard(1);
  const reset = async (more: object) =>
    (
      await peal()
        .cloud.functionNamed('Admin')
        .invoke({ command: 'reset-password', email, ...more })
    ).payload;
  const login = (more: Record<string, string>) => post(peal(), 'users/login.json', { email, ...more });

  const first = await reset({ password: 'operator horse', twofa: 'keep' });
  await client.heard(2);
  const old = await login({ password: account.password, twofa: codeOf(totp) });
  const asked = await login({ password: 'operator horse' });
  const second = await reset({ password: 'another horse', twofa: 'off' });
  const plain = await login({ password: 'another horse' });

  assert.deepEqual([first, second], [{ id: user }, { id: user }]);
  assert.deepEqual(client.frames, ['#', 'E']);
  assert.equal(await alive(secret), false);
  assert.deepEqual([old.status, asked.status, plain.status], [400, 412, 200]);
});

test('the operator’s reset refuses what cannot be, and changes nothing', async () => {
  const { email, password, secret } = await newAccount(peal());
  const reset = async (more: object) =>
    (
      await peal()
        .cloud.functionNamed('Admin')
        .invoke({ command: 'reset-password', ...more })
    ).payload;

  const answers = [
    await reset({ email: 'nobody@example.org', password: 'another horse' }),
    await reset({ email: '', password: 'another horse' }),
    await reset({ email, password: 'short' }),
    await reset({ email, password: 'x'.repeat(257) }),
  ];

  assert.deepEqual(answers, [
    { errors: ['email has no account'] },
    { errors: ['email has no account'] },
    { errors: ['password is too short (minimum is 8 characters)'] },
    { errors: ['password is too long (maximum is 256 bytes)'] },
  ]);
  assert.ok(await alive(secret));
  assert.equal((await post(peal(), 'users/login.json', { email, password })).status, 200);
});
