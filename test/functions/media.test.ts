import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { authorize } from '../../lib/accounts/app-token.ts';
import { Apps } from '../../lib/accounts/apps.ts';
import { countKey, soundsKey } from '../../lib/accounts/directory.ts';
import { hashSecret } from '../../lib/accounts/keys.ts';
import { THROTTLES } from '../../lib/accounts/throttles.ts';
import { SOUNDS } from '../../lib/messages/sounds.ts';
import type { Table } from '../../lib/storage/table.ts';
import { chunk } from '../../scripts/icons/png.ts';
import { header, id3, mp3, padded, png, pngOf, sizeOfPng } from '../media/builders.ts';
import { newDevice } from '../support/devices.ts';
import { fill, tableOf } from '../support/directory.ts';
import { type Answer, get, newAccount, post, request, usePeal } from '../support/peal.ts';

const peal = usePeal({ expectedErrors: /request failed/ });

const ASSETS = join(import.meta.dirname, '../../functions/media/assets');
const IMMUTABLE = 'public, max-age=31536000, immutable';
const KIB = 1024;

type Account = Awaited<ReturnType<typeof newAccount>>;

/** Posts a multipart form: files are bytes. */
function upload(path: string, fields: Record<string, string | Uint8Array | undefined>): Promise<Answer> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') body.set(name, value);
    else if (value) body.set(name, new Blob([Buffer.from(value)]), 'file');
  }
  return request(peal(), path, { method: 'POST', body });
}

const addSound = ({ secret }: Account, name: string, sound: Uint8Array, more: Record<string, string> = {}) =>
  upload('sounds.json', { secret, name, sound, ...more });

const fetched = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${peal().api}${path}`, { headers });

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

const ownSounds = async ({ secret }: Account) =>
  (await get(peal(), 'account/sounds.json', { secret })).body.sounds as Record<string, string>[];

const appOf = async ({ api }: Account) => (await api.listApps())[0]!;

const setIcon = async (account: Account, icon: Uint8Array, secret = account.secret) =>
  upload(`apps/${(await appOf(account)).id}/icon.json`, { secret, icon });

describe('what comes with Peal', () => {
  test('every built-in sound is served, the default by its short name too', async () => {
    for (const key of Object.keys(SOUNDS)) {
      const answer = await fetched(`/sounds/${key}.mp3`);

      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
      assert.ok((await bytesOf(answer)).equals(readFileSync(join(ASSETS, `sounds/${key}.mp3`))), key);
    }
    const [long, short] = await Promise.all([fetched('/sounds/pushover.mp3'), fetched('/sounds/po.mp3')]);
    assert.ok((await bytesOf(long)).equals(await bytesOf(short)));
  });

  test('the default icon is served under both names that clients fall back to', async () => {
    for (const name of ['default', 'pushover']) {
      const answer = await fetched(`/icons/${name}.png`);

      assert.equal(answer.headers.get('content-type'), 'image/png');
      assert.ok((await bytesOf(answer)).equals(readFileSync(join(ASSETS, 'icons/default.png'))));
    }
  });

  test('it is kept for a week, asked for again by its tag, and served in parts', async () => {
    const whole = await fetched('/sounds/bike.mp3');
    const tag = whole.headers.get('etag')!;

    const again = await fetched('/sounds/bike.mp3', { 'If-None-Match': tag });
    const part = await fetched('/sounds/bike.mp3', { Range: 'bytes=1-2' });

    assert.equal(whole.headers.get('cache-control'), 'public, max-age=604800');
    assert.match(tag, /^"[\w-]{43}"$/);
    assert.equal(whole.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(whole.headers.get('access-control-allow-origin'), '*');
    assert.deepEqual([again.status, (await bytesOf(again)).length], [304, 0]);
    assert.equal(again.headers.get('etag'), tag);
    assert.equal(again.headers.get('content-type'), 'audio/mpeg');
    assert.equal(part.status, 206);
    assert.ok((await bytesOf(part)).equals((await bytesOf(whole)).subarray(1, 3)));
  });

  test('anything else is not found', async () => {
    const paths = [
      '/sounds/nothing.mp3',
      '/sounds/po',
      '/sounds/po.wav',
      '/sounds/.mp3',
      '/sounds/constructor.mp3',
      `/sounds/${'a'.repeat(24)}.mp3`,
      '/sounds/..%2F..%2Findex.js.mp3',
      '/sounds/%2e%2e%2f%2e%2e%2fassets%2ficons%2fdefault.png',
      '/sounds/..%5c..%5cindex.js',
      '/sounds/po.mp3%00.mp3',
      '/icons/po.png',
      '/icons/default.mp3',
      `/icons/${'0'.repeat(32)}.png`,
      '/icons/..%2Fassets%2Ficons%2Fdefault.png',
    ];

    for (const path of paths) {
      // Not fetch, which would tidy the path.
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        httpGet(`${peal().api}${path}`, { path }, resolve).once('error', reject);
      });
      const body = await text(response);

      assert.equal(response.statusCode, 404, path);
      assert.match(body, /"(icon|path|sound)":"not found"/);
      assert.equal(response.headers['cache-control'], 'no-cache');
    }
  });
});

describe('custom sounds', () => {
  test('an upload is listed, served without its tags, and kept for good', async () => {
    const account = await newAccount(peal());
    const audio = mp3(20);

    const { status, body } = await addSound(account, 'ding', Buffer.concat([id3(100), audio]), {
      description: 'Ding dong',
    });
    const answer = await fetched(`/sounds/${body.id}.mp3`);

    assert.equal(status, 200);
    assert.match(String(body.id), /^[A-Za-z0-9]{24}$/);
    assert.deepEqual(await ownSounds(account), [{ name: 'ding', id: body.id, description: 'Ding dong' }]);
    assert.ok((await bytesOf(answer)).equals(audio));
    assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
    assert.equal(answer.headers.get('cache-control'), IMMUTABLE);
    const tag = answer.headers.get('etag')!;
    assert.equal((await fetched(`/sounds/${body.id}.mp3`, { 'If-None-Match': tag })).status, 304);
  });

  test('senders see the built-in sounds and those of their app’s owner, and nobody else’s', async () => {
    const [account, other] = [await newAccount(peal()), await newAccount(peal())];
    await addSound(account, 'ding', mp3(20), { description: 'Ding dong' });
    await addSound(account, 'plain', mp3(21));

    const mine = await get(peal(), 'sounds.json', { token: account.token });
    const theirs = await get(peal(), 'sounds.json', { token: other.token });

    assert.deepEqual(mine.body.sounds, { ...SOUNDS, ding: 'Ding dong', plain: 'plain' });
    assert.deepEqual(theirs.body.sounds, SOUNDS);
    assert.deepEqual(await ownSounds(other), []);
  });

  test('a repeat of an upload answers the same; another sound of the name is refused', async () => {
    const account = await newAccount(peal());
    const first = await addSound(account, 'ding', mp3(20));

    const again = await addSound(account, 'ding', mp3(20));
    const other = await addSound(account, 'ding', mp3(20, 1));
    const renamed = await addSound(account, 'ding', mp3(20), { description: 'Dong' });

    assert.equal(again.body.id, first.body.id);
    assert.deepEqual([other.status, other.body.name], [400, 'has already been taken']);
    assert.equal(renamed.status, 400);
    assert.equal((await ownSounds(account)).length, 1);
  });

  test('of two uploads of one name at once, one is kept', async () => {
    const account = await newAccount(peal());

    const answers = await Promise.all(
      ['a', 'b', 'a', 'b'].map((name, n) => addSound(account, name, mp3(20, n))),
    );

    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 400, 400]);
    const kept = answers.filter(({ status }) => status === 200).map(({ body }) => body.id);
    assert.deepEqual((await ownSounds(account)).map(({ id }) => id).sort(), kept.sort());
  });

  test('a deleted sound is gone, name and file; the name is free again', async () => {
    const account = await newAccount(peal());
    const other = await newAccount(peal());
    const { body } = await addSound(account, 'ding', mp3(20));
    await addSound(account, 'stays', mp3(21));

    const foreign = await post(peal(), 'sounds/ding/delete.json', { secret: other.secret });
    const deleted = await post(peal(), 'sounds/ding/delete.json', { secret: account.secret });
    const again = await post(peal(), 'sounds/ding/delete', { secret: account.secret });

    assert.deepEqual([foreign.status, foreign.body.name], [404, 'not found']);
    assert.deepEqual([deleted.status, again.status], [200, 404]);
    assert.equal((await fetched(`/sounds/${body.id}.mp3`)).status, 404);
    assert.deepEqual(
      (await ownSounds(account)).map(({ name }) => name),
      ['stays'],
    );
    assert.equal((await addSound(account, 'ding', mp3(20))).status, 200);
  });

  test('a deletion that dies between the file and the name is repeated, or undone by uploading again', async () => {
    const account = await newAccount(peal());
    const { body } = await addSound(account, 'ding', mp3(20));
    const file = `/sounds/${body.id}.mp3`;
    const stop = peal().cloud.front.intercept(({ caller, action }) =>
      caller.name.includes('Media') && action === 'PutItem'
        ? { status: 400, body: { __type: 'ValidationException' } }
        : undefined,
    );

    const died = await post(peal(), 'sounds/ding/delete.json', { secret: account.secret });
    stop();
    const statuses = [(await fetched(file)).status];
    await addSound(account, 'ding', mp3(20));
    statuses.push((await fetched(file)).status);
    const again = await post(peal(), 'sounds/ding/delete.json', { secret: account.secret });

    assert.deepEqual(statuses, [404, 200]);
    assert.deepEqual([died.status, again.status], [500, 200]);
    assert.deepEqual(await ownSounds(account), []);
  });

  let shared: ReturnType<typeof newAccount> | undefined;
  let uploads = 0;
  /** How many sounds that account has. */
  let kept = 0;

  const LONG = 'is too long (maximum is 30 seconds)';
  const NAME = 'must be 1 to 20 of the characters A-Z, a-z, 0-9, _ and -';
  for (const [what, fields, status, fault] of [
    ['a sound of 30 s', { sound: mp3(1250) }, 200, {}],
    ['a sound of 31 s', { sound: mp3(1292) }, 400, { sound: LONG }],
    ['500 KiB', { sound: Buffer.concat([id3(500 * KIB - 10 - 480), mp3(20)]) }, 200, {}],
    [
      'a byte more',
      { sound: Buffer.concat([id3(500 * KIB - 10 - 479), mp3(20)]) },
      413,
      { sound: 'is larger than 512000 bytes' },
    ],
    [
      'a WAV',
      { sound: Buffer.concat([Buffer.from('RIFF'), Buffer.alloc(99)]) },
      400,
      { sound: 'must be an MP3 file' },
    ],
    ['HTML', { sound: Buffer.from('<!doctype html>') }, 400, { sound: 'must be an MP3 file' }],
    ['an empty file', { sound: Buffer.alloc(0) }, 400, { sound: 'cannot be blank' }],
    ['no file', { sound: undefined }, 400, { sound: 'cannot be blank' }],
    ['text for a file', { sound: 'abc' }, 400, { sound: 'must be a file of a multipart form' }],
    ['no name', { name: '' }, 400, { name: NAME }],
    ['a name of 20', { name: 'n'.repeat(20) }, 200, {}],
    ['a name of 21', { name: 'n'.repeat(21) }, 400, { name: NAME }],
    ['a name with a dot', { name: 'a.b' }, 400, { name: NAME }],
    ['a built-in sound’s name', { name: 'bike' }, 400, { name: 'is the name of a built-in sound' }],
    ['a short name', { name: 'po' }, 400, { name: 'is the name of a built-in sound' }],
    ['the name of what objects have', { name: '__proto__' }, 200, {}],
    ['a description of 50', { description: 'é'.repeat(50) }, 200, {}],
    [
      'a description of 51',
      { description: 'é'.repeat(51) },
      400,
      { description: 'is too long (maximum is 50 characters)' },
    ],
    ['no session', { secret: '' }, 400, { secret: 'invalid' }],
  ] as [string, Record<string, string | Uint8Array | undefined>, number, Record<string, string>][]) {
    test(`${what}: ${status}`, async () => {
      shared ??= newAccount(peal());
      const account = await shared;
      const name = `ding${++uploads}`;

      const answer = await upload('sounds.json', {
        secret: account.secret,
        name,
        sound: mp3(20),
        ...fields,
      });
      const before = kept;
      kept = (await ownSounds(account)).length;

      assert.equal(answer.status, status);
      for (const [field, reason] of Object.entries(fault)) assert.equal(answer.body[field], reason);
      assert.equal(kept - before, status === 200 ? 1 : 0);
    });
  }

  test('an account has at most 50', async () => {
    const account = await newAccount(peal());
    const one = { id: 'i'.repeat(24), description: '', digest: '' };
    const sounds = Array.from({ length: 49 }, (_, n) => ({ ...one, name: `n${n}` }));
    await fill(tableOf(peal(), 'Directory'), [{ ...soundsKey(account.user), sounds, version: 7 }]);

    const last = await addSound(account, 'last', mp3(20));
    const more = await addSound(account, 'more', mp3(20));

    assert.equal(last.status, 200);
    assert.equal(more.body.name, 'cannot be added: an account has at most 50 sounds');
  });

  test('a message that names one says its id to every recipient; other names stay', async () => {
    const [owner, friend] = [await newAccount(peal()), await newAccount(peal())];
    const [mine, theirs] = [
      await newDevice(owner, { platform: 'android' }),
      await newDevice(friend, { platform: 'open' }),
    ];
    const { body } = await addSound(owner, 'ding', mp3(20));
    await addSound(friend, 'theirs', mp3(20));
    const user = `${owner.user},${friend.user}`;
    // No carrier needs to tell the devices.
    const stop = peal().cloud.front.intercept(({ action }) =>
      action === 'SendMessageBatch'
        ? { status: 200, body: JSON.stringify({ Successful: [], Failed: [] }) }
        : undefined,
    );

    for (const sound of ['ding', 'theirs', 'po', 'bike', '__proto__', '']) {
      const sent = await post(peal(), 'messages.json', {
        token: owner.token,
        user,
        message: sound || '-',
        sound,
      });
      assert.equal(sent.status, 200);
    }
    stop();
    await mine.sync();
    const page = await owner.api.withSecret(friend.secret).sync(theirs.id);

    const expected = [body.id, 'theirs', 'pushover', 'bike', '__proto__', undefined];
    assert.deepEqual(
      mine.shown.map((one) => one.kind === 'message' && one.message.sound),
      expected,
    );
    assert.deepEqual(
      page.messages.map((one) => (one as { sound?: string }).sound),
      expected,
    );
  });

  test('a message with a built-in sound costs no read more than one without', async () => {
    const account = await newAccount(peal());
    await newDevice(account, { platform: 'android' });
    const requests: string[] = [];
    const stop = peal().cloud.front.intercept(({ caller, service, action }) => {
      if (caller.name.includes('Send') && service === 'dynamodb') requests.push(action);
      return undefined;
    });
    const counts: number[] = [];

    for (const sound of ['', 'bike', 'own']) {
      requests.length = 0;
      await post(peal(), 'messages.json', { token: account.token, user: account.user, message: 'm', sound });
      counts.push(requests.length);
    }
    stop();

    assert.deepEqual(counts, [counts[0], counts[0], counts[0]! + 1]);
  });
});

describe('icons', () => {
  test('an upload becomes the app’s icon, in lists, in messages and as a file', async () => {
    const account = await newAccount(peal());
    const device = await newDevice(account, { platform: 'open' });
    assert.equal((await appOf(account)).icon, 'default');

    const { status, body } = await setIcon(account, png(144, 144));
    const { token, user } = account;
    await post(peal(), 'messages.json', { token, user, message: 'with an icon' });
    const page = await account.api.sync(device.id);
    const answer = await fetched(`/icons/${body.icon}.png`);

    assert.equal(status, 200);
    assert.match(String(body.icon), /^[0-9a-f]{32}$/);
    assert.equal((await appOf(account)).icon, body.icon);
    assert.equal((page.messages[0] as { icon: string }).icon, body.icon);
    assert.equal(answer.headers.get('content-type'), 'image/png');
    assert.equal(answer.headers.get('cache-control'), IMMUTABLE);
    assert.equal(answer.headers.get('etag'), `"${body.icon}"`);
    assert.deepEqual(sizeOfPng(await bytesOf(answer)), [144, 144]);
  });

  test('a rotated token keeps the icon; a deleted icon is the default again, and old messages have theirs', async () => {
    const account = await newAccount(peal());
    const { body } = await setIcon(account, png(72, 72));
    const { id } = await appOf(account);
    const directory = tableOf(peal(), 'Directory');

    const token = await account.api.rotateApp(id);
    const rotated = await authorize(directory, token);
    const deleted = await post(peal(), `apps/${id}/icon/delete.json`, { secret: account.secret });

    assert.equal(rotated.app.icon, body.icon);
    assert.equal(deleted.status, 200);
    assert.equal((await appOf(account)).icon, 'default');
    assert.equal((await authorize(directory, token)).app.icon, 'default');
    assert.equal((await fetched(`/icons/${body.icon}.png`)).status, 200);
  });

  for (const [what, icon, status, reason] of [
    ['HTML', Buffer.from('<!doctype html>'), 400, 'must be a PNG image'],
    [
      'two headers',
      pngOf(chunk('IHDR', header(72, 72)), chunk('IHDR', header(50_000, 50_000))),
      400,
      'cannot be read: IHDR is in a wrong place',
    ],
    ['a large picture', png(257, 257), 400, 'must be square, of 72 to 256 pixels'],
    ['a broken image', png(72, 72).subarray(0, 50), 400, 'cannot be read: it ends in the middle'],
    ['64 KiB', padded(64 * KIB), 200, undefined],
    ['a byte more', padded(64 * KIB + 1), 413, 'is larger than 65536 bytes'],
    ['2 MiB', padded(2048 * KIB), 413, undefined],
    ['an empty file', Buffer.alloc(0), 400, 'cannot be blank'],
  ] as const) {
    test(`${what}: ${status}`, async () => {
      const account = await newAccount(peal());

      const answer = await setIcon(account, icon);

      assert.equal(answer.status, status);
      if (status !== 200) {
        assert.equal(answer.body.icon, reason);
        assert.equal((await appOf(account)).icon, 'default');
      }
    });
  }

  test('nobody changes the icon of another account’s app, and nothing is stored for one who tries', async () => {
    const [account, other] = [await newAccount(peal()), await newAccount(peal())];
    const { id } = await appOf(account);
    const puts: string[] = [];
    const stop = peal().cloud.front.intercept(({ service, method, url }) => {
      if (service === 's3' && method === 'PUT') puts.push(url);
      return undefined;
    });

    const answers = [
      await setIcon(account, png(72, 72), other.secret),
      await post(peal(), `apps/${id}/icon/delete.json`, { secret: other.secret }),
      await upload('apps/zero/icon.json', { secret: account.secret, icon: png(72, 72) }),
      await upload('apps/9999999999/icon.json', { secret: account.secret, icon: png(72, 72) }),
    ];
    stop();

    for (const { status, body } of answers) assert.deepEqual([status, body.app], [404, 'not found']);
    assert.equal((await setIcon(account, png(72, 72), '')).body.secret, 'invalid');
    assert.deepEqual(puts, []);
    assert.equal((await appOf(account)).icon, 'default');
  });

  test('an account uploads sixty sounds and icons an hour, and others go on', async () => {
    const [account, other] = [await newAccount(peal()), await newAccount(peal())];
    const { seconds: length, most } = THROTTLES.upload;
    const window = Math.floor(Date.now() / 1000 / length);
    await fill(
      tableOf(peal(), 'Directory'),
      // In this window and the next, in case it begins meanwhile.
      [window, window + 1].map((one) => ({
        ...countKey('upload', hashSecret(account.user), one),
        attempts: most - 1,
        ttl: (window + 2) * length,
      })),
    );

    const last = await setIcon(account, png(72, 72));
    const [icon, sound] = [await setIcon(account, png(73, 73)), await addSound(account, 'ding', mp3(20))];
    const others = await setIcon(other, png(72, 72));

    assert.deepEqual([last.status, icon.status, sound.status, others.status], [200, 429, 429, 200]);
    assert.deepEqual([icon.body.icon, sound.body.sound], ['was tried too often', 'was tried too often']);
    assert.deepEqual([(await appOf(account)).icon, await ownSounds(account)], [last.body.icon, []]);
  });

  test('whatever order the steps of a rotation and of changes of the icon come in, the token shows the app’s icon', async () => {
    const directory = tableOf(peal(), 'Directory');
    const apps = new Apps(directory, Date.now);
    const { user } = await newAccount(peal());
    const { id } = await apps.create(user, 'Interleaved');

    for (const order of interleavings(5, 2)) {
      let token = '';
      await inOrder(directory, order, [
        async (table) => {
          token = await new Apps(table, Date.now).rotate(user, id);
        },
        (table) => new Apps(table, Date.now).setIcon(user, id, `icon ${order.join('')}`),
      ]);

      assert.equal((await authorize(directory, token)).app.icon, `icon ${order.join('')}`, order.join(''));
    }
    for (const order of interleavings(2, 2)) {
      const token = await apps.rotate(user, id);
      await inOrder(directory, order, [
        (table) => new Apps(table, Date.now).setIcon(user, id, 'one'),
        (table) => new Apps(table, Date.now).setIcon(user, id, 'other'),
      ]);

      const listed = (await apps.list(user)).find((one) => one.id === id)!;
      assert.equal((await authorize(directory, token)).app.icon, listed.icon, order.join(''));
    }
  });
});

/** All orders of so many steps of the first and of the second. */
function interleavings(first: number, second: number): number[][] {
  if (first === 0 && second === 0) return [[]];
  return [
    ...(first > 0 ? interleavings(first - 1, second).map((rest) => [0, ...rest]) : []),
    ...(second > 0 ? interleavings(first, second - 1).map((rest) => [1, ...rest]) : []),
  ];
}

/** Runs work at once whose calls of the table come in a given order; calls beyond it come as they like. */
async function inOrder(
  table: Table,
  order: number[],
  work: ((table: Table) => Promise<void>)[],
): Promise<void> {
  const waiting = work.map((): (() => void)[] => []);
  const done = work.map(() => false);
  let [turn, busy] = [0, false];
  const advance = () => {
    while (turn < order.length && done[order[turn]!]) turn++;
    if (busy) return;
    const next = turn < order.length ? order[turn]! : waiting.findIndex((calls) => calls.length > 0);
    const call = waiting[next]?.shift();
    if (!call) return;
    turn++;
    busy = true;
    call();
  };
  const tables = work.map((_, n): Table => {
    const send = async (command: never) => {
      await new Promise<void>((resolve) => {
        waiting[n]!.push(resolve);
        advance();
      });
      try {
        return await table.client.send(command);
      } finally {
        busy = false;
        // Whoever called gets to its next call, or its end, before the next turn.
        setImmediate(advance);
      }
    };
    return { ...table, client: { send } as unknown as Table['client'] };
  });
  await Promise.all(
    work.map(async (run, n) => {
      await run(tables[n]!);
      done[n] = true;
      advance();
    }),
  );
}
