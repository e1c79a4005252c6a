/** An account as somebody has it who has used Peal for some weeks: apps, devices, groups, messages of several days. */
import type { Browser } from 'playwright-core';
import { appsKey, devicesKey, quotaKey } from '../../lib/accounts/directory.ts';
import { createAccountApi } from '../../lib/device/account-api.ts';
import { createKeyPair, type OutgoingMessage, type PealApi } from '../../lib/device/index.ts';
import { dayOf, monthOf } from '../../lib/messages/limits.ts';
import { patientApi } from '../../local/demo/patience.ts';
import type { Peal } from '../../local/peal.ts';
import { chart, draw, ICONS } from './art.ts';

const PASSWORD = 'correct horse battery staple';

export interface Demo {
  email: string;
  password: string;
  user: string;
  api: PealApi;
  /** Sends everything. The browser has to be a device by then. */
  send(): Promise<void>;
  /** Makes things as old as they would be: to be called when all are there. */
  age(): Promise<void>;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** A message, its app, and how long ago it was sent, in seconds. */
type Sent = [app: string, ago: number, message: Omit<OutgoingMessage, 'token' | 'user'>];

const table = [
  'web-1     4.2 GB   ok',
  'web-2     4.1 GB   ok',
  'database 38.7 GB   ok',
  'mail     12.4 GB   ok',
].join('\n');

const messages = (image: Blob): Sent[] => [
  ['Calendar', 4 * DAY + 3 * HOUR, { title: 'Rent a van', message: 'Saturday, 9:00, 12 Harbour Street' }],
  ['Backups', 4 * DAY + 6 * HOUR, { title: 'Nightly backup', message: table, monospace: 1, priority: -1 }],
  ['Home', 3 * DAY + 2 * HOUR, { message: 'The washing machine is done.' }],
  [
    'Builds',
    3 * DAY + 4 * HOUR,
    {
      title: 'Build failed on main',
      message: '3 of 412 tests failed: checkout, refunds, taxes.',
      priority: 1,
    },
  ],
  [
    'Uptime',
    2 * DAY + HOUR,
    { title: 'Certificate renewed', message: 'mail.example.com, good for 90 days.' },
  ],
  ['Home', 2 * DAY + 5 * HOUR, { title: 'Front door', message: 'It has been open for 10 minutes.' }],
  ['Backups', DAY + 8 * HOUR, { title: 'Nightly backup', message: table, monospace: 1, priority: -1 }],
  [
    'Backups',
    DAY + 5 * HOUR,
    { title: 'Disk 81 % full', message: 'database: 38.7 of 48 GB. At this rate it is full in 6 weeks.' },
  ],
  ['Calendar', DAY + 2 * HOUR, { title: 'Dentist', message: 'Tomorrow at 16:30. Bring the card.' }],
  ['Home', DAY + HOUR, { message: 'Nobody is at home: heating lowered to 17\u00a0°C.', priority: -1 }],
  [
    'Builds',
    5 * HOUR,
    {
      title: 'Release 2.4 is out',
      message:
        '<b>412 tests</b> passed in 6 minutes.<br>What is new: <a href="https://example.com/2.4">the notes</a>.',
      html: 1,
      url: 'https://example.com/builds/2210',
      url_title: 'Build 2210',
    },
  ],
  ['Home', 3 * HOUR, { message: 'The washing machine is done.' }],
  [
    'Uptime',
    70 * 60,
    {
      title: 'Response times are up',
      message: 'api.example.com answers in 930 ms, five times as long as usual. It began at 11:10.',
      priority: 1,
      url: 'https://example.com/status',
      url_title: 'Status page',
      attachment: image,
    },
  ],
  [
    'Uptime',
    4 * 60,
    {
      title: 'shop.example.com is down',
      message: 'No answer for 5 minutes, from three places. The last one was 502 Bad Gateway.',
      priority: 2,
      retry: 60,
      expire: 3 * HOUR,
    },
  ],
];

/** Makes the account. */
export async function makeDemo(peal: Peal, browser: Browser): Promise<Demo> {
  const email = 'ada@example.com';
  const open = patientApi(peal.api);
  const { user, secret } = await open.signUp({ email, password: PASSWORD, name: 'Firefox on the laptop' });
  await open.login({ email, password: PASSWORD, name: 'Pixel' });
  await open.login({ email, password: PASSWORD, name: 'peal listen on nas' });
  const api = open.withSecret(secret);
  const account = createAccountApi({ url: peal.api, secret });

  const tokens = new Map<string, string>();
  for (const [name, svg] of Object.entries(ICONS)) {
    const { id, token } = await api.createApp(name);
    await account.setIcon(id, await draw(browser, svg));
    tokens.set(name, token);
  }
  const { publicKey } = createKeyPair();
  const push = { type: 'fcm', token: 'p'.repeat(120) } as const;
  await api.registerDevice({ name: 'Pixel', platform: 'android', publicKey, push });
  await api.registerDevice({ name: 'iPad', platform: 'ios', publicKey });
  await api.registerDevice({ name: 'nas', platform: 'desktop', publicKey });
  await api.registerDevice({ name: 'old-laptop', platform: 'open' });

  const [onCall, parents] = [await account.createGroup('On call'), await account.createGroup('Parents')];
  const others = [];
  for (const name of ['grace', 'linus', 'mary']) {
    others.push(await open.signUp({ email: `${name}@example.com`, password: PASSWORD }));
  }
  const [grace, linus, mary] = others;
  await account.addMember(onCall, { user, memo: 'Ada' });
  await account.addMember(onCall, { user: grace!.user, memo: 'Grace, weekdays' });
  await account.addMember(onCall, { user: linus!.user, memo: 'Linus, nights' });
  await account.setMemberEnabled(onCall, { user: linus!.user }, false);
  await account.addMember(parents, { user, device: 'Pixel', memo: 'Ada' });
  await account.addMember(parents, { user: mary!.user, memo: 'Mary' });

  const image = await draw(browser, chart());
  return {
    email,
    password: PASSWORD,
    user,
    api,
    async send() {
      const now = Math.floor(Date.now() / 1000);
      for (const [app, ago, message] of messages(image)) {
        await api.sendMessage({ ...message, token: tokens.get(app)!, user, timestamp: now - ago });
      }
    },
    age: () => age(peal, api, user),
  };
}

/** When things were made, in days before now: the browser's device stays as it is. */
const DEVICES: Readonly<Record<string, { made: number; seen: number; retired?: number }>> = {
  Pixel: { made: 213, seen: 0 },
  iPad: { made: 180, seen: 23, retired: 12 },
  nas: { made: 96, seen: 1 },
  'old-laptop': { made: 402, seen: 41 },
};

/** Users reached on each of the days before today. */
const REACHED = [
  12, 9, 17, 14, 22, 5, 4, 13, 18, 16, 41, 19, 6, 3, 15, 12, 21, 17, 14, 7, 5, 16, 58, 24, 18, 13, 6, 4, 19,
];

async function age({ cloud }: Peal, api: PealApi, user: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const before = (days: number) => ({ N: String(now - days * DAY) });
  const update = (
    key: { pk: string; sk: string },
    list: 'devices' | 'entries',
    id: string,
    times: Record<string, number>,
  ) =>
    cloud.front.send('local-root', 'dynamodb', 'UpdateItem', {
      TableName: cloud.tableName('Directory'),
      Key: { pk: { S: key.pk }, sk: { S: key.sk } },
      UpdateExpression: `SET ${Object.keys(times)
        .map((name) => `#list.#id.${name} = :${name}`)
        .join(', ')}`,
      ExpressionAttributeNames: { '#list': list, '#id': id },
      ExpressionAttributeValues: Object.fromEntries(
        Object.entries(times).map(([name, days]) => [`:${name}`, before(days)]),
      ),
    });
  for (const { id, name } of await api.listDevices()) {
    const days = DEVICES[name];
    if (!days) continue;
    const { made, seen, retired } = days;
    const times = { createdAt: made, seenAt: seen, ...(retired !== undefined && { retiredAt: retired }) };
    await update(devicesKey(user), 'devices', id, times);
  }
  for (const [n, { id }] of (await api.listApps()).entries()) {
    await update(appsKey(user), 'entries', id, { createdAt: 40 + n * 57 });
  }
  for (const [n, count] of REACHED.entries()) {
    const at = (now - (REACHED.length - n) * DAY) * 1000;
    await cloud.front.send('local-root', 'dynamodb', 'UpdateItem', {
      TableName: cloud.tableName('Directory'),
      Key: {
        pk: { S: quotaKey(user, monthOf(at)).pk },
        sk: { S: quotaKey(user, monthOf(at)).sk },
      },
      UpdateExpression: 'ADD #day :count, used :count',
      ExpressionAttributeNames: { '#day': dayOf(at) },
      ExpressionAttributeValues: { ':count': { N: String(count) } },
    });
  }
}
