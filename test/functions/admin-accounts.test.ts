import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';
import { describe, test } from 'node:test';
import { enlist, listAccounts } from '../../lib/accounts/account-index.ts';
import { accountKey, memberKey } from '../../lib/accounts/directory.ts';
import { canonicalEmail, type Email } from '../../lib/accounts/email.ts';
import { createApi } from '../../lib/device/index.ts';
import { chunkKey, itemOf as entryOf } from '../../lib/history/entry.ts';
import { firstIdAt } from '../../lib/mailbox/message-id.ts';
import { failure } from '../../local/aws/intercept.ts';
import { s3Error } from '../../local/aws/s3-answers.ts';
import { mp3 } from '../media/builders.ts';
import { admin, adminRefusal } from '../support/admin.ts';
import { QUOTA } from '../support/configs.ts';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { fill, fillWithTexts, tableOf } from '../support/directory.ts';
import { imageOf } from '../support/images.ts';
import { get, newAccount, post, request, type TestAccount, usePeal } from '../support/peal.ts';
import { useDirectory } from '../support/table.ts';

const peal = usePeal({
  config: QUOTA,
  // Faults that tests put in the way of a deletion.
  expectedErrors: /(ValidationException|InvalidRequest): no/,
});

const send = (account: TestAccount, fields: Record<string, string>) =>
  post(peal(), 'messages.json', { token: account.token, user: account.user, ...fields });

/** All items of the tables, as DynamoDB's wire has them. */
async function everything(): Promise<string[]> {
  const { cloud } = peal();
  const items: string[] = [];
  for (const name of ['Directory', 'Mailbox'] as const) {
    const answer = await cloud.front.send('local-root', 'dynamodb', 'Scan', {
      TableName: cloud.tableName(name),
    });
    for (const item of answer.Items as unknown[]) items.push(JSON.stringify(item));
  }
  return items;
}

let befriending: Promise<TestAccount> | undefined;

/** An account with everything that an account can have. All have one friend: an account takes long to make. */
async function furnished() {
  const account = await newAccount(peal());
  befriending ??= newAccount(peal());
  const friend = await befriending;
  const { token, user, secret } = account;
  const desk = await newDevice(account, { name: 'desk' });
  const classic = await newDevice(account, { name: 'classic', platform: 'open' });
  const phone = await newDevice(account, { name: 'phone', platform: 'android', push: fcmTarget() });
  const others = await newDevice(friend);
  const group = async (owner: TestAccount, member: string) => {
    const { body } = await post(peal(), 'groups.json', { token: owner.token, name: 'Group' });
    const key = String(body.group);
    await post(peal(), `groups/${key}/add_user.json`, { token: owner.token, user: member, memo: 'noted' });
    return key;
  };
  const own = await group(account, friend.user);
  const others_ = await group(friend, user);
  await post(peal(), `groups/${others_}/add_user.json`, { token: friend.token, user: friend.user });
  const sound = new FormData();
  sound.set('secret', secret);
  sound.set('name', 'ding');
  sound.set('sound', new Blob([Buffer.from(mp3(20))]), 'file');
  const { body: added } = await request(peal(), 'sounds.json', { method: 'POST', body: sound });
  await send(account, { message: 'to me' });
  await desk.sync();
  const image = imageOf('image/png', 500).toString('base64');
  await send(account, { message: 'with an image', attachment_base64: image });
  const { body } = await send(account, {
    message: 'fire',
    priority: '2',
    retry: '600',
    expire: '1800',
    tags: 'mine,yours',
  });
  return {
    account,
    friend,
    desk,
    classic,
    phone,
    others,
    own,
    foreign: others_,
    token,
    sound: `${peal().api}/sounds/${added.id}.mp3`,
    receipt: String(body.receipt),
  };
}

describe('deleting an account', () => {
  test('leaves nothing of it, and everything of others', async (t) => {
    const { account, friend, others, own, foreign, sound, receipt, desk } = await furnished();
    const socket = new WebSocket(peal().socket);
    t.after(() => socket.close());
    await once(socket, 'open');
    const greeting = once(socket, 'message');
    socket.send(`login:${desk.id}:${desk.secret}`);
    await greeting;
    // Signals of what was sent before may come in between.
    const farewell = (async () => {
      for await (const [{ data }] of on(socket, 'message', { signal: AbortSignal.timeout(20_000) }))
        if (data === 'E') return data;
      return undefined;
    })();
    const { email, password, user } = account;
    const soundBefore = (await fetch(sound)).status;
    await peal().cloud.poller('FcmPush').drained();
    // It has sent to very many, too, of whom not all were reached.
    const fanned = { owner: user, id: firstIdAt(Date.now()), request: randomUUID(), users: 60, chunks: 3 };
    const at = Math.floor(Date.now() / 1000);
    const said = { app: { id: 1, name: 'App' }, priority: 0, receivedAt: at, expiresAt: at + 60 };
    await fill(tableOf(peal(), 'Mailbox'), [
      entryOf({ ...fanned, ...said }, at + 3600),
      { ...chunkKey(fanned.request, 2), copies: new Set([`${desk.id} 1 ${user}`]), ttl: at + 3600 },
    ]);
    const names = [user, email, desk.id, receipt, fanned.request];
    const before = (await everything()).filter((item) => item.includes(receipt));

    const removal = await admin(peal(), { command: 'delete-account', email });

    const left = (await everything()).filter((item) => names.some((name) => item.includes(name)));
    const [toThem, toOwnGroup, toForeignGroup, login, byToken] = [
      await send({ ...account, token: friend.token }, { message: 'anybody?' }),
      await send({ ...account, token: friend.token, user: own }, { message: 'anybody?' }),
      await send({ ...account, token: friend.token, user: foreign }, { message: 'friends' }),
      await post(peal(), 'users/login.json', { email, password }),
      await send(account, { message: 'by the token' }),
    ];
    await others.sync();
    assert.deepEqual(removal, { user, done: true });
    // The receipt, its recipients, its delivery, its two tags, that the account has it, its entry in the history.
    assert.ok(before.length >= 7, before.join('\n'));
    // What counts failed logins is hashed; what is left names neither.
    assert.deepEqual(left, []);
    assert.equal(await farewell, 'E');
    assert.deepEqual(
      [toThem, toOwnGroup, toForeignGroup, login, byToken].map(({ status }) => status),
      [400, 400, 200, 400, 400],
    );
    assert.deepEqual(others.texts(), ['friends']);
    assert.deepEqual([soundBefore, (await fetch(sound)).status], [200, 404]);
    const asked = await get(peal(), `receipts/${receipt}.json`, { token: friend.token });
    assert.equal(asked.status, 400);
  });

  for (const first of [1, 2]) {
    test(`that dies again and again goes on where it was (at call ${first}, ${first + 2}, …)`, async () => {
      const { account } = await furnished();
      const { email, user } = account;
      const { front, functionNamed } = peal().cloud;
      let attempts = 0;

      for (let fault = first, died = true; died; fault += 2) {
        let calls = 0;
        const stop = front.intercept(({ caller, service }) => {
          const counted = caller.name.includes('Admin') && (service === 'dynamodb' || service === 's3');
          if (!counted || ++calls < fault) return undefined;
          return service === 's3'
            ? s3Error(400, 'InvalidRequest', 'no')
            : failure(400, 'ValidationException', 'no');
        });
        const { error } = await functionNamed('Admin').invoke({ command: 'delete-account', email });
        stop();
        died = error !== undefined;
        attempts++;
      }

      const left = (await everything()).filter((item) => item.includes(user) || item.includes(email));
      assert.deepEqual(left, []);
      assert.ok(attempts > 5, String(attempts));
    });
  }

  test('frees its address, and refuses one that nobody has', async () => {
    const { email, password, user } = await newAccount(peal());
    await admin(peal(), { command: 'delete-account', email });

    const again = await adminRefusal(peal(), { command: 'delete-account', email });
    const made = await createApi({ url: peal().api }).signUp({ email, password });

    assert.deepEqual(again, ['email has no account']);
    assert.notEqual(made.user, user);
  });

  test('keeps everybody from logging in or getting a password meanwhile', async () => {
    const { email, password } = await newAccount(peal());
    const { front, functionNamed } = peal().cloud;
    const stop = front.intercept(({ caller, action }) =>
      caller.name.includes('Admin') && action === 'Query'
        ? failure(400, 'ValidationException', 'no')
        : undefined,
    );
    await functionNamed('Admin').invoke({ command: 'delete-account', email });
    stop();

    const login = await post(peal(), 'users/login.json', { email, password });
    const signUp = await post(peal(), 'users.json', { email, password });
    const reset = await adminRefusal(peal(), { command: 'reset-password', email, password, twofa: 'keep' });
    const { deleting } = await admin(peal(), { command: 'show-account', email });

    assert.deepEqual([login.status, signUp.status], [400, 400]);
    assert.match(JSON.stringify(signUp.body), /already been taken/);
    assert.deepEqual(reset, ['email has no account']);
    assert.equal(deleting, true);
  });
});

describe('exporting an account', () => {
  test('gives all that is stored of it, and no secret', async () => {
    const { account, friend, desk, own, foreign, receipt } = await furnished();
    const { email, user, secret, token } = account;

    const sections = new Map<string, unknown[]>();
    let cursor: string | undefined;
    do {
      const piece = await admin(peal(), { command: 'export-account', email, cursor });
      for (const { section, entries } of piece.parts)
        sections.set(section, [...(sections.get(section) ?? []), ...entries]);
      cursor = piece.next;
    } while (cursor !== undefined);

    const all = JSON.stringify([...sections]);
    const counts = Object.fromEntries([...sections].map(([name, entries]) => [name, entries.length]));
    assert.deepEqual(counts, {
      account: 1,
      sessions: 1,
      devices: 3,
      apps: 1,
      sounds: 1,
      groups: 1,
      group_members: 1,
      memberships: 1,
      receipts: 1,
      other: 1,
      messages: 8,
      sent: 3,
      acknowledged: 1,
    });
    for (const known of [email, user, desk.id, own, foreign, receipt, friend.user, 'noted', 'quota#'])
      assert.ok(all.includes(known), known);
    for (const hidden of [secret, token, 'argon2', 'sealed":"', 'registration']) {
      assert.equal(all.includes(hidden), false, hidden);
    }
    const plain = (sections.get('messages') as { message?: { message: string } }[]).flatMap(
      ({ message }) => message?.message ?? [],
    );
    assert.deepEqual(plain, ['to me', 'with an image', 'fire']);
  });

  test('of a group larger than an answer comes in pieces, each member once', async () => {
    const account = await newAccount(peal());
    const { body } = await post(peal(), 'groups.json', { token: account.token, name: 'Large' });
    const memo = '😀'.repeat(200);
    // More than a piece holds.
    const users = Array.from({ length: 4_000 }, (_, n) => `u${String(n).padStart(29, '0')}`);
    await fillWithTexts(
      peal(),
      'Directory',
      users.map((user) => ({ ...memberKey(String(body.group), user, undefined), user, memo })),
    );

    const found: string[] = [];
    let pieces = 0;
    let cursor: string | undefined;
    do {
      const piece = await admin(peal(), { command: 'export-account', email: account.email, cursor });
      const members = piece.parts.filter(({ section }) => section === 'group_members');
      found.push(
        ...members.flatMap(({ entries }) => (entries as { user: string }[]).map(({ user }) => user)),
      );
      cursor = piece.next;
      pieces++;
    } while (cursor !== undefined);

    assert.ok(pieces > 1);
    assert.deepEqual(found, users);
  });

  test('refuses an address without an account, and a cursor that is none', async () => {
    const { email } = await newAccount(peal());

    const nobody = await adminRefusal(peal(), { command: 'export-account', email: 'nobody@example.org' });
    const lost = await adminRefusal(peal(), { command: 'export-account', email, cursor: '{"section":99}' });

    assert.deepEqual(nobody, ['email has no account']);
    assert.deepEqual(lost, ['cursor is not where a piece ended']);
  });
});

describe('the list of accounts', () => {
  const directory = useDirectory();

  test('has every account once, in the order of the addresses, page by page', async () => {
    const names = Array.from(
      { length: 120 },
      (_, n) => canonicalEmail(`${(n * 7919) % 1000}-é𝄞-${n}@example.org`)!,
    );
    for (const email of [...names, 'orphan@example.org' as Email])
      await enlist(directory(), email, `u-${email}`);
    await fill(
      directory(),
      names.map((email) => ({ ...accountKey(email), user: `u-${email}`, createdAt: 1 })),
    );

    const listed: string[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = await listAccounts(directory(), after, 10);
      assert.ok(page.accounts.length <= 10);
      listed.push(...page.accounts.map(({ email }) => email));
      after = page.next;
      pages++;
    } while (after !== undefined);

    const expected = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(listed, expected);
    assert.ok(pages > 10);
  });

  test('names a new account at once, and never one whose sign-up was refused', async () => {
    const { email, user } = await newAccount(peal());
    await post(peal(), 'users.json', { email, password: 'another horse' });

    const { accounts } = await admin(peal(), { command: 'list-accounts' });

    const mine = accounts.filter((account) => account.email === email);
    assert.deepEqual(
      mine.map((account) => account.user),
      [user],
    );
  });
});

describe('an account’s own quota', () => {
  const limitOf = async (token: string) => (await get(peal(), 'apps/limits.json', { token })).body;

  test('is honoured by every app of it, also by one that is made or rotated later', async () => {
    const account = await newAccount(peal());
    const { email, api, token } = account;
    await newDevice(account);

    const set = await admin(peal(), { command: 'set-quota', email, quota: 2 });
    const { id, token: later } = await api.createApp('later');
    const rotated = await api.rotateApp(id);
    const first = await send({ ...account, token: rotated }, { message: 'one' });
    const second = await send(account, { message: 'two' });
    const third = await send(account, { message: 'three' });

    assert.deepEqual(set.quota, { limit: 2, own: true, remaining: 2 });
    assert.notEqual(later, rotated);
    assert.deepEqual(
      [first, second, third].map(({ status }) => status),
      [200, 200, 429],
    );
    assert.equal(first.headers.get('x-limit-app-limit'), '2');
    assert.equal((await limitOf(token)).remaining, 0);
  });

  test('may be none, and goes back to the deployment’s', async () => {
    const account = await newAccount(peal());
    const { email, token, secret } = account;
    await newDevice(account);

    await admin(peal(), { command: 'set-quota', email, quota: 0 });
    const unlimited = await limitOf(token);
    const { status } = await send(account, { message: 'counted all the same' });
    const { body: exempt } = await get(peal(), 'usage.json', { secret });
    await admin(peal(), { command: 'set-quota', email, quota: 'default' });
    const back = await limitOf(token);
    const { body: usual } = await get(peal(), 'usage.json', { secret });
    const { quota } = await admin(peal(), { command: 'show-account', email });

    assert.equal(status, 200);
    assert.equal(unlimited.limit, 2 ** 31 - 1);
    assert.deepEqual([exempt.used, exempt.limit, exempt.remaining], [1, undefined, undefined]);
    assert.equal(back.limit, 100);
    assert.deepEqual([usual.used, usual.limit, usual.remaining], [1, 100, 99]);
    assert.deepEqual(quota, { limit: 100, own: false, remaining: 99 });
  });

  test('that is changed twice at once ends as one of both for all apps', async () => {
    const account = await newAccount(peal());
    const { email, api, token } = account;
    const others = await Promise.all(['a', 'b', 'c'].map((name) => api.createApp(name)));

    await Promise.all([
      admin(peal(), { command: 'set-quota', email, quota: 11 }),
      admin(peal(), { command: 'set-quota', email, quota: 22 }),
      api.createApp('d').then((made) => others.push(made)),
    ]);

    const { quota } = await admin(peal(), { command: 'show-quota', email });
    const limits = await Promise.all([token, ...others.map((app) => app.token)].map(limitOf));
    assert.ok([11, 22].includes(quota.limit));
    assert.deepEqual(
      limits.map(({ limit }) => limit),
      limits.map(() => quota.limit),
    );
  });

  test('costs a message no read and no write more', async () => {
    const account = await newAccount(peal());
    await newDevice(account);
    const { front } = peal().cloud;
    const countCalls = async () => {
      const calls: string[] = [];
      const stop = front.intercept(({ caller, service, action }) => {
        if (caller.name.includes('Send') && service === 'dynamodb') calls.push(action);
        return undefined;
      });
      await send(account, { message: 'counted' });
      stop();
      return calls.sort();
    };

    const before = await countCalls();
    await admin(peal(), { command: 'set-quota', email: account.email, quota: 50 });
    const after = await countCalls();

    assert.deepEqual(after, before);
  });

  test('is a whole number', async () => {
    const { email } = await newAccount(peal());

    for (const quota of [-1, 1.5, 2 ** 31, Number.NaN]) {
      const refused = await adminRefusal(peal(), { command: 'set-quota', email, quota });
      assert.match(refused.join(), /quota must be a whole number/);
    }
  });
});

describe('apps of an account', () => {
  test('are listed, rotated and deleted by the operator', async () => {
    const account = await newAccount(peal());
    const { email } = account;
    const [app] = (await admin(peal(), { command: 'list-apps', email })).apps;

    const { token } = await admin(peal(), { command: 'rotate-app', email, app: app!.id });
    const old = await send(account, { message: 'old' });
    const fresh = await get(peal(), 'apps/limits.json', { token });
    await admin(peal(), { command: 'delete-app', email, app: app!.id });
    const gone = await adminRefusal(peal(), { command: 'delete-app', email, app: app!.id });
    const foreign = await adminRefusal(peal(), { command: 'rotate-app', email, app: 'x' });

    assert.equal(app!.name, 'Tests');
    assert.deepEqual([old.status, fresh.status], [400, 200]);
    assert.deepEqual([gone, foreign], [['app not found'], ['app not found']]);
  });
});

describe('invitations', () => {
  test('are listed until they are used, taken back or over', async () => {
    const kept = await admin(peal(), { command: 'invite', note: 'for Ann' });
    const revoked = await admin(peal(), { command: 'invite' });

    await admin(peal(), { command: 'revoke-invitation', id: revoked.id });
    const { invitations } = await admin(peal(), { command: 'list-invitations' });
    const again = await adminRefusal(peal(), { command: 'revoke-invitation', id: revoked.id });
    const long = await adminRefusal(peal(), { command: 'invite', note: 'x'.repeat(201) });

    const [found] = invitations;
    assert.deepEqual([invitations.length, found?.id, found?.note], [1, kept.id, 'for Ann']);
    assert.equal(found!.expiresAt - found!.createdAt, 7 * 24 * 3600);
    assert.deepEqual(again, ['invitation not found']);
    assert.match(long.join(), /note is too long/);
  });
});
