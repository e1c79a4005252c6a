import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createECDH } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import webpush, { type RequestOptions } from 'web-push';
import { createHttp2Client, type Http2Client } from '../../../lib/carriers/http2/client.ts';
import {
  CARRIER_HOSTS,
  type Carriers,
  makeCredentials,
  type Subscriber,
  startCarriers,
} from '../../../local/carriers/index.ts';
import { decrypt } from '../../../local/carriers/webpush-subscriber.ts';
import { createAuthority } from '../../../local/network/ca.ts';
import { redirectEnvironment, redirectPreload } from '../../../local/network/preload.ts';
import { type StandIns, startStandIns } from '../../carriers/stand-ins.ts';

const MOZILLA = 'https://updates.push.services.mozilla.com';
const APPLE = 'https://web.push.apple.com';

describe('opening a push message', () => {
  it("reads RFC 8291's example", () => {
    const keys = createECDH('prime256v1');
    keys.setPrivateKey(Buffer.from('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url'));
    const body =
      'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3' +
      'jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';

    const text = decrypt(
      Buffer.from(body, 'base64url'),
      keys,
      Buffer.from('BTBZMqHH6r4Tts7J_aSIgg', 'base64url'),
    );

    assert.equal(text.toString(), 'When I grow up, I want to be a watermelon');
  });

  it('fails on what was encrypted for somebody else, or changed', () => {
    const [mine, other] = [createECDH('prime256v1'), createECDH('prime256v1')];
    mine.generateKeys();
    other.generateKeys();
    const auth = Buffer.alloc(16, 1);
    const { cipherText } = webpush.encrypt(
      mine.getPublicKey('base64url'),
      auth.toString('base64url'),
      Buffer.from('hello'),
      'aes128gcm',
    ) as { cipherText: Buffer };
    const changed = Buffer.from(cipherText);
    changed[90]! ^= 1;

    assert.equal(decrypt(cipherText, mine, auth).toString(), 'hello');
    assert.throws(() => decrypt(cipherText, other, auth));
    assert.throws(() => decrypt(cipherText, mine, Buffer.alloc(16, 2)));
    assert.throws(() => decrypt(changed, mine, auth));
    assert.throws(() => decrypt(cipherText.subarray(0, 80), mine, auth));
  });
});

describe('web-push itself, unchanged, at the stand-in', () => {
  let folder: string;
  let carriers: Carriers;

  before(async () => {
    const authority = await createAuthority();
    folder = mkdtempSync(join(tmpdir(), 'peal-webpush-'));
    writeFileSync(join(folder, 'ca.pem'), authority.pem);
    const credentials = await makeCredentials();
    carriers = await startCarriers({
      ...(await authority.issue(CARRIER_HOSTS)),
      fcm: { projectId: 'x', clientEmail: 'x', publicKey: credentials.serviceAccountPublicKey },
      apns: { ...credentials.apns, publicKey: credentials.apnsPublicKey },
    });
  });
  after(async () => {
    await carriers.close();
    rmSync(folder, { recursive: true });
  });

  it('delivers to each service, and hears of subscriptions that are gone', async () => {
    const subscribers = [carriers.subscribe('firefox'), carriers.subscribe('safari')];
    const gone = carriers.subscribe('safari');
    carriers.notes.set({ carrier: 'webpush', target: gone.target.endpoint, deadSince: 1 });
    const vapidDetails = { subject: 'mailto:push@peal.example', ...webpush.generateVAPIDKeys() };
    const script = `const webpush = require('web-push');
      const options = ${JSON.stringify({ vapidDetails, TTL: 60, urgency: 'high', topic: 'abcd' })};
      const send = ({ endpoint, p256dh, auth }) => webpush
        .sendNotification({ endpoint, keys: { p256dh, auth } }, JSON.stringify({ hello: 'world' }), options)
        .then(({ statusCode }) => statusCode, (error) => error.statusCode ?? error.message);
      Promise.all(${JSON.stringify([...subscribers, gone].map(({ target }) => target))}.map(send))
        .then((statuses) => console.log(JSON.stringify(statuses)));`;
    const network = redirectEnvironment({ hosts: carriers.hosts, ca: join(folder, 'ca.pem'), deny: true });

    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', redirectPreload(), '-e', script],
      { env: { PATH: process.env.PATH, ...network }, cwd: join(import.meta.dirname, '..', '..', '..') },
    );

    assert.deepEqual(JSON.parse(stdout), [201, 201, 410]);
    const opened = subscribers.map(({ target, open }) => {
      const received = carriers.journal.received.find((entry) => entry.target === target.endpoint);
      return open(received!);
    });
    assert.deepEqual(opened, [{ hello: 'world' }, { hello: 'world' }]);
  });
});

describe("the push services' stand-in", () => {
  let standIns: StandIns;
  let http: Http2Client;
  let now = Date.now();

  before(async () => {
    standIns = await startStandIns({ now: () => now });
    http = createHttp2Client();
  });
  afterEach(() => standIns.reset());
  after(async () => {
    await http.close();
    await standIns.close();
  });

  interface Change {
    path?: string;
    headers?: Record<string, string | undefined>;
    body?: Uint8Array;
    vapid?: { aud?: string; sub?: string; exp?: number; k?: string; t?: string };
  }

  const authorization = (origin: string, { aud, sub, exp, k, t }: NonNullable<Change['vapid']>) => {
    const { publicKey, privateKey } = standIns.credentials.vapid;
    const at = exp ?? Math.floor(Date.now() / 1000) + 3600;
    const subject = sub ?? 'mailto:push@peal.example';
    const made = webpush.getVapidHeaders(aud ?? origin, subject, publicKey, privateKey, 'aes128gcm', at);
    const token = /t=([^,]+)/.exec(made.Authorization)![1]!;
    return `vapid t=${t ?? token}, k=${k ?? publicKey}`;
  };

  /** A good request with something changed. Answers the status and what the service says is wrong. */
  async function send({ target }: Subscriber, change: Change = {}, options: RequestOptions = {}) {
    const { endpoint, p256dh, auth } = target;
    const { origin, pathname } = new URL(endpoint);
    const details = webpush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, 'hello', {
      TTL: 60,
      ...options,
    });
    const made = Object.entries(details.headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
    const headers: Record<string, string | undefined> = {
      ...Object.fromEntries(made),
      authorization: authorization(origin, change.vapid ?? {}),
      'content-length': undefined,
      ...change.headers,
    };
    const given = Object.entries(headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const answer = await http.request({
      origin,
      path: change.path ?? pathname,
      headers: Object.fromEntries(given),
      body: change.body ?? details.body,
    });
    const said = answer.body === '' ? {} : JSON.parse(answer.body);
    return `${answer.status} ${said.reason ?? said.errno ?? ''}`.trimEnd();
  }

  it('checks what the real ones check', async () => {
    const day = 24 * 3600;
    now = Date.now();
    const seconds = Math.floor(now / 1000);
    const foreign = webpush.generateVAPIDKeys().publicKey;
    const long = Buffer.concat([Buffer.alloc(16), Buffer.from([0, 0, 16, 0, 65, 4]), Buffer.alloc(4075)]);
    const wrong: [Change, mozilla: string, apple: string][] = [
      [{ path: '/x' }, '404 102', '404 BadPath'],
      [{ headers: { authorization: undefined } }, '401 109', '403 BadVapidPublicKey'],
      [{ headers: { authorization: 'Bearer x' } }, '401 109', '403 BadVapidPublicKey'],
      [{ vapid: { k: 'B'.repeat(87) } }, '401 109', '403 BadVapidPublicKey'],
      [{ vapid: { k: foreign } }, '401 109', '403 BadJwtToken'],
      [{ vapid: { t: 'a.b.c' } }, '401 109', '403 BadJwtToken'],
      [{ vapid: { aud: 'https://push.example.org' } }, '401 109', '403 BadJwtToken'],
      [{ vapid: { sub: 'mailto:me@localhost' } }, '401 109', '403 BadJwtToken'],
      [{ vapid: { sub: 'https://localhost/' } }, '401 109', '403 BadJwtToken'],
      [{ vapid: { exp: seconds - 61 } }, '401 109', '403 ExpiredJwtToken'],
      [{ headers: { ttl: undefined } }, '400 111', '400 BadTtl'],
      [{ headers: { ttl: '1.5' } }, '400 111', '400 BadTtl'],
      [{ headers: { ttl: '-1' } }, '400 111', '400 BadTtl'],
      [{ headers: { urgency: 'now' } }, '400 105', '400 BadUrgency'],
      [{ headers: { topic: 'a b' } }, '400 113', '400 BadWebPushTopic'],
      [{ headers: { topic: 'x'.repeat(33) } }, '400 113', '400 BadWebPushTopic'],
      [{ headers: { topic: 'x'.repeat(13) } }, '400 113', '400 BadWebPushTopic'],
      [{ headers: { 'content-encoding': 'aesgcm' } }, '400 110', '400 BadWebPushRequest'],
      [{ headers: { 'content-encoding': undefined } }, '400 110', '400 BadWebPushRequest'],
      [{ body: Buffer.from('not encrypted') }, '400 110', '400 BadWebPushRequest'],
      [{ body: long }, '413 104', '413 PayloadTooLarge'],
    ];

    const answers = [];
    for (const [change] of wrong) {
      answers.push([
        await send(standIns.subscribe('firefox'), change),
        await send(standIns.subscribe('safari'), change),
      ]);
    }
    now = Date.now() - day * 1000;
    const early = await send(standIns.subscribe('safari'));
    now = Date.now();
    const right = [
      await send(standIns.subscribe('firefox')),
      await send(standIns.subscribe('safari'), {
        body: long.subarray(0, 4096),
        headers: { topic: 'x'.repeat(32) },
      }),
      await send(standIns.subscribe('safari'), {
        body: Buffer.alloc(0),
        headers: { 'content-encoding': undefined },
      }),
    ];

    assert.deepEqual(
      answers,
      wrong.map(([, mozilla, apple]) => [mozilla, apple]),
    );
    assert.equal(early, '403 BadJwtToken');
    assert.deepEqual(right, ['201', '201', '201']);
  });

  it('tells a subscription that is gone, unknown, or made with another key', async () => {
    const [gone, stranger, known] = [
      standIns.subscribe(),
      standIns.subscribe('safari'),
      standIns.subscribe(),
    ];
    const note = { carrier: 'webpush' as const };
    standIns.notes.set({ ...note, target: gone.target.endpoint, deadSince: 1 });
    standIns.notes.set({ ...note, target: stranger.target.endpoint, owner: 'another' });
    standIns.notes.set({
      ...note,
      target: known.target.endpoint,
      owner: standIns.credentials.vapid.publicKey,
    });
    standIns.notes.onlyNoted('webpush', true);

    const answers = [];
    for (const subscriber of [gone, stranger, known, standIns.subscribe(), standIns.subscribe('safari')]) {
      answers.push(await send(subscriber));
    }

    assert.deepEqual(answers, ['410 106', '403 VapidPkHashMismatch', '201', '404 102', '410 Unregistered']);
  });

  it('keeps what waits for a browser: the last of each topic, as long as its TTL, and hands it over once', async () => {
    const browser = standIns.subscribe();
    const json = (text: string) => {
      const { endpoint, p256dh, auth } = browser.target;
      return webpush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, JSON.stringify({ text }))
        .body;
    };

    await send(browser, { body: json('first') }, { topic: 'abcd' });
    await send(browser, { body: json('other') }, { topic: 'efgh' });
    await send(browser, { body: json('second') }, { topic: 'abcd' });
    await send(browser, { body: json('now or never') }, { TTL: 0 });
    await send(browser, { body: json('short') }, { TTL: 1 });
    now += 2_000;
    const woken = browser.wake();
    const again = browser.wake();

    assert.deepEqual(woken, [{ text: 'other' }, { text: 'second' }]);
    assert.deepEqual(again, []);
    assert.equal(standIns.journal.received.length, 5);
  });

  it('fails as it is told, in the words of the service', async () => {
    const [mozilla, apple] = [standIns.subscribe('firefox'), standIns.subscribe('safari')];
    const order = { carrier: 'webpush', times: 1 } as const;
    standIns.fail({
      ...order,
      target: mozilla.target.endpoint,
      fault: { kind: 'status', status: 503, reason: '201' },
    });
    standIns.fail({
      ...order,
      target: apple.target.endpoint,
      fault: { kind: 'status', status: 429, reason: 'TooManyRequests' },
    });

    const answers = [await send(mozilla), await send(apple), await send(mozilla), await send(apple)];

    assert.deepEqual(answers, ['503 201', '429 TooManyRequests', '201', '201']);
    assert.ok(mozilla.target.endpoint.startsWith(`${MOZILLA}/wpush/v2/`));
    assert.ok(apple.target.endpoint.startsWith(`${APPLE}/`));
  });
});
