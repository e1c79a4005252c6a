import assert from 'node:assert/strict';
import { createHash, sign } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { cert, deleteApp, initializeApp } from 'firebase-admin/app';
import { getMessaging, type Messaging } from 'firebase-admin/messaging';
import { ProviderTokens, WINDOW_SECONDS } from '../../../lib/carriers/apns/provider-token.ts';
import { createHttp2Client, type Http2Client } from '../../../lib/carriers/http2/client.ts';
import { makeCredentials } from '../../../local/carriers/index.ts';
import { deviceToken, type StandIns, startStandIns } from '../../carriers/stand-ins.ts';

let standIns: StandIns;
let http: Http2Client;
let now = Date.now();

before(async () => {
  standIns = await startStandIns({
    now: () => now,
    fcm: { perTargetMinute: 5 },
    apns: { topics: ['net.peal.app'] },
  });
  http = createHttp2Client();
});
afterEach(() => standIns.reset());
after(async () => {
  await http.close();
  await standIns.close();
});

describe("FCM's stand-in", () => {
  let messaging: Messaging;
  let end: () => Promise<void>;

  before(() => {
    const account = standIns.credentials.serviceAccount;
    const credential = cert({
      projectId: account.project_id,
      clientEmail: account.client_email,
      privateKey: account.private_key,
    });
    const app = initializeApp({ credential, projectId: account.project_id }, 'stand-in');
    messaging = getMessaging(app);
    end = () => deleteApp(app);
  });
  after(() => end());

  const message = {
    data: { a: '1' },
    android: { priority: 'high', ttl: 60_000, collapseKey: 'k' },
  } as const;

  it('takes what firebase-admin sends over HTTP/1.1', async () => {
    const name = await messaging.send({ token: 'device-aaaa', ...structuredClone(message) });

    assert.match(name, /^projects\/peal-local\/messages\//);
    assert.deepEqual(standIns.journal.received[0]?.payload, {
      token: 'device-aaaa',
      data: { a: '1' },
      android: { priority: 'high', ttl: '60s', collapse_key: 'k' },
    });
  });

  it('takes what firebase-admin sends over HTTP/2, with its odd scheme', async () => {
    const devices = ['device-aaaa', 'device-bbbb', 'device-cccc'];

    const sent = await messaging.sendEach(devices.map((token) => ({ token, ...structuredClone(message) })));

    assert.equal(sent.successCount, 3);
    assert.deepEqual(standIns.journal.received.map(({ target }) => target).toSorted(), devices);
  });

  it('refuses in a way that firebase-admin understands', async () => {
    standIns.notes.set({ carrier: 'fcm', target: 'device-gone', deadSince: 1 });
    standIns.notes.set({ carrier: 'fcm', target: 'device-else', owner: 'another' });
    const tokens = ['device-gone', 'device-else', 'not a token'];

    const codes = [];
    for (const token of tokens) {
      const sent = await messaging.sendEach([{ token, data: { a: '1' } }]);
      codes.push(sent.responses[0]?.error?.code);
    }
    const large = await messaging.sendEach([{ token: 'device-aaaa', data: { a: 'x'.repeat(4096) } }]);

    assert.deepEqual(codes, [
      'messaging/registration-token-not-registered',
      'messaging/mismatched-credential',
      'messaging/invalid-argument',
    ]);
    assert.equal(large.responses[0]?.error?.code, 'messaging/invalid-argument');
  });

  it('counts messages a minute to a device', async () => {
    const send = () => messaging.sendEach([{ token: 'device-busy', data: { a: '1' } }]);

    const codes = [];
    for (let i = 0; i < 6; i++) codes.push((await send()).responses[0]?.error?.code);
    now += 60_000;
    const later = await send();

    assert.deepEqual(codes, [...Array(5).fill(undefined), 'messaging/message-rate-exceeded']);
    assert.equal(later.successCount, 1);
  });

  it('checks what the real one checks', async () => {
    const ok = { token: 'device-aaaa', data: { a: '1' } };
    const wrong: [unknown, string][] = [
      ['no object', 'INVALID_ARGUMENT'],
      [{ message: ok, colour: 1 }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, colour: 1 } }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, fid: 'cAbCdEfGhIjKlMnOpQrStU' } }, 'INVALID_ARGUMENT'],
      [{ message: { data: { a: '1' } } }, 'INVALID_ARGUMENT'],
      [{ message: { fid: 'too-short', data: { a: '1' } } }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, data: { a: 1 } } }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, data: { from: 'x' } } }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, data: { a: 'x'.repeat(4096) } } }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, android: { ttl: 60 } } }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, android: { ttl: '2419201s' } } }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, android: { priority: 'urgent' } } }, 'INVALID_ARGUMENT'],
      [{ message: { ...ok, android: { colour: 1 } } }, 'INVALID_ARGUMENT'],
    ];
    const token = await accessToken();

    const reasons = [];
    for (const [body] of wrong) reasons.push(await sendToFcm(body, token));
    const right = await sendToFcm({ message: { ...ok, data: { a: 'x'.repeat(4095) } } }, token);

    assert.deepEqual(
      reasons,
      wrong.map(([, reason]) => reason),
    );
    assert.equal(right, 200);
  });

  it('wants an access token of its own and the right project', async () => {
    const message = { message: { token: 'device-aaaa', data: { a: '1' } } };
    const token = await accessToken();

    const reasons = [
      await sendToFcm(message, 'ya29.invented'),
      await sendToFcm(message, token, 'another'),
      await sendToFcm(message, token),
    ];
    standIns.revokeAccessTokens();
    reasons.push(await sendToFcm(message, token));

    assert.deepEqual(reasons, ['UNAUTHENTICATED', 'PERMISSION_DENIED', 200, 'UNAUTHENTICATED']);
  });

  async function accessToken(): Promise<string> {
    const { serviceAccount } = standIns.credentials;
    // A field that the credential does not read makes firebase-admin forget the token that it holds.
    const account = {
      projectId: serviceAccount.project_id,
      clientEmail: serviceAccount.client_email,
      privateKey: serviceAccount.private_key,
      once: performance.now(),
    };
    return (await cert(account).getAccessToken()).access_token;
  }

  async function sendToFcm(body: unknown, token: string, project = 'peal-local'): Promise<string | number> {
    const answer = await http.request({
      origin: 'https://fcm.googleapis.com',
      path: `/v1/projects/${project}/messages:send`,
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    return answer.status === 200 ? 200 : JSON.parse(answer.body).error.status;
  }
});

describe("Google's token endpoint", () => {
  it('refuses assertions that are none, foreign or untimely', async () => {
    const { serviceAccount: other } = await makeCredentials();

    const answers = [
      await askForToken('x=y'),
      await askForToken('grant_type=x'),
      await askForToken(grant('no.jwt')),
    ];
    const account = {
      projectId: 'foreign',
      clientEmail: standIns.credentials.serviceAccount.client_email,
      privateKey: other.private_key,
    };
    const foreign = await cert(account)
      .getAccessToken()
      .catch((error: Error) => error.message);

    assert.deepEqual(answers, ['unsupported_grant_type', 'unsupported_grant_type', 'invalid_grant']);
    assert.match(String(foreign), /invalid_grant/);
  });

  function grant(assertion: string): string {
    return new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
    }).toString();
  }

  async function askForToken(body: string): Promise<string> {
    const answer = await http.request({
      origin: 'https://oauth2.googleapis.com',
      path: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
    return JSON.parse(answer.body).error;
  }
});

describe("APNs' stand-in", () => {
  it('checks what the real one checks', async () => {
    const wrong: [Partial<Request>, number, string][] = [
      [{ path: '/4/device/x' }, 404, 'BadPath'],
      [{ headers: { authorization: undefined } }, 403, 'MissingProviderToken'],
      [{ headers: { authorization: 'bearer x' } }, 403, 'InvalidProviderToken'],
      [{ headers: { authorization: `bearer ${jwt({ keyId: 'OTHERKEY12' })}` } }, 403, 'InvalidProviderToken'],
      [
        { headers: { authorization: `bearer ${jwt({ teamId: 'OTHERTEAM1' })}` } },
        403,
        'InvalidProviderToken',
      ],
      [{ headers: { authorization: `bearer ${jwt({}, now - 101 * 60_000)}` } }, 403, 'ExpiredProviderToken'],
      // A token is dated back to where its window begins, which may be a whole window before.
      [
        { headers: { authorization: `bearer ${jwt({}, now + 2 * WINDOW_SECONDS * 1000)}` } },
        403,
        'InvalidProviderToken',
      ],
      [{ headers: { 'apns-topic': undefined } }, 400, 'MissingTopic'],
      [{ headers: { 'apns-topic': 'a b' } }, 400, 'BadTopic'],
      [{ headers: { 'apns-topic': 'com.example.other' } }, 400, 'TopicDisallowed'],
      [{ path: '/3/device/' }, 400, 'MissingDeviceToken'],
      [{ path: `/3/device/${'a'.repeat(62)}` }, 400, 'BadDeviceToken'],
      [{ path: `/3/device/${'g'.repeat(64)}` }, 400, 'BadDeviceToken'],
      [{ headers: { 'apns-push-type': 'shout' } }, 400, 'InvalidPushType'],
      [{ headers: { 'apns-priority': '7' } }, 400, 'BadPriority'],
      [{ headers: { 'apns-expiration': 'soon' } }, 400, 'BadExpirationDate'],
      [{ headers: { 'apns-collapse-id': 'x'.repeat(65) } }, 400, 'BadCollapseId'],
      [{ headers: { 'apns-id': '42' } }, 400, 'BadMessageId'],
      [{ body: '' }, 400, 'PayloadEmpty'],
      [{ body: JSON.stringify({ aps: {}, x: 'x'.repeat(4096 - 16) }) }, 413, 'PayloadTooLarge'],
    ];

    const answers = [];
    for (const [request] of wrong) answers.push(await send(request));
    const right = await send({
      body: JSON.stringify({ aps: {}, x: 'x'.repeat(4096 - 17) }),
      headers: { 'apns-collapse-id': 'x'.repeat(64) },
    });

    assert.deepEqual(
      answers,
      wrong.map(([, status, reason]) => `${status} ${reason}`),
    );
    assert.equal(right, '200 ');
  });

  it('refuses provider tokens that change too often', async () => {
    // A new signature is a new token. The clock first goes on past those that other tests have used, to where a window
    // of provider tokens begins: theirs must not expire before the test is over.
    const window = WINDOW_SECONDS * 1000;
    now = (Math.floor(now / window) + 2) * window;
    const young = [jwt({}), signedAnew(jwt({})), signedAnew(jwt({}))];

    const answers = [];
    for (const token of young) answers.push(await send({ headers: { authorization: `bearer ${token}` } }));
    now += 20 * 60_000 + 1;
    answers.push(await send({ headers: { authorization: `bearer ${young[2]}` } }));

    assert.deepEqual(answers, ['200 ', '200 ', '429 TooManyProviderTokenUpdates', '200 ']);
  });

  it('says since when a token is dead', async () => {
    standIns.notes.set({ carrier: 'apns', target: deviceToken('gone'), deadSince: 1_790_000_000_123 });

    const answer = await raw({ path: `/3/device/${deviceToken('gone')}` });

    assert.equal(answer.status, 410);
    assert.deepEqual(JSON.parse(answer.body), { reason: 'Unregistered', timestamp: 1_790_000_000_123 });
  });

  it('repeats the id of the notification, or makes one up', async () => {
    const id = createHash('md5')
      .update('x')
      .digest('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

    const named = await raw({ headers: { 'apns-id': id } });
    const unnamed = await raw({});

    assert.equal(named.headers['apns-id'], id);
    assert.match(String(unnamed.headers['apns-id']), /^[0-9A-F-]{36}$/);
  });

  interface Request {
    path: string;
    headers: Record<string, string | undefined>;
    body: string;
  }

  function jwt(change: { keyId?: string; teamId?: string }, at = now): string {
    return new ProviderTokens({ ...standIns.credentials.apns, ...change }, () => at).current();
  }

  /** The same claims under another signature: node's ECDSA is not deterministic. */
  function signedAnew(token: string): string {
    const signed = token.slice(0, token.lastIndexOf('.'));
    const key = { key: standIns.credentials.apns.privateKey, dsaEncoding: 'ieee-p1363' as const };
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }

  function raw(request: Partial<Request>) {
    const headers = {
      authorization: `bearer ${jwt({})}`,
      'apns-topic': 'net.peal.app',
      ...request.headers,
    };
    const given = Object.entries(headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return http.request({
      origin: 'https://api.push.apple.com',
      path: request.path ?? `/3/device/${deviceToken('one')}`,
      headers: Object.fromEntries(given),
      body: request.body ?? '{"aps":{}}',
    });
  }

  async function send(request: Partial<Request>): Promise<string> {
    const answer = await raw(request);
    return `${answer.status} ${answer.body === '' ? '' : JSON.parse(answer.body).reason}`;
  }
});
