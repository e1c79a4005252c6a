import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { quotaKey, tokenKey } from '../../lib/accounts/directory.ts';
import { hashSecret, randomKey } from '../../lib/accounts/keys.ts';
import { monthOf, nextMonth } from '../../lib/messages/limits.ts';
import { failure, type Interceptor } from '../../local/aws/intercept.ts';
import type { JsonObject } from '../../local/template/json.ts';
import { COUNTING, QUOTA } from '../support/configs.ts';
import { crowd } from '../support/crowd.ts';
import { type DeviceKind, newDevice } from '../support/devices.ts';
import { fill, tableOf } from '../support/directory.ts';
import { type Answer, get, newAccount, post, type TestPeal, usePeal } from '../support/peal.ts';

const NAMES = ['X-Limit-App-Limit', 'X-Limit-App-Remaining', 'X-Limit-App-Reset'];

/** A device for which a message is queued. */
const DESKTOP: DeviceKind = { platform: 'desktop' };

/** What the headers say of the month. */
const month = ({ headers }: Answer) => NAMES.map((name) => Number(headers.get(name)));
const remaining = (answer: Answer) => month(answer)[1];

/** A device that no carrier reaches, so that nothing is queued for it: it syncs. */
const QUIET: DeviceKind = { platform: 'android' };

/** An account with a device, and a way to send with its app. */
async function readyIn(peal: TestPeal, kind: DeviceKind = QUIET) {
  const account = await newAccount(peal);
  const device = await newDevice(account, kind);
  const { token, user } = account;
  const send = (more: Record<string, string> = {}) =>
    post(peal, 'messages.json', { token, user, message: 'hello', ...more });
  return { ...account, device, send };
}

const isSend = (call: Parameters<Interceptor>[0], action: string) =>
  call.caller.name.includes('Send') && call.action === action;

/** What is written to the quota's count: raised or given back. */
const isCount = (call: Parameters<Interceptor>[0], by: 'back' | 'users') =>
  isSend(call, 'UpdateItem') && String((call.input as JsonObject).UpdateExpression).endsWith(`used :${by}`);

describe('where an account has a quota', () => {
  const peal = usePeal({
    config: QUOTA,
    expectedErrors: /InternalServerError|request failed/,
  });
  /** Has an account sent so much that so many messages are left. */
  const leave = (user: string, left: number) =>
    fill(tableOf(peal(), 'Directory'), [
      { ...quotaKey(user, monthOf(Date.now())), used: QUOTA.quota - left },
    ]);
  /** An account of which so many messages are left. */
  const ready = async (left = 12, kind?: DeviceKind) => {
    const account = await readyIn(peal(), kind);
    await leave(account.user, left);
    return account;
  };
  const intercept = (interceptor: Interceptor) => peal().cloud.front.intercept(interceptor);
  const failQueueing = () =>
    intercept((call) =>
      isSend(call, 'SendMessageBatch') ? failure(500, 'InternalServerError', 'no') : undefined,
    );
  const newGroup = async (token: string, users: string[]) => {
    const { body } = await post(peal(), 'groups.json', { token, name: 'Group' });
    for (const user of users) await post(peal(), `groups/${body.group}/add_user.json`, { token, user });
    return body.group as string;
  };

  test('each message counts down, whichever app of the account sends it, and none goes beyond', async () => {
    const { api, user, token, device, send } = await readyIn(peal());
    const other = await api.createApp('Other');

    const answers = [await send(), await send({ token: other.token })];
    await leave(user, 3);
    for (let n = 0; n < 3; n++) answers.push(await send(n % 2 === 0 ? {} : { token: other.token }));
    const refused = await send();
    const limits = await get(peal(), 'apps/limits.json', { token: other.token });
    await device.sync();

    const reset = nextMonth(Date.now());
    assert.deepEqual(
      answers.map(month),
      [99, 98, 2, 1, 0].map((left) => [QUOTA.quota, left, reset]),
    );
    const { request, ...body } = refused.body;
    assert.equal(refused.status, 429);
    assert.deepEqual(body, {
      token: 'is out of messages for this month',
      errors: ['application is out of messages for this month: 1 needed, 0 of 100 left'],
      status: 0,
    });
    assert.equal(refused.headers.get('x-request-id'), request);
    assert.deepEqual(month(refused), [QUOTA.quota, 0, reset]);
    assert.deepEqual([limits.body.limit, limits.body.remaining, limits.body.reset], [QUOTA.quota, 0, reset]);
    assert.equal(device.texts().length, 5);
    assert.equal((await post(peal(), 'messages.json', { token, user, message: '' })).status, 400);
  });

  test('of many at once, exactly as many go as are left', async () => {
    const { device, send } = await ready(7);

    const answers = await Promise.all(Array.from({ length: 11 }, () => send()));
    await device.sync();

    const accepted = answers.filter(({ status }) => status === 200);
    assert.deepEqual(accepted.map(remaining).sort(), [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 429]));
    assert.equal(device.texts().length, 7);
  });

  test('a message counts its users, not their devices, and goes to all of them or to none', async () => {
    const first = await ready();
    const second = await ready();
    const third = await ready();
    await newDevice(first, QUIET);
    const users = [first.user, second.user, third.user];
    const group = await newGroup(first.token, users);

    const toGroup = await first.send({ user: group });
    const toAll = await first.send({ user: `${first.user},${second.user},${first.user},${group}` });
    await post(peal(), `groups/${group}/disable_user.json`, { token: first.token, user: third.user });
    const withoutOne = await first.send({ user: group });
    await leave(first.user, 2);
    const alone = await first.send();
    const tooMany = await first.send({ user: users.slice(1).join(',') });
    const last = await first.send();
    await second.device.sync();

    assert.deepEqual([toGroup, toAll, withoutOne, alone].map(remaining), [9, 6, 4, 1]);
    assert.equal(tooMany.status, 429);
    assert.deepEqual(tooMany.body.errors, [
      'application is out of messages for this month: 2 needed, 1 of 100 left',
    ]);
    assert.equal(remaining(tooMany), 1);
    assert.deepEqual([last.status, remaining(last)], [200, 0]);
    assert.equal(second.device.texts().length, 3);
    assert.equal(remaining(await second.send()), 11);
  });

  test('a large group is refused as a whole, before any of it is queued', async () => {
    const { user, send } = await ready();
    const group = randomKey('g');
    await crowd(tableOf(peal(), 'Directory'), { key: group, owner: user }, 101);
    let queued = 0;
    const stop = intercept((call) => {
      if (isSend(call, 'SendMessageBatch') || isSend(call, 'PutItem')) queued++;
      return undefined;
    });

    const refused = await send({ user: group });
    stop();

    assert.equal(refused.status, 429);
    assert.equal(remaining(refused), 12);
    assert.equal(queued, 0);
  });

  test('what is refused for another reason counts nothing', async () => {
    const { api, device, token, user, send } = await ready();
    const refused = [
      await send({ message: '' }),
      await send({ user: randomKey('u') }),
      await send({ token: randomKey('a') }),
      await send({ priority: '2' }),
    ];
    await api.updateDevice(device.id, { enabled: false });
    refused.push(await send());

    const { body } = await get(peal(), 'apps/limits.json', { token, user });

    assert.deepEqual(
      refused.map(({ status, headers }) => [status, NAMES.some((name) => headers.has(name))]),
      refused.map(() => [400, false]),
    );
    assert.equal(body.remaining, 12);
  });

  test('a message that cannot be stored is given back', async () => {
    const { device, send } = await ready(12, DESKTOP);
    const stop = failQueueing();
    const failed = await send();
    stop();

    const sent = await send();
    await device.sync();

    assert.deepEqual([failed.status, sent.status], [500, 200]);
    assert.equal(remaining(sent), 11);
    assert.deepEqual(device.texts(), ['hello']);
  });

  test('giving back is tried once: whatever becomes of it, the count is never too low', async () => {
    const { send } = await ready(12, DESKTOP);
    let tries = 0;
    for (const after of ['drop', failure(500, 'InternalServerError', 'no')] as const) {
      const stops = [
        failQueueing(),
        intercept((call) => {
          if (!isCount(call, 'back')) return undefined;
          tries++;
          return after === 'drop' ? { after } : after;
        }),
      ];
      await send();
      for (const stop of stops) stop();
    }

    const sent = await send();

    // The first was given back although its answer was lost, the second was not.
    assert.equal(tries, 2);
    assert.equal(remaining(sent), 10);
    assert.equal(peal().lines.filter((line) => JSON.stringify(line).includes('stays counted')).length, 2);
  });

  test('a count whose answer was lost is too high, not too low', async () => {
    const { send } = await ready();
    let lost = 0;
    const stop = intercept((call) =>
      isCount(call, 'users') && lost++ === 0 ? { after: 'drop' } : undefined,
    );

    const sent = await send();
    stop();

    assert.equal(sent.status, 200);
    assert.equal(remaining(sent), 10);
  });

  test('a repeat with an idempotency key counts nothing, and its headers are the first one’s', async () => {
    const { send } = await ready();
    const key = { idempotency_key: 'once' };

    const first = await Promise.all(Array.from({ length: 6 }, () => send(key)));
    const between = await send();
    const again = await send(key);

    const essence = (answer: Answer) => [answer.status, answer.body, month(answer)];
    for (const answer of [...first, again]) assert.deepEqual(essence(answer), essence(first[0]!));
    assert.equal(remaining(again), 11);
    assert.equal(remaining(between), 10);
  });

  test('a request that failed and is repeated under its key counts once', async () => {
    const { send } = await ready(12, DESKTOP);
    const key = { idempotency_key: 'failed' };
    const stop = failQueueing();
    const failed = await send(key);
    stop();

    const repeated = await send(key);

    assert.deepEqual([failed.status, repeated.status], [500, 200]);
    assert.equal(remaining(repeated), 11);
  });

  test('a message that was answered is not refused when it is done again, though nothing is left', async () => {
    const { device, send } = await ready(1);
    const key = { idempotency_key: 'answered', message: 'last' };
    // Its note cannot be written, and its lease is over at once.
    const stop = intercept((call) => {
      const item = (call.input as { Item?: JsonObject }).Item;
      if (!isSend(call, 'PutItem') || item?.leaseUntil === undefined) return undefined;
      if (item.done !== undefined) return failure(500, 'InternalServerError', 'no');
      return { input: { ...call.input, Item: { ...item, leaseUntil: { N: '0' } } } };
    });
    const first = await send(key);
    stop();

    const repeated = await send(key);
    const other = await send();
    await device.sync();

    assert.deepEqual([first.status, repeated.status, other.status], [200, 200, 429]);
    assert.deepEqual(repeated.body, first.body);
    assert.deepEqual([first, repeated, other].map(remaining), [0, 0, 0]);
    assert.deepEqual(device.texts(), ['last']);
  });

  test('a key that was refused for the quota is free', async () => {
    const { user, send } = await ready(0);
    const key = { idempotency_key: 'spent' };
    const refused = await send(key);
    await leave(user, 1);

    const sent = await send(key);

    assert.deepEqual([refused.status, sent.status], [429, 200]);
    assert.equal(remaining(sent), 0);
  });

  test('the headers are there once each, in Pushover’s letters, on 200 and on 429, and not on a bad token', async () => {
    const { token, user } = await ready(1);
    const raw = async (token: string) => {
      const body = new URLSearchParams({ token, user, message: 'hello' }).toString();
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const sent = httpRequest(`${peal().api}/1/messages.json`, { method: 'POST', headers }).end(body);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answer.resume();
      const pairs = answer.rawHeaders.flatMap((name, n, all) => (n % 2 === 0 ? [[name, all[n + 1]!]] : []));
      const limits = pairs.filter(([name]) => /^x-limit/i.test(name!)).sort();
      return { status: answer.statusCode, version: answer.httpVersion, limits };
    };

    const answers = [await raw(token), await raw(token), await raw(randomKey('a'))];

    const limits = [String(QUOTA.quota), '0', String(nextMonth(Date.now()))].map((value, n) => [
      NAMES[n]!,
      value,
    ]);
    assert.deepEqual(answers, [
      { status: 200, version: '1.1', limits },
      { status: 429, version: '1.1', limits },
      { status: 400, version: '1.1', limits: [] },
    ]);
  });
});

describe('where there is no quota and no burst limit', () => {
  const peal = usePeal({ expectedErrors: /InternalServerError/ });
  const ready = () => readyIn(peal());
  const itemAt = async (Key: Record<string, string>) => {
    const { client, name } = tableOf(peal(), 'Directory');
    return (await client.send(new GetCommand({ TableName: name, Key }))).Item;
  };
  const counted = (user: string) => itemAt(quotaKey(user, monthOf(Date.now())));
  const intercept = (interceptor: Interceptor) => peal().cloud.front.intercept(interceptor);

  test('what is sent is counted for whoever looks, and nothing is read or refused for it', async () => {
    const { token, user, send } = await ready();
    peal().cloud.meter.reset();

    const sent = await send();
    const { body } = await get(peal(), 'apps/limits.json', { token });

    const units = Object.entries(peal().cloud.meter.read());
    const of = (part: string) => units.find(([function_]) => function_.includes(part))![1];
    assert.equal(remaining(sent), 2 ** 31 - 1);
    assert.equal(body.remaining, 2 ** 31 - 1);
    assert.equal((await counted(user))!.used, 1);
    assert.equal((await itemAt(tokenKey(hashSecret(token))))!.sent, undefined);
    // The copy, the entry in the history, the count.
    assert.equal(of('Send')['dynamodb.wru'], 3);
    // The app's item, strongly consistent.
    assert.equal(of('Info')['dynamodb.rru'], 1);
  });

  test('a message that cannot be counted goes all the same, after a single try', async () => {
    const { user, device, send } = await ready();
    let tries = 0;
    const stop = intercept((call) => {
      if (!isCount(call, 'users')) return undefined;
      tries++;
      return failure(500, 'InternalServerError', 'no');
    });

    const sent = await send();
    stop();
    await device.sync();

    assert.deepEqual([sent.status, tries], [200, 1]);
    assert.deepEqual(device.texts(), ['hello']);
    assert.equal(await counted(user), undefined);
    assert.ok(peal().lines.some((line) => JSON.stringify(line).includes('is not counted')));
  });

  test('a message that was not accepted is counted for nobody', async () => {
    const { user, send } = await readyIn(peal(), DESKTOP);
    await send();
    const stop = intercept((call) =>
      isSend(call, 'SendMessageBatch') ? failure(500, 'InternalServerError', 'no') : undefined,
    );

    const failed = await send();
    stop();

    assert.equal(failed.status, 500);
    assert.equal((await counted(user))!.used, 1);
  });
});

describe('where an app has a burst limit', () => {
  const peal = usePeal({
    config: COUNTING,
    expectedErrors: /InternalServerError/,
  });
  /** An account whose app has sent so much in this minute that so many messages are left. */
  const ready = async (left = 5) => {
    const account = await readyIn(peal());
    const minute = Math.floor(Date.now() / 60_000);
    await setSent(account.token, { minute, count: COUNTING.burst - left });
    return account;
  };
  const setSent = async (token: string, sent: { minute: number; count: number }) => {
    const { client, name } = tableOf(peal(), 'Directory');
    await client.send(
      new UpdateCommand({
        TableName: name,
        Key: tokenKey(hashSecret(token)),
        UpdateExpression: 'SET sent = :sent',
        ExpressionAttributeValues: { ':sent': sent },
      }),
    );
  };

  /** Does something within one minute of the clock: again, if it was not. */
  async function withinMinute<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      const minute = () => Math.floor(Date.now() / 60_000);
      const began = minute();
      const result = await work();
      if (minute() === began) return result;
    }
  }

  test('what is over it is refused until the minute ends, and not stored', async () => {
    const { answers, account } = await withinMinute(async () => {
      const account = await ready();
      const answers = await Promise.all(Array.from({ length: 9 }, () => account.send()));
      return { account, answers };
    });
    await account.device.sync();

    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(refused.length, 4);
    assert.equal(account.device.texts().length, 5);
    for (const { headers, body } of refused) {
      const wait = Number(headers.get('retry-after'));
      const { request: _, ...rest } = body;
      assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60);
      assert.deepEqual(rest, {
        token: 'sends too fast',
        errors: [`application sends more than ${COUNTING.burst} messages a minute, try again in ${wait} s`],
        status: 0,
      });
    }
  });

  test('it is each app’s own, and ends with its minute', async () => {
    const { account, statuses } = await withinMinute(async () => {
      const account = await ready(1);
      const other = await account.api.createApp('Other');
      const answers = [
        await account.send(),
        await account.send(),
        await account.send({ token: other.token }),
      ];
      return { account, statuses: answers.map(({ status }) => status) };
    });
    const minute = Math.floor(Date.now() / 60_000) - 1;
    await setSent(account.token, { minute, count: COUNTING.burst });

    const next = await account.send();

    assert.deepEqual(statuses, [200, 429, 200]);
    assert.equal(next.status, 200);
  });

  test('requests with faults of their own are told so, and not counted', async () => {
    const { faulty, sent } = await withinMinute(async () => {
      const { send } = await ready(1);
      const faulty = [await send({ message: '' }), await send({ message: '' })];
      return { faulty, sent: [await send(), await send()] };
    });

    assert.deepEqual(
      [...faulty, ...sent].map(({ status }) => status),
      [400, 400, 200, 429],
    );
  });

  test('a new token begins anew, and the old one is gone', async () => {
    const { statuses } = await withinMinute(async () => {
      const { api, send } = await ready(0);
      const [app] = await api.listApps();
      const over = await send();
      const token = await api.rotateApp(app!.id);
      const answers = [over, await send(), await send({ token })];
      return { statuses: answers.map(({ status }) => status) };
    });

    assert.deepEqual(statuses, [429, 400, 200]);
  });

  test('a message that cannot be counted goes through', async () => {
    const { device, send } = await readyIn(peal());
    const stop = peal().cloud.front.intercept((call) =>
      isSend(call, 'UpdateItem') && String(call.input.UpdateExpression).startsWith('SET sent')
        ? failure(500, 'InternalServerError', 'no')
        : undefined,
    );

    const { status } = await send();
    stop();
    await device.sync();

    assert.equal(status, 200);
    assert.deepEqual(device.texts(), ['hello']);
    assert.ok(peal().lines.some((line) => JSON.stringify(line).includes('was not counted')));
  });
});
