/** What people send, and what lets somebody act for them, is in no function's log: not when all goes well, nor when not. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { failure } from '../../local/aws/intercept.ts';
import { COUNTING } from '../support/configs.ts';
import { apnsTarget, fcmTarget, newDevice } from '../support/devices.ts';
import { imageOf } from '../support/images.ts';
import { newAccount, post, request, usePeal } from '../support/peal.ts';
import { SocketClient } from '../support/socket-client.ts';

const PATIENCE = 20_000;

const peal = usePeal({
  config: COUNTING,
  // Everything is made to fail here.
  expectedErrors: /./,
});

/** Texts that must not be in a log, by what they are. */
const secrets: [what: string, text: string][] = [];

/** A text that is found wherever it comes up. */
function marked(what: string, text = `${what} ${randomBytes(9).toString('hex')}`): string {
  secrets.push([what, text]);
  return text;
}

/** Where a secret is in the logs of all functions, encoded as it is, in base64 or in an address. */
function leaks(): string[] {
  const lines = [...peal().cloud.functions].flatMap(([name, { logs }]) =>
    logs.map((line) => `${name}: ${JSON.stringify(line)}`),
  );
  assert.ok(lines.length > 0);
  return secrets.flatMap(([what, text]) => {
    const forms = [text, Buffer.from(text).toString('base64').replace(/.?=*$/, ''), encodeURIComponent(text)];
    return lines
      .filter((line) => forms.some((form) => line.includes(form)))
      .map((line) => `${what} in ${line}`);
  });
}

/** A message in which every text is marked. */
const everyField = (round: string) => ({
  message: marked(`message ${round}`),
  title: marked(`title ${round}`),
  url: `https://example.org/${marked(`url ${round}`, randomBytes(9).toString('hex'))}`,
  url_title: marked(`url title ${round}`),
  sound: 'bike',
});

/** An account with a device of every kind, each of which has secrets of its own. */
async function everybody() {
  const account = await newAccount(peal());
  marked('user key', account.user);
  marked('app token', account.token);
  marked('session', account.secret);
  marked('email', account.email);
  marked('password', account.password);
  const subscription = peal().carriers.subscribe().target;
  const fcm = fcmTarget();
  const apns = apnsTarget();
  marked('fcm token', fcm.token);
  marked('apns token', apns.token);
  if (subscription.type === 'webpush') {
    marked('endpoint', subscription.endpoint);
    marked('subscription key', subscription.p256dh);
    marked('subscription secret', subscription.auth);
  }
  const name = (kind: string) => marked(`device name ${kind}`, `${kind}-${randomBytes(6).toString('hex')}`);
  const devices = [
    await newDevice(account, { name: name('android'), platform: 'android', push: fcm }),
    await newDevice(account, { name: name('ios'), platform: 'ios', push: apns }),
    await newDevice(account, { name: name('web'), platform: 'web', push: subscription }),
    await newDevice(account, { name: name('desktop') }),
    await newDevice(account, { name: name('open'), platform: 'open' }),
  ];
  return { account, devices, targets: { fcm: fcm.token, apns: apns.token } };
}

let shared: ReturnType<typeof everybody> | undefined;

/** The same account for all tests that leave its devices as they are. */
const anybody = () => (shared ??= everybody());

async function drained(): Promise<void> {
  for (const name of ['FcmPush', 'ApnsPush', 'WebpushPush', 'DesktopPush'])
    await peal().cloud.poller(name).drained();
}

test('nothing private is logged when all goes well', async () => {
  const { account, devices } = await anybody();
  const { token, user, email, password } = account;
  const desktop = devices[3]!;
  using socket = new SocketClient(peal().socket);
  await socket.say(`login:${desktop.id}:${desktop.secret}\n`);
  await socket.heard(1);

  await post(peal(), 'users/login.json', { email, password });
  const image = { attachment_base64: imageOf('image/png', 200).toString('base64') };
  await post(peal(), 'messages.json', { token, user, ...everyField('plain'), ...image });
  const emergency = {
    priority: '2',
    retry: '30',
    expire: '60',
    tags: marked('tag', `tag${randomBytes(9).toString('hex')}`),
    callback: `https://example.org/${marked('callback', randomBytes(9).toString('hex'))}`,
  };
  const { body } = await post(peal(), 'messages.json', {
    token,
    user,
    ...everyField('emergency'),
    ...emergency,
  });
  marked('receipt', String(body.receipt));
  await drained();
  for (const device of devices) await device.sync();
  await post(peal(), `receipts/${body.receipt}/acknowledge.json`, { secret: account.secret });

  assert.deepEqual(leaks(), []);
});

test('nothing private is logged when carriers refuse, repeat what they were told, or break off', async () => {
  const { account, targets } = await everybody();
  const { token, user } = account;
  const { faults } = peal().carriers;
  for (const [carrier, target] of Object.entries(targets) as ['apns' | 'fcm', string][]) {
    const error = { error: { message: `no such device: ${target}`, status: 'INTERNAL' }, reason: target };
    for (const status of [400, 403, 404, 500])
      faults.add({
        carrier,
        times: 1,
        fault: { kind: 'status', status, body: JSON.stringify(error) },
      });
    faults.add({ carrier, times: 1, fault: { kind: 'close' } });
  }
  faults.add({ carrier: 'webpush', times: 2, fault: { kind: 'status', status: 500, body: 'out of order' } });

  for (let n = 0; n < 5; n++)
    await post(peal(), 'messages.json', { token, user, ...everyField(`refused ${n}`) });
  await drained();
  faults.clear();

  assert.deepEqual(leaks(), []);
});

test('nothing private is logged when requests are wrong, or AWS fails them', async () => {
  const { account } = await anybody();
  const { token, user, secret } = account;
  const wrong = marked('wrong password', 'wrong horse battery');
  const { front } = peal().cloud;
  const fail = (service: string, message: string) =>
    front.intercept((call) =>
      call.service === service ? failure(500, 'InternalServerError', message) : undefined,
    );

  await post(peal(), 'users/login.json', { email: account.email, password: wrong });
  await post(peal(), 'messages.json', {
    token,
    user,
    ...everyField('no priority'),
    priority: marked('priority'),
  });
  await post(peal(), 'messages.json', { token: marked('no token'), user, ...everyField('no token') });
  await request(peal(), `messages.json?secret=${secret}&device_id=${marked('no device', 'x'.repeat(40))}`);
  for (const service of ['sqs', 'dynamodb', 's3']) {
    const mend = fail(service, 'no');
    const image = { attachment_base64: imageOf('image/png', 200).toString('base64') };
    const { status } = await post(peal(), 'messages.json', { token, user, ...everyField(service), ...image });
    assert.equal(status, 500, service);
    await post(peal(), 'users/login.json', { email: account.email, password: account.password });
    mend();
  }

  assert.deepEqual(leaks(), []);
});

test('a secret in a log is found, so that the tests above can fail', async () => {
  const { account } = await anybody();
  const { front } = peal().cloud;
  const mend = front.intercept(({ action }) =>
    action === 'SendMessageBatch'
      ? failure(400, 'InvalidMessageContents', `told: ${account.token}`)
      : undefined,
  );

  await post(peal(), 'messages.json', { token: account.token, user: account.user, message: 'x' });
  mend();

  assert.match(leaks().join('\n'), /^app token in .*told/m);
});

test('records that earlier releases have queued have no request, and are delivered all the same', async () => {
  const { account, devices, targets } = await anybody();
  const { cloud, carriers } = peal();
  const stop = cloud.front.intercept(({ service, action, input }) => {
    if (service !== 'sqs' || action !== 'SendMessageBatch') return undefined;
    const entries = input.Entries as { MessageBody: string }[];
    for (const { MessageBody } of entries) assert.ok(JSON.parse(MessageBody).request);
    return { status: 200, body: JSON.stringify({ Successful: [], Failed: [] }) };
  });
  const before = carriers.journal.received.length;
  await post(peal(), 'messages.json', { token: account.token, user: account.user, message: 'old' });
  stop();
  const phone = devices[0]!;
  const { messages } = await account.api.sync(phone.id);
  const [{ id, umid }] = messages as [{ id: number; umid: number }];
  const now = Date.now();
  const record = {
    v: 1,
    umid,
    acceptedAt: now,
    expiresAt: Math.ceil(now / 1000) + 600,
    priority: 0,
    attempt: 0,
    copy: 'c',
  };
  const MessageBody = JSON.stringify({ ...record, to: [[account.user, phone.id, id]] });

  await cloud.front.send('local-root', 'sqs', 'SendMessageBatch', {
    QueueUrl: cloud.queue('FcmQueue').url,
    Entries: [{ Id: '0', MessageBody }],
  });
  const received = await carriers.journal.waitFor(before + 1, PATIENCE);

  assert.ok(received.some(({ target }) => target === targets.fcm));
});
