/** Groups in the sessions of the account that owns them, and deleting them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupKey } from '../../lib/accounts/directory.ts';
import { createAccountApi } from '../../lib/device/account-api.ts';
import { Groups } from '../../lib/groups/groups.ts';
import { queryPage } from '../../lib/storage/query.ts';
import { failure } from '../../local/aws/intercept.ts';
import { crowd } from '../support/crowd.ts';
import { newDevice } from '../support/devices.ts';
import { tableOf } from '../support/directory.ts';
import { get, newAccount, post, refusal, request, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /InternalServerError|InternalFailure/ });

const TOKEN_ERROR = 'application token is invalid, see https://pushover.net/api';
const GROUP_ERROR = 'group not found or you are not authorized to edit it';
const CHANGES = ['add_user', 'remove_user', 'disable_user', 'enable_user', 'rename', 'delete'];

/** An account with a phone, as its owner manages it. */
async function owner() {
  const account = await newAccount(peal());
  const phone = await newDevice(account, { name: 'phone' });
  return { ...account, phone, manage: createAccountApi({ url: peal().api, secret: account.secret }) };
}

const send = (token: string, user: string) =>
  post(peal(), 'messages.json', { token, user, message: 'hello' });

/** What is left of a group in the Directory. */
async function left(user: string, group: string): Promise<number> {
  const directory = tableOf(peal(), 'Directory');
  const { pk } = groupKey(group);
  const own = await new Groups(directory, Date.now).keysOf(user);
  return (await queryPage(directory, { pk })).items.length + own.filter((key) => key === group).length;
}

test('in a session a group is made, filled, renamed and seen, and an app of the account sees the same', async () => {
  const { manage, user, token } = await owner();

  const group = await manage.createGroup('Night');
  await manage.addMember(group, { user, device: 'phone', memo: 'on call' });
  await manage.setMemberEnabled(group, { user, device: 'phone' }, false);
  await manage.renameGroup(group, 'Night shift');
  const listed = await manage.listGroups();
  const page = await manage.listMembers(group);
  const seen = await get(peal(), `groups/${group}.json`, { token });
  await manage.setMemberEnabled(group, { user, device: 'phone' }, true);
  const sent = await send(token, group);
  await manage.removeMember(group, { user });
  const empty = await manage.listMembers(group);

  const member = { user, device: 'phone', memo: 'on call', disabled: true };
  assert.deepEqual(listed, [{ group, name: 'Night shift', members: 1 }]);
  assert.deepEqual(page, { name: 'Night shift', members: [member], next: undefined });
  assert.deepEqual(seen.body.users, [member]);
  assert.equal(sent.status, 200);
  assert.deepEqual(empty.members, []);
});

test('who gives no credential hears of the token, who gives a wrong secret of the secret, and a token counts first', async () => {
  const { manage, token, secret } = await owner();
  const group = await manage.createGroup('Night');
  const paths = [`groups/${group}`, 'groups'];
  const bearer = (value: string) => ({ headers: { Authorization: `Bearer ${value}` } });

  const neither = await Promise.all(paths.map((path) => get(peal(), `${path}.json`, {})));
  const wrong = await Promise.all(
    paths.map((path) => request(peal(), `${path}.json`, bearer('x'.repeat(60)))),
  );
  const both = await request(peal(), `groups/${group}.json?token=${token}`, bearer('x'));
  const badToken = await get(peal(), 'groups.json', { token: 'x', secret });

  for (const { status, body } of [...neither, badToken]) {
    assert.equal(status, 400);
    assert.deepEqual([body.token, body.errors], ['invalid', [TOKEN_ERROR]]);
  }
  for (const { status, body } of wrong) assert.deepEqual([status, body.secret], [400, 'invalid']);
  assert.equal(both.status, 200);
});

test('to a session of another account a group is as unknown as one that is not there', async () => {
  const { manage, user } = await owner();
  const group = await manage.createGroup('Mine');
  await manage.addMember(group, { user });
  const { secret } = await owner();
  const fields = { secret, user, name: 'Theirs' };
  const nobodys = `g${'x'.repeat(29)}`;

  const answers = await Promise.all([
    ...[group, nobodys].map((key) => get(peal(), `groups/${key}.json`, { secret })),
    ...CHANGES.flatMap((change) =>
      [group, nobodys].map((key) => post(peal(), `groups/${key}/${change}.json`, fields)),
    ),
  ]);

  for (const { status, body } of answers) {
    assert.deepEqual([status, body.group, body.errors], [400, 'not found', [GROUP_ERROR]]);
  }
  const member = { user, device: null, memo: null, disabled: false };
  assert.deepEqual(await manage.listMembers(group), { name: 'Mine', members: [member], next: undefined });
});

test('the members of a large group come page by page, each once', async () => {
  const { manage, user } = await owner();
  const key = await manage.createGroup('Crowd');
  const people = await crowd(tableOf(peal(), 'Directory'), { key, owner: user }, 250);

  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const page = await manage.listMembers(key, { after, limit: 100 });
    pages.push(page.members.map((member) => member.user));
    after = page.next;
  } while (after !== undefined);
  const exact = await manage.listMembers(key, { limit: 250 });

  assert.deepEqual(
    pages.map(({ length }) => length),
    [100, 100, 50],
  );
  assert.deepEqual(pages.flat().sort(), people.map((person) => person.user).sort());
  assert.equal(exact.next, undefined);
});

test('a deleted group is gone for senders, its owner and the table', async () => {
  const { manage, user, token } = await owner();
  const key = await manage.createGroup('Crowd');
  await crowd(tableOf(peal(), 'Directory'), { key, owner: user }, 60);

  await manage.deleteGroup(key);
  const sent = await send(token, key);
  const again = await refusal(manage.deleteGroup(key));
  const valid = await post(peal(), 'users/validate.json', { token, user: key });

  assert.deepEqual([sent.status, sent.body.user], [400, 'invalid']);
  assert.equal(again.fields.group, 'not found');
  assert.equal(valid.status, 400);
  assert.deepEqual(await manage.listGroups(), []);
  assert.equal(await left(user, key), 0);
});

test('a deletion that dies on its way has ended the group all the same, and is completed by repeating it', async () => {
  const { manage, user, token } = await owner();
  const key = await manage.createGroup('Crowd');
  await crowd(tableOf(peal(), 'Directory'), { key, owner: user }, 60);

  // The second batch of members; the owner's list, after the group's mark; the group's own item.
  for (const [step, passed, listed] of [
    ['BatchWriteItem', 1, 1],
    ['UpdateItem', 1, 1],
    ['DeleteItem', 0, 0],
  ] as const) {
    let calls = 0;
    const stop = peal().cloud.front.intercept(({ caller, action }) =>
      caller.name.includes('Groups') && action === step && calls++ >= passed
        ? failure(500, 'InternalFailure', 'no')
        : undefined,
    );
    assert.equal((await refusal(manage.deleteGroup(key))).status, 500);
    stop();
    assert.equal((await send(token, key)).status, 400);
    assert.equal((await refusal(manage.renameGroup(key, 'x'))).fields.group, 'not found');
    assert.equal((await refusal(manage.listMembers(key))).fields.group, 'not found');
    assert.equal((await manage.listGroups()).length, listed);
  }
  await manage.deleteGroup(key);

  assert.deepEqual(await manage.listGroups(), []);
  assert.equal(await left(user, key), 0);
});

test('how many members a page has is taken from 1 to 1,000, and refused by its name beyond', async () => {
  const { manage, secret } = await owner();
  const group = await manage.createGroup('Night');
  const ask = async (limit: string) => get(peal(), `groups/${group}.json`, { secret, limit });

  const taken = await Promise.all(['1', '1000'].map(ask));
  const refused = await Promise.all(['0', '1001', '-1', '1.5', 'x', '9'.repeat(99)].map(ask));

  for (const { status } of taken) assert.equal(status, 200);
  for (const { status, body } of refused) {
    assert.deepEqual([status, body.limit], [400, 'must be a number from 1 to 1000']);
  }
});
