import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { groupKey, groupsKey, memberKey } from '../../lib/accounts/directory.ts';
import { randomKey } from '../../lib/accounts/keys.ts';
import { newDevice } from '../support/devices.ts';
import { fill, fillWithTexts, tableOf } from '../support/directory.ts';
import { get, newAccount, post, request, usePeal } from '../support/peal.ts';
import { anyCharacter } from '../support/text.ts';

const peal = usePeal({ expectedErrors: /InternalServerError/ });

const TOKEN_ERROR = 'application token is invalid, see https://pushover.net/api';
const GROUP_ERROR = 'group not found or you are not authorized to edit it';
const NOBODY = `u${'x'.repeat(29)}`;
const NO_GROUP = `g${'x'.repeat(29)}`;

type Fields = Record<string, string>;

let owning: ReturnType<typeof newAccount> | undefined;
let joining: ReturnType<typeof person> | undefined;

/** An account with a phone and a tablet to be a member: the same for all tests that send nothing to it. */
function somebody() {
  joining ??= person('phone', 'tablet');
  return joining;
}

/** A group, and short ways to what its owner's app can do with it. All have one owner: an account takes long to make. */
async function ready(name = 'Night shift') {
  owning ??= newAccount(peal());
  const owner = await owning;
  const { body } = await post(peal(), 'groups.json', { token: owner.token, name });
  const group = body.group as string;
  const act = (what: string, fields: Fields) =>
    post(peal(), `groups/${group}/${what}.json`, { token: owner.token, ...fields });
  const view = async (query: Fields = {}) =>
    (await get(peal(), `groups/${group}.json`, { token: owner.token, ...query })).body;
  const send = (message: string, more: Fields = {}) =>
    post(peal(), 'messages.json', { token: owner.token, user: group, message, ...more });
  return { ...owner, group, act, view, send };
}

/** Another account, with a device of each name. */
async function person(...names: string[]) {
  const account = await newAccount(peal());
  const devices = [];
  for (const name of names) devices.push(await newDevice(account, { name }));
  return { ...account, devices };
}

const withoutRequest = ({ request: _, ...rest }: Record<string, unknown>) => rest;

test('a group is made, renamed and listed', async () => {
  const { token, group, act, view } = await ready('First');
  const other = await post(peal(), 'groups', { token, name: 'Other' });

  const renamed = await act('rename', { name: 'Second' });
  const list = await get(peal(), 'groups.json', { token });
  const seen = await view();

  assert.match(group, /^g[A-Za-z0-9]{29}$/);
  assert.deepEqual(withoutRequest(renamed.body), { status: 1 });
  assert.deepEqual(list.body.groups, [
    { group: other.body.group, name: 'Other', members: 0 },
    { group, name: 'Second', members: 0 },
  ]);
  assert.deepEqual(withoutRequest(seen), { name: 'Second', users: [], status: 1 });
});

test('members come, are turned off and on, and go, one device or all of a user', async () => {
  const { act, view } = await ready();
  const { user } = await somebody();

  const answers = [
    await act('add_user', { user, device: 'phone', memo: 'on call' }),
    await act('add_user', { user, device: 'tablet' }),
    await act('add_user', { user, device: '' }),
    await act('disable_user', { user, device: 'Tablet' }),
  ];
  const three = await view();
  answers.push(await act('disable_user', { user }), await act('enable_user', { user, device: 'phone' }));
  const off = await view();
  answers.push(await act('remove_user', { user, device: 'phone' }));
  const two = await view();
  answers.push(await act('delete_user', { user }));
  const none = await view();

  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.deepEqual(three.users, [
    { user, device: null, memo: null, disabled: false },
    { user, device: 'phone', memo: 'on call', disabled: false },
    { user, device: 'tablet', memo: null, disabled: true },
  ]);
  assert.deepEqual(
    (off.users as { disabled: boolean }[]).map(({ disabled }) => disabled),
    [true, false, true],
  );
  assert.deepEqual(
    (two.users as { device: string | null }[]).map(({ device }) => device),
    [null, 'tablet'],
  );
  assert.deepEqual(none.users, []);
});

test('paths without a suffix work', async () => {
  const { token, group } = await ready('Plain');
  const { user } = await somebody();

  const added = await post(peal(), `groups/${group}/add_user`, { token, user });
  const seen = await get(peal(), `groups/${group}`, { token });
  const list = await get(peal(), 'groups', { token });

  assert.deepEqual([added.status, seen.status, list.status], [200, 200, 200]);
  assert.equal(seen.body.name, 'Plain');
});

/** What is refused: the change, its fields, the parameter at fault with its reason, and the sentence. */
type Refused = [what: string, change: string, fields: Fields, fault: Fields, error: string];

const TOO_LONG_MEMO = 'is too long (maximum is 200 characters)';
const TOO_LONG_NAME = 'is too long (maximum is 100 characters)';
const BAD_NAME = 'is invalid, must be 1 to 25 letters, digits, _ or -';

const REFUSED: Refused[] = [
  ['adding nobody', 'add_user', { user: '' }, { user: 'invalid' }, 'user key is invalid'],
  ['adding an unknown user', 'add_user', { user: NOBODY }, { user: 'invalid' }, 'user key is invalid'],
  ['adding a group', 'add_user', { user: NO_GROUP }, { user: 'invalid' }, 'user key is invalid'],
  [
    'adding a member again',
    'add_user',
    { device: 'phone' },
    { user: 'invalid' },
    'user is already a member of this group',
  ],
  [
    'adding a device that the user has not',
    'add_user',
    { device: 'desk' },
    { device: 'invalid for this user' },
    'device name is not valid for this user',
  ],
  ['a malformed device', 'add_user', { device: 'a b' }, { device: BAD_NAME }, `device ${BAD_NAME}`],
  ['a long memo', 'add_user', { memo: '😀'.repeat(201) }, { memo: TOO_LONG_MEMO }, `memo ${TOO_LONG_MEMO}`],
  [
    'removing who is not in it',
    'remove_user',
    { user: NOBODY },
    { user: 'invalid' },
    'user is not a member of this group',
  ],
  [
    'removing a device that is not in it',
    'delete_user',
    { device: 'tablet' },
    { user: 'invalid' },
    'user is not a member of this group',
  ],
  [
    'disabling who is not in it',
    'disable_user',
    { user: NOBODY },
    { user: 'invalid' },
    'user is not a member of this group',
  ],
  [
    'enabling who is not in it',
    'enable_user',
    { user: NOBODY },
    { user: 'invalid' },
    'user is not a member of this group',
  ],
  ['enabling nobody', 'enable_user', { user: 'u' }, { user: 'invalid' }, 'user key is invalid'],
  ['no name', 'rename', { name: ' ' }, { name: 'cannot be blank' }, 'name cannot be blank'],
  ['a long name', 'rename', { name: 'é'.repeat(101) }, { name: TOO_LONG_NAME }, `name ${TOO_LONG_NAME}`],
];

describe('a change that cannot be', () => {
  /** What none of these tests changes, so that all can have the same. */
  let group: Awaited<ReturnType<typeof ready>>;
  let user: string;
  let unchanged: Record<string, unknown>;

  before(async () => {
    group = await ready();
    ({ user } = await somebody());
    await group.act('add_user', { user, device: 'phone' });
    unchanged = withoutRequest(await group.view());
  });

  for (const [what, change, fields, fault, error] of REFUSED) {
    test(`${what} is refused, and changes nothing`, async () => {
      const { status, body } = await group.act(change, { user, ...fields });

      assert.equal(status, 400);
      assert.deepEqual(withoutRequest(body), { ...fault, errors: [error], status: 0 });
      assert.deepEqual(withoutRequest(await group.view()), unchanged);
    });
  }
});

test('takes names and memos at their limits', async () => {
  const { act, view } = await ready();
  const { user } = await somebody();

  await act('add_user', { user, memo: '😀'.repeat(200) });
  await act('rename', { name: 'é'.repeat(100) });
  const { name, users } = await view();

  assert.equal(name, 'é'.repeat(100));
  assert.equal((users as { memo: string }[])[0]?.memo, '😀'.repeat(200));
});

test('nobody sees or changes a group of another account', async () => {
  const { group, act, view } = await ready();
  const { user } = await somebody();
  await act('add_user', { user });
  const stranger = await newAccount(peal());
  const before = withoutRequest(await view());
  const changes = ['add_user', 'remove_user', 'delete_user', 'disable_user', 'enable_user', 'rename'];
  const fields = { token: stranger.token, user, name: 'Mine' };

  const answers = await Promise.all([
    get(peal(), `groups/${group}.json`, { token: stranger.token }),
    ...changes.map((change) => post(peal(), `groups/${group}/${change}.json`, fields)),
    ...[NO_GROUP, 'g', user].map((key) => get(peal(), `groups/${key}.json`, { token: stranger.token })),
  ]);
  const list = await get(peal(), 'groups.json', { token: stranger.token });

  for (const { status, body } of answers) {
    assert.equal(status, 400);
    assert.deepEqual(withoutRequest(body), { group: 'not found', errors: [GROUP_ERROR], status: 0 });
  }
  assert.deepEqual(list.body.groups, []);
  assert.deepEqual(withoutRequest(await view()), before);
});

test('every endpoint wants an app’s token', async () => {
  const { group, user } = await ready();
  const paths = [
    'groups',
    `groups/${group}/add_user`,
    `groups/${group}/rename`,
    `groups/${group}/enable_user`,
  ];

  const answers = await Promise.all([
    get(peal(), 'groups.json', {}),
    get(peal(), `groups/${group}.json`, { token: user }),
    ...paths.map((path) => post(peal(), `${path}.json`, { token: NOBODY, user, name: 'x' })),
  ]);

  for (const { status, body } of answers) {
    assert.equal(status, 400);
    assert.deepEqual(body.errors, [TOKEN_ERROR]);
  }
});

test('of several who add one member at once, one is told that it worked', async () => {
  const { act, view } = await ready();
  const { user } = await somebody();

  const answers = await Promise.all(Array.from({ length: 6 }, () => act('add_user', { user })));

  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400, 400, 400, 400]);
  assert.equal(((await view()).users as unknown[]).length, 1);
});

test('a member whose writing was answered too late is not taken for another', async () => {
  const { act, view } = await ready();
  const { user } = await somebody();
  let lost = 1;
  const stop = peal().cloud.front.intercept(({ action, input }) =>
    action === 'PutItem' && JSON.stringify(input).includes('member#') && lost-- > 0
      ? { after: 'drop' }
      : undefined,
  );

  const { status } = await act('add_user', { user });
  stop();

  assert.ok(lost < 1);
  assert.equal(status, 200);
  assert.equal(((await view()).users as unknown[]).length, 1);
});

test('a full group refuses one more, and a count that was left too high is put right', async () => {
  const { group, act, view } = await ready();
  const directory = tableOf(peal(), 'Directory');
  const { user } = await somebody();
  const strangers = Array.from({ length: 9_999 }, () => randomKey('u'));
  // The memos of half of them are a megabyte, and, escaped twice, more than one answer holds.
  const memo = '\u0001'.repeat(200);
  await fillWithTexts(
    peal(),
    'Directory',
    strangers.map((stranger, n) => ({
      ...memberKey(group, stranger, undefined),
      user: stranger,
      ...(n % 2 === 0 && { memo }),
    })),
  );
  await directory.client.send(
    new UpdateCommand({
      TableName: directory.name,
      Key: groupKey(group),
      UpdateExpression: 'SET members = :many',
      ExpressionAttributeValues: { ':many': 10_003 },
    }),
  );

  const last = await act('add_user', { user, device: 'phone' });
  const full = await act('add_user', { user, device: 'tablet' });
  const removed = await act('remove_user', { user: strangers[0]! });
  const again = await act('add_user', { user, device: 'tablet' });
  const seen: unknown[] = [];
  let pages = 0;
  for (let after: Fields | undefined = {}; after; pages++) {
    const page = await view(after);
    seen.push(...(page.users as unknown[]));
    after = page.more ? { after: page.after as string } : undefined;
  }

  assert.equal(last.status, 200);
  assert.equal(full.status, 400);
  assert.deepEqual(full.body.errors, ['group cannot have more than 10000 members']);
  assert.equal(full.body.group, 'cannot have more than 10000 members');
  assert.deepEqual([removed.status, again.status], [200, 200]);
  assert.equal(seen.length, 10_000);
  assert.ok(pages > 1);
});

test('an account has at most a hundred groups', async () => {
  const { token, user } = await newAccount(peal());
  const keys = Array.from({ length: 99 }, () => randomKey('g'));
  await fill(tableOf(peal(), 'Directory'), [
    ...keys.map((key, n) => ({ ...groupKey(key), name: `Group ${n}`, owner: user, members: 0 })),
    { ...groupsKey(user), entries: Object.fromEntries(keys.map((key) => [key, {}])), version: 1 },
  ]);

  const last = await post(peal(), 'groups.json', { token, name: 'The last' });
  const { status, body } = await post(peal(), 'groups.json', { token, name: 'One more' });
  const list = await get(peal(), 'groups.json', { token });

  assert.deepEqual([last.status, status], [200, 400]);
  assert.equal(body.name, 'cannot be added: an account has at most 100 groups');
  assert.equal((list.body.groups as unknown[]).length, 100);
});

test('a message to a group reaches its members’ devices as their entries say, whoever sends it', async () => {
  const { group, act } = await ready();
  const [both, one, off, twice] = [
    await person('phone', 'tablet'),
    await person('phone', 'tablet'),
    await person('phone'),
    await person('phone', 'tablet', 'desk'),
  ];
  await act('add_user', { user: both.user });
  await act('add_user', { user: one.user, device: 'tablet' });
  await act('add_user', { user: off.user });
  await act('disable_user', { user: off.user });
  await act('add_user', { user: twice.user, device: 'phone' });
  await act('add_user', { user: twice.user, device: 'desk' });
  const stranger = await newAccount(peal());

  const fields = { token: stranger.token, user: group, message: 'hello', device: 'phone' };
  const { status, body } = await post(peal(), 'messages.json', fields);
  const texts = [];
  for (const { devices } of [both, one, off, twice]) {
    for (const device of devices) await device.sync();
    texts.push(devices.map((device) => device.texts().join()));
  }

  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).sort(), ['request', 'status']);
  assert.deepEqual(texts, [['hello', 'hello'], ['', 'hello'], [''], ['hello', '', 'hello']]);
});

test('who is in two groups and named besides gets one copy a device', async () => {
  const [first, second] = [await ready(), await ready()];
  const member = await person('phone', 'tablet');
  await first.act('add_user', { user: member.user, device: 'phone' });
  await second.act('add_user', { user: member.user, device: 'tablet' });
  const everything = [first.group, second.group].join(',');

  await first.send('both', { user: everything });
  await first.send('all', { user: `${first.group},${member.user}` });
  for (const device of member.devices) await device.sync();

  assert.deepEqual(
    member.devices.map((device) => device.texts()),
    [
      ['both', 'all'],
      ['both', 'all'],
    ],
  );
});

test('a member’s device that is gone falls back to the others, so that the message goes somewhere', async () => {
  const { act, send } = await ready();
  const member = await person('phone', 'tablet');
  const [phone, tablet] = member.devices;
  await act('add_user', { user: member.user, device: 'phone' });
  await member.api.deleteDevice(phone!.id);

  const { status } = await send('hello');
  await tablet!.sync();

  assert.equal(status, 200);
  assert.deepEqual(tablet!.texts(), ['hello']);
});

test('a group that nobody gets a message from is refused, and not valid', async () => {
  const { token, group, act, send } = await ready();
  const [idle, off] = [await person(), await person('phone')];
  const empty = await send('nobody');
  await act('add_user', { user: idle.user });
  await act('add_user', { user: off.user });
  await act('disable_user', { user: off.user });

  const answers = [
    empty,
    await send('nobody'),
    await post(peal(), 'users/validate.json', { token, user: group }),
  ];
  await act('enable_user', { user: off.user });
  const valid = await post(peal(), 'users/validate.json', { token, user: group, device: 'any' });

  for (const { status, body } of answers) {
    assert.equal(status, 400);
    assert.deepEqual(body.errors, ['user has no active devices']);
  }
  assert.deepEqual(withoutRequest(valid.body), { devices: [], licenses: [], group: 1, status: 1 });
});

test('whatever is sent for a member, it is taken or refused by name', async () => {
  const { group, token } = await ready();
  const text = fc.oneof(
    fc.string({ maxLength: 250 }),
    fc.string({ unit: anyCharacter, maxLength: 60 }),
    fc.constant(NOBODY),
  );
  const fields = fc.dictionary(fc.constantFrom('user', 'device', 'memo', 'name', 'after'), text);
  const change = fc.constantFrom('add_user', 'remove_user', 'disable_user', 'rename');

  await fc.assert(
    fc.asyncProperty(change, fields, async (what, given) => {
      const { status, body } = await request(peal(), `groups/${group}/${what}.json`, {
        method: 'POST',
        body: JSON.stringify({ ...given, token }),
        headers: { 'Content-Type': 'application/json' },
      });
      if (status === 200) assert.equal(what, 'rename');
      else {
        assert.equal(status, 400);
        const named = Object.keys(body).filter((name) => !['errors', 'status', 'request'].includes(name));
        assert.ok(named.length > 0 && (body.errors as string[]).length > 0);
      }
    }),
    { numRuns: 100 },
  );
});
