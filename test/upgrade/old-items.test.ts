/** What a deployment has stored before the present code came, and what it stores while the next one rolls out. */

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { hashSecret } from '../../lib/accounts/keys.ts';
import { createApi } from '../../lib/device/index.ts';
import { admin } from '../support/admin.ts';
import { INVITING } from '../support/configs.ts';
import { get, post, refusal, usePeal } from '../support/peal.ts';
import { deviceAgain, type OldItems, oldItems, restore, wireItem } from './old-items.ts';

const peal = usePeal({
  config: INVITING,
  expectedErrors: /NewerItem/,
});

const versions = [0];

const directoryKey = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });
const mailboxKey = (pk: string, sk: number) => ({ pk: { S: pk }, sk: { N: String(sk) } });

for (const version of versions) {
  describe(`items of version ${version}`, () => {
    let old: OldItems;

    beforeEach(async () => {
      old = oldItems(version);
      await restore(peal(), old);
    });

    const send = (fields: Record<string, string>) =>
      post(peal(), 'messages.json', { token: old.account.token, user: old.account.user, ...fields });
    const open = () => createApi({ url: peal().api });

    test('let their account log in, which brings the account to the newest version and into the list', async () => {
      const { email, password, user } = old.account;

      const session = await open().login({ email, password });
      const { payload } = await peal().cloud.functionNamed('Admin').invoke({ command: 'list-accounts' });

      const item = await wireItem(peal(), 'Directory', directoryKey(`email#${email}`, 'account'));
      assert.equal(session.user, user);
      assert.deepEqual([item?.v, item?.listed], [{ N: '1' }, { BOOL: true }]);
      const { accounts } = payload as { accounts: { email: string }[] };
      assert.ok(accounts.some((account) => account.email === email));
    });

    test('keep sessions open, and messages for a device with a key and one without, until they are acknowledged', async () => {
      const api = open().withSecret(old.account.secret);
      const desk = await deviceAgain(old.devices.desk);
      const classic = await deviceAgain(old.devices.classic);

      await desk.inbox.syncOnce(api);
      await classic.inbox.syncOnce(api);
      const left = [await api.sync(desk.id), await api.sync(classic.id)];

      assert.deepEqual(desk.texts(), ['waits', 'fire']);
      assert.deepEqual(classic.texts(), ['waits', 'fire']);
      assert.deepEqual(
        left.map(({ messages }) => messages.length),
        [0, 0],
      );
    });

    test('let an app send, to a device, a phone and a group', async () => {
      const { carriers } = peal();
      const api = open().withSecret(old.account.secret);
      const before = carriers.journal.received.length;
      const friends = await deviceAgain(old.devices.friends);

      const direct = await send({ message: 'new', device: 'phone', sound: 'ding' });
      const grouped = await send({ message: 'to all', user: old.group });
      await carriers.journal.waitFor(before + 2, 20_000);
      await friends.inbox.syncOnce(api.withSecret(old.friend.secret));

      assert.deepEqual([direct.status, grouped.status], [200, 200]);
      assert.deepEqual(friends.texts(), ['to all']);
    });

    test('are counted on: a month’s count, and a request that was done', async () => {
      const key = directoryKey(`user#${old.account.user}`, `quota#${monthOf(old)}`);
      const counted = async () => Number((await wireItem(peal(), 'Directory', key))?.used?.N);
      const before = await counted();
      const { email } = old.account;
      await admin(peal(), { command: 'set-quota', email, quota: 1000 });

      const repeated = await send({ message: 'waits', title: 'Old', idempotency_key: 'old' });
      const afterRepeat = await counted();
      const { body } = await get(peal(), 'apps/limits.json', { token: old.account.token });

      assert.equal(repeated.status, 200);
      assert.equal(afterRepeat, before);
      assert.equal(body.limit, 1000);
    });

    test('let an app get a new token, a device another name, and bring both to the newest version', async () => {
      const { user, secret } = old.account;
      const api = open().withSecret(secret);
      const [app] = await api.listApps();

      const token = await api.rotateApp(app!.id);
      await api.updateDevice(old.devices.desk.device, { name: 'desk2' });
      const sent = await send({ token, message: 'with the new token' });

      const owned = await wireItem(peal(), 'Directory', directoryKey(`user#${user}`, 'apps'));
      const byToken = await wireItem(peal(), 'Directory', directoryKey(`token#${hashSecret(token)}`, 'app'));
      const devices = await wireItem(peal(), 'Directory', directoryKey(`user#${user}`, 'devices'));
      assert.equal(sent.status, 200);
      assert.deepEqual([owned?.entries !== undefined, byToken?.v], [true, { N: '1' }]);
      assert.deepEqual(devices?.v, { N: '1' });
    });

    test('let groups change, and an invitation be used once', async () => {
      const { token } = old.account;
      const { user } = old.friend;
      const { invitation } = old;
      const email = `guest-${Date.now()}@example.org`;

      const removed = await post(peal(), `groups/${old.group}/remove_user.json`, { token, user });
      const added = await post(peal(), `groups/${old.group}/add_user.json`, { token, user });
      const guest = await post(peal(), 'users.json', { email, password: 'correct horse', invitation });
      const again = await post(peal(), 'users.json', {
        email: `x${email}`,
        password: 'correct horse',
        invitation,
      });

      assert.deepEqual([removed.status, added.status, guest.status, again.status], [200, 200, 200, 400]);
    });

    test('are deleted with their account', async () => {
      const { email, user, token } = old.account;

      const { payload } = await peal()
        .cloud.functionNamed('Admin')
        .invoke({ command: 'delete-account', email });
      const sent = await send({ message: 'nobody', token });

      assert.deepEqual(payload, { user, done: true });
      assert.equal(sent.status, 400);
      for (const { device } of [old.devices.desk, old.devices.classic, old.devices.phone]) {
        const { Count } = await peal().cloud.front.send('local-root', 'dynamodb', 'Query', {
          TableName: peal().cloud.tableName('Mailbox'),
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: device } },
        });
        assert.equal(Count, 0);
      }
    });
  });
}

describe('an item of a later version', () => {
  let old: OldItems;

  beforeEach(async () => {
    old = oldItems(0);
    await restore(peal(), old);
  });

  /** Stores an item of the fixture as later code would. */
  async function fromTheFuture(table: 'Directory' | 'Mailbox', key: Record<string, Record<string, string>>) {
    const { cloud } = peal();
    const item = await wireItem(peal(), table, key);
    assert.ok(item);
    const Item = { ...item, v: { N: '99' } } as Parameters<typeof cloud.front.send>[3];
    await cloud.front.send('local-root', 'dynamodb', 'PutItem', { TableName: cloud.tableName(table), Item });
  }

  test('is no reason to log a device out: its session is a server’s fault, and good again afterwards', async () => {
    const { user, secret } = old.account;
    await fromTheFuture('Directory', directoryKey(`user#${user}`, `session#${hashSecret(secret)}`));
    const api = createApi({ url: peal().api }).withSecret(secret);

    const refused = await refusal(api.listDevices());
    await restore(peal(), old);
    const devices = await api.listDevices();

    assert.equal(refused.status, 500);
    assert.equal(devices.length, 3);
  });

  test('among messages stays where it is, and keeps no other back', async () => {
    const { device } = old.devices.desk;
    const [first] = old.Mailbox.filter(({ pk, sk }) => pk?.S === device && Number(sk?.N) > 0)
      .map(({ sk }) => Number(sk?.N))
      .sort((a, b) => a - b);
    await fromTheFuture('Mailbox', mailboxKey(device, first!));
    const api = createApi({ url: peal().api }).withSecret(old.account.secret);
    const desk = await deviceAgain(old.devices.desk);

    await desk.inbox.syncOnce(api);

    assert.deepEqual(desk.texts(), ['fire']);
    assert.ok(await wireItem(peal(), 'Mailbox', mailboxKey(device, first!)));
  });

  test('among lists of devices makes a message to them fail as a whole, and not go nowhere', async () => {
    const { user, token } = old.account;
    await fromTheFuture('Directory', directoryKey(`user#${user}`, 'devices'));

    const before = await stored();

    const { status } = await post(peal(), 'messages.json', { token, user, message: 'not yet' });

    assert.equal(status, 500);
    assert.deepEqual(await stored(), before);

    async function stored(): Promise<unknown> {
      const { Items } = await peal().cloud.front.send('local-root', 'dynamodb', 'Query', {
        TableName: peal().cloud.tableName('Mailbox'),
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: old.devices.phone.device } },
      });
      return Items;
    }
  });
});

/** The month that the old messages were counted in. */
function monthOf({ Directory, account }: OldItems): string {
  const counts = Directory.filter(({ pk }) => pk?.S === `user#${account.user}`).map(({ sk }) => sk?.S);
  return String(counts.find((sk) => String(sk).startsWith('quota#'))).slice('quota#'.length);
}
