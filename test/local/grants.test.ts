import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { devicesKey, sessionKey } from '../../lib/accounts/directory.ts';
import { hashSecret } from '../../lib/accounts/keys.ts';
import { createApi, createListener, type Listener, type PealApi } from '../../lib/device/index.ts';
import { chunkKey, itemOf as entryOf } from '../../lib/history/entry.ts';
import { firstIdAt } from '../../lib/mailbox/message-id.ts';
import { answerJson } from '../../local/aws/call.ts';
import { failure } from '../../local/aws/intercept.ts';
import { asList, isObject, type JsonObject } from '../../local/template/json.ts';
import { mp3, png } from '../media/builders.ts';
import { hurry } from '../receipts/hurry.ts';
import { admin } from '../support/admin.ts';
import { COUNTING } from '../support/configs.ts';
import { seedDeviceLists } from '../support/crowd.ts';
import { apnsTarget, fcmTarget, newDevice, type TestDevice } from '../support/devices.ts';
import { fill, tableOf } from '../support/directory.ts';
import { imageOf } from '../support/images.ts';
import { get, newAccount, post, request, type TestPeal, usePeal } from '../support/peal.ts';
import type { Cleanup } from './assemblies.ts';

/** A sender's server, which is told of acknowledgements: at first it is out of order. Absent: it is silent. */
let serverStatus: number | undefined = 500;
const server = createServer((_, response) => {
  if (serverStatus !== undefined) response.writeHead(serverStatus).end();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
after(() => {
  server.closeAllConnections();
  server.close();
});

const peal = usePeal({
  config: COUNTING,
  hosts: { 'alarms.example:80': (server.address() as AddressInfo).port },
  // What the flow provokes: a send that cannot be queued, records that are given up, and their SDK's words.
  expectedErrors: /InternalServerError|InternalFailure|given up|request failed|nonsense/,
});

const EMERGENCY = { priority: '2', retry: '600', expire: '1800', tags: 'grants' };

/** Milliseconds. */
const PATIENCE = 20_000;

/** Roles by what is left of them that was never used, in words. */
function unused({ cloud }: TestPeal): string[] {
  return cloud.iam
    .unusedGrants()
    .map(({ role, action, resource, partition = '' }) => `${role}: ${action} on ${resource} ${partition}`);
}

/** Waits until no grant that matches is unused; looks again after every AWS call of a function. */
async function used(pattern: RegExp): Promise<void> {
  const { cloud } = peal();
  const events = new EventEmitter<{ call: [] }>();
  // The call is let go on first, so that what it does to the grants is known when they are looked at.
  const stop = cloud.front.intercept(() => void setImmediate(() => events.emit('call')));
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    while (unused(peal()).some((grant) => pattern.test(grant))) await once(events, 'call', { signal });
  } catch (cause) {
    throw new Error(`never used:\n${unused(peal()).join('\n')}`, { cause });
  } finally {
    stop();
  }
}

/** Listens on the socket as a device; resolves once it is connected. */
async function listen(t: Cleanup, { store }: TestDevice, api: PealApi): Promise<Listener> {
  const connected = Promise.withResolvers<void>();
  const listener = createListener({
    api,
    socket: peal().socket,
    store,
    onMessage() {},
    onError: connected.reject,
    onState: ({ state }) => {
      if (state === 'connected') connected.resolve();
    },
  });
  t.after(() => listener.stop());
  await listener.start();
  await connected.promise;
  return listener;
}

const isFor = ({ id }: { id: string }, input: JsonObject) => JSON.stringify(input).includes(id);

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** Makes every record that is queued from now on a record's last try: the first failure gives it up. */
function ageRecords({ cloud }: TestPeal): () => void {
  return cloud.front.intercept(({ caller, action, input }) => {
    if (!caller.name.includes('Send') || action !== 'SendMessageBatch') return undefined;
    const entries = asList(input.Entries).filter(isObject);
    const aged = (body: string) =>
      JSON.stringify({ ...JSON.parse(body), acceptedAt: 1, since: 1, attempt: 9 });
    const bodies = new Map(entries.map(({ Id, MessageBody }) => [Id, String(MessageBody)]));
    return {
      input: {
        ...input,
        Entries: entries.map((entry): JsonObject => ({ ...entry, MessageBody: aged(bodies.get(entry.Id)!) })),
      },
      // The SDK compares what it sent with what SQS says it has got.
      after: (answer) => {
        const Successful = asList(answerJson(answer).Successful)
          .filter(isObject)
          .map((one): JsonObject => ({ ...one, MD5OfMessageBody: md5(bodies.get(one.Id)!) }));
        return { ...answer, headers: {}, body: JSON.stringify({ Successful, Failed: [] }) };
      },
    };
  });
}

/** Makes a device one that was registered, and last here, long ago. */
async function age(user: string, id: string): Promise<void> {
  const { client, name } = tableOf(peal(), 'Directory');
  await client.send(
    new UpdateCommand({
      TableName: name,
      Key: devicesKey(user),
      UpdateExpression: 'SET devices.#id.createdAt = :then REMOVE devices.#id.seenAt',
      ExpressionAttributeNames: { '#id': id },
      ExpressionAttributeValues: { ':then': 1_700_000_000 },
    }),
  );
}

function queueByHand(QueueUrl: string, record: object) {
  const Entries = [{ Id: '0', MessageBody: JSON.stringify(record) }];
  return peal().cloud.front.send('local-root', 'sqs', 'SendMessageBatch', { QueueUrl, Entries });
}

/** Accounts whose devices are, with some more, too many for one invocation. @returns their user keys */
async function crowd(): Promise<string[]> {
  const accounts = await seedDeviceLists(tableOf(peal(), 'Directory'), { accounts: 5, devices: 40 });
  return accounts.map(({ user }) => user);
}

test('every grant of every role is used, so that none is wider than what Peal does', async (t) => {
  const { cloud, carriers } = peal();
  const { front } = cloud;
  const account = await newAccount(peal());
  const { api, token, user } = account;
  const newestConnection = () => cloud.socket!.connections().at(-1) ?? assert.fail('nobody is connected');
  const send = (message: string, more: Record<string, string> = {}) =>
    post(peal(), 'messages.json', { token, user, message, ...more });
  const targets = [
    { platform: 'android', carrier: 'fcm', push: fcmTarget() },
    { platform: 'ios', carrier: 'apns', push: apnsTarget() },
    { platform: 'web', carrier: 'webpush', push: carriers.subscribe().target },
  ] as const;
  const phones = await Promise.all(
    targets.map(({ platform, push }) => newDevice(account, { platform, push })),
  );
  const desktop = await newDevice(account);
  const open = await newDevice(account, { platform: 'open' });
  const devices = [...phones, desktop, open];

  await t.test('delivery to each kind of device, sync and acknowledge', async (t) => {
    // Logs in and does not sync, so that the message still waits when dispatch looks for it.
    const socket = new WebSocket(peal().socket);
    t.after(() => socket.close());
    const frame = async () => (await once(socket, 'message'))[0].data;
    await once(socket, 'open');
    const greeting = frame();
    socket.send(`login:${desktop.id}:${desktop.secret}\n`);
    assert.equal(await greeting, '#');
    const signal = frame();
    assert.equal((await send('one')).status, 200);
    assert.equal(await signal, '!');

    const farewell = frame();
    const listener = await listen(t, desktop, api);
    assert.equal(await farewell, 'A');
    await listener.stop();
    const pushed = await carriers.journal.waitFor(targets.length, PATIENCE);
    assert.equal(pushed.length, targets.length);
    for (const device of devices) await device.sync();
    for (const device of phones) assert.deepEqual(device.texts(), ['one']);
    const upTo = `devices/${open.id}/update_highest_message.json`;
    assert.equal((await post(peal(), upTo, { secret: open.secret, message: '1' })).status, 200);
  });

  await t.test('a connection that is gone', async (t) => {
    const listener = await listen(t, desktop, api);
    const { socket } = newestConnection();
    const closed = once(socket, 'close');
    const forgotten = used(/DesktopPushRole.*DeleteItem/);
    await listener.stop();
    await closed;
    await send('to nobody there');
    await forgotten;
  });

  /** Has the newest message to each device wait in the slow lane of its carrier, where it fails as well. */
  async function failSlowly(): Promise<void> {
    const acceptedAt = Date.now();
    const record = {
      v: 1,
      umid: 1,
      acceptedAt,
      expiresAt: Math.ceil(acceptedAt / 1000) + 600,
      priority: 0,
      attempt: 0,
      copy: 'slow',
    };
    for (const [lane, device] of [
      ['Fcm', phones[0]!],
      ['Apns', phones[1]!],
      ['Webpush', phones[2]!],
      ['Desktop', desktop],
    ] as const) {
      const { id } = (await api.sync(device.id)).messages.at(-1) as { id: number };
      await queueByHand(cloud.queue(`${lane}SlowQueue`).url, { ...record, to: [[user, device.id, id]] });
    }
    await used(/PushRole.*sqs:\w+ on .*Slow/);
  }

  await t.test('what fails for now, and what is given up', async (t) => {
    for (const round of ['again', 'never']) {
      const stop = round === 'never' ? ageRecords(peal()) : () => {};
      const listener = await listen(t, desktop, api);
      // All fail until they are told otherwise: the first round's second tries come in the midst of the second round.
      for (let n = 0; n < 10; n++) cloud.socket!.failOnce(newestConnection().connectionId, 500);
      for (const { carrier } of targets)
        carriers.faults.add({ carrier, fault: { kind: 'status', status: 503 } });
      const queue = round === 'never' ? 'DeadLetters' : '(Fcm|Apns|Webpush|Desktop)Queue';
      assert.equal((await send(round)).status, 200);
      await used(new RegExp(`PushRole.*sqs:SendMessage on .*${queue}`));
      if (round === 'again') await failSlowly();
      stop();
      carriers.faults.clear();
      await listener.stop();
    }
  });

  await t.test('a message to very many devices, and what of it is given up', async () => {
    const user = [...(await crowd()), account.user].join(',');
    for (const round of ['again', 'never']) {
      let failures = 1;
      const stops = [
        round === 'never' ? ageRecords(peal()) : () => {},
        front.intercept(({ caller, action, input }) =>
          caller.name.includes('FanOut') && action === 'PutItem' && isFor(desktop, input) && failures-- > 0
            ? failure(400, 'ValidationException', 'no')
            : undefined,
        ),
      ];
      // The first is an emergency, whose repetitions the fan-out starts.
      assert.equal((await send(round, { user, ...(round === 'again' && EMERGENCY) })).status, 200);
      const queue = round === 'never' ? 'DeadLetters' : 'Queue';
      await used(new RegExp(`FanOutWorkerRole.*sqs:SendMessage on .*${queue}`));
      for (const stop of stops) stop();
    }
  });

  await t.test('an emergency, its receipt, and a callback that is given up', async (t) => {
    const callback = 'http://alarms.example/';
    const callbacks = cloud.queue('ReceiptsCallbackQueue').url;
    await listen(t, desktop, api);
    const acknowledged = Promise.withResolvers<void>();
    const stop = hurry(peal(), 2, (step) => (step === 1 ? undefined : acknowledged.promise));
    // The acknowledgement dies before it has queued the callback: the repetitions do.
    const mend = front.intercept(({ caller, input }) =>
      caller.name.startsWith('PealApi') && input.QueueUrl === callbacks ? { before: 'drop' } : undefined,
    );
    const { body } = await send('fire', { ...EMERGENCY, callback });
    await used(/RepeatWorkerRole.*sqs:SendMessage on .*(Fcm|Apns|Webpush|Desktop)/);
    await used(/DesktopPushRole.*UpdateItem/);
    const path = `receipts/${body.receipt}`;
    const { secret } = account;
    assert.equal((await post(peal(), `${path}/acknowledge.json`, { secret })).status, 500);
    mend();
    acknowledged.resolve();
    await used(/CallbackWorkerRole.*sqs:ChangeMessageVisibility on .*CallbackQueue/);
    stop();
    assert.equal((await get(peal(), `${path}.json`, { token })).body.acknowledged, 1);
    assert.equal((await post(peal(), 'receipts/cancel_by_tag/grants.json', { token })).body.canceled, 1);
    const expiresAt = Math.ceil(Date.now() / 1000) + 600;
    const { receipt } = body;
    const last = {
      v: 1,
      url: callback,
      owner: user,
      receipt,
      acknowledgedAt: 1,
      acknowledgedBy: user,
      expiresAt,
      since: 1,
    };
    await queueByHand(callbacks, { ...last, acknowledgedByDevice: '' });
    await used(/CallbackWorkerRole.*sqs:SendMessage on .*DeadLetters/);
    const slow = cloud.queue('ReceiptsCallbackSlowQueue').url;
    const since = Math.floor(Date.now() / 1000);
    await queueByHand(slow, { ...last, acknowledgedByDevice: '', since });
    await used(/CallbackWorkerRole.*sqs:ChangeMessageVisibility on .*Slow/);
    serverStatus = undefined;
    await queueByHand(callbacks, { ...last, acknowledgedByDevice: '', since });
    await used(/CallbackWorkerRole.*sqs:\w+ on .*Slow/);
    const report = { v: 1, kind: 'called-back', receipt, at: 1, expiresAt };
    await queueByHand(cloud.queue('ReceiptsRepeatDeadLetters').url, report);
    const unreadable = { messageId: 'm', body: 'nonsense', attributes: { ApproximateReceiveCount: '15' } };
    await cloud.functionNamed('ReceiptsRepeatWorker').invoke({ Records: [unreadable] });
    await used(/RepeatWorkerRole.*sqs:SendMessage on .*DeadLetters/);
    serverStatus = 200;
  });

  await t.test('what the operator does', async () => {
    await admin(peal(), { command: 'status' });
    const { id } = await admin(peal(), { command: 'invite' });
    await admin(peal(), { command: 'list-invitations' });
    await admin(peal(), { command: 'revoke-invitation', id });
    const { accounts } = await admin(peal(), { command: 'list-accounts' });
    assert.ok(accounts.length > 0);
    const queues = ['fcm', 'apns', 'webpush', 'desktop', 'fan-out', 'repeat', 'callback'];
    const redriven = await Promise.all(
      queues.map(async (queue) => {
        const { records } = await admin(peal(), { command: 'redrive', queue });
        return [queue, records > 0];
      }),
    );
    assert.deepEqual(
      redriven,
      queues.map((queue) => [queue, true]),
    );
  });

  await t.test('targets that are dead', async () => {
    const deadSince = Date.now() + 60_000;
    for (const { carrier, push } of targets) {
      const target = push.type === 'webpush' ? push.endpoint : push.token;
      carriers.notes.set({ carrier, target, deadSince });
    }
    await send('to the dead');
    await used(/PushRole.*UpdateItem/);
  });

  await t.test('a message that cannot be queued is withdrawn', async () => {
    const stop = front.intercept((call) =>
      call.service === 'sqs' && call.action === 'SendMessageBatch'
        ? failure(500, 'InternalFailure', 'no')
        : undefined,
    );
    assert.equal((await send('never', { ...EMERGENCY, idempotency_key: 'withdrawn' })).status, 500);
    const many = [...(await crowd()), user].join(',');
    assert.equal((await send('never', { user: many })).status, 500);
    stop();
  });

  await t.test('a group, and a message that is repeated', async () => {
    const { body } = await post(peal(), 'groups.json', { token, name: 'Group' });
    const group = body.group as string;
    for (const change of ['add_user', 'disable_user', 'remove_user', 'add_user']) {
      await post(peal(), `groups/${group}/${change}.json`, { token, user });
    }
    await get(peal(), 'groups.json', { token });
    const { body: short } = await post(peal(), 'groups.json', { token, name: 'For a moment' });
    await post(peal(), `groups/${short.group}/add_user.json`, { token, user });
    assert.equal((await post(peal(), `groups/${short.group}/delete.json`, { token })).status, 200);
    assert.equal((await post(peal(), 'users/validate.json', { token, user: group })).status, 200);
    for (const _ of ['first', 'repeated']) {
      const { status } = await send('to the group', { user: group, idempotency_key: 'once' });
      assert.equal(status, 200);
    }
  });

  await t.test('the history', async () => {
    const { secret } = account;
    assert.equal((await post(peal(), `devices/${desktop.id}/test.json`, { secret })).status, 200);
    const { body } = await get(peal(), 'history.json', { secret });
    // What was fanned out is among them.
    for (const { id } of body.messages as { id: string }[])
      assert.equal((await get(peal(), `history/${id}.json`, { secret })).status, 200);
  });
  const upload = async (secret: string, path: string, file: 'icon' | 'sound', bytes: Uint8Array) => {
    const body = new FormData();
    body.set('secret', secret);
    body.set('name', 'ding');
    body.set(file, new Blob([Buffer.from(bytes)]), 'file');
    return (await request(peal(), path, { method: 'POST', body })).body;
  };

  await t.test('a sound and an icon', async () => {
    const { secret } = account;
    const [app] = await api.listApps();
    for (const [path, file, bytes] of [
      ['sounds.json', 'sound', mp3(20)],
      [`apps/${app!.id}/icon.json`, 'icon', png(72, 72)],
    ] as const) {
      const made = await upload(secret, path, file, bytes);
      const address = file === 'icon' ? `icons/${made.icon}.png` : `sounds/${made.id}.mp3`;
      assert.equal((await fetch(`${peal().api}/${address}`)).status, 200);
    }
    assert.equal((await post(peal(), 'sounds/ding/delete.json', { secret })).status, 200);
    assert.equal((await fetch(`${peal().api}/icons/${'0'.repeat(32)}.png`)).status, 404);
  });

  await t.test(
    'a message with an image, inline and uploaded, for a device with a key and one without',
    async () => {
      const image = imageOf('image/png', 500);
      const { body } = await post(peal(), 'attachments.json', { token });
      const { url, fields } = body.upload as { url: string; fields: Record<string, string> };
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append('file', new Blob([new Uint8Array(image)]));
      await fetch(url, { method: 'POST', body: form });
      assert.equal((await send('uploaded', { attachment: body.id as string })).status, 200);
      const gone = { attachment: body.id as string, idempotency_key: 'refused' };
      assert.equal((await send('none', gone)).status, 400);
      const stop = front.intercept(({ action }) =>
        action === 'SendMessageBatch' ? failure(500, 'InternalFailure', 'no') : undefined,
      );
      const base64 = { attachment_base64: image.toString('base64') };
      assert.equal((await send('withdrawn', base64)).status, 500);
      stop();
      // An image whose object is gone: S3 says so, and not that it is forbidden.
      const lost = front.intercept(({ service, method }) =>
        service === 's3' && method === 'PUT' ? { status: 200, body: '' } : undefined,
      );
      assert.equal((await send('inline', base64)).status, 200);
      lost();
      for (const device of devices) await device.sync();
    },
  );

  await t.test('a second factor, and sessions that are ended with their sockets', async (t) => {
    const { email, password } = account;
    const logIn = async () =>
      String((await post(peal(), 'users/login.json', { email, password })).body.secret);
    /** A session that is at the desktop's socket. */
    const connected = async () => {
      const secret = await logIn();
      const socket = new WebSocket(peal().socket);
      t.after(() => socket.close());
      await once(socket, 'open');
      const greeting = once(socket, 'message');
      socket.send(`login:${desktop.id}:${secret}`);
      await greeting;
      return { secret, farewell: once(socket, 'message') };
    };
    const { secret } = account;
    assert.equal((await post(peal(), 'users/twofa.json', { secret, password })).status, 200);
    const { farewell } = await connected();
    assert.equal((await post(peal(), 'sessions/revoke_others.json', { secret })).body.revoked, 1);
    assert.equal((await farewell)[0].data, 'E');

    // Ended while it logs in on the socket: its connection is forgotten at once.
    const late = await logIn();
    const stop = front.intercept(async ({ caller, action }) => {
      if (caller.name.includes('Socket') && action === 'PutItem')
        await post(peal(), 'users/logout.json', { secret: late });
      return undefined;
    });
    const socket = new WebSocket(peal().socket);
    t.after(() => socket.close());
    await once(socket, 'open');
    const refused = once(socket, 'message');
    socket.send(`login:${desktop.id}:${late}`);
    assert.equal((await refused)[0].data, 'E');
    stop();

    // What has not been used for long: its next sync, and the device's next login, note that it is.
    await age(user, desktop.id);
    await fill(tableOf(peal(), 'Directory'), [
      { ...sessionKey(user, hashSecret(secret)), email, createdAt: 1_700_000_000 },
    ]);
    const last = await connected();
    await desktop.sync();
    const command = { command: 'reset-password', email, password, twofa: 'keep' };
    await cloud.functionNamed('Admin').invoke(command);
    assert.equal((await last.farewell)[0].data, 'E');
  });

  await t.test('the rest of an account’s life', async () => {
    const first = { email: 'first@example.org', password: 'correct horse' };
    assert.equal((await post(peal(), 'users.json', first)).status, 200);
    const email = 'second@example.org';
    const command = { command: 'create-account', email, password: 'correct horse' };
    const created = await cloud.functionNamed('Admin').invoke(command);
    assert.match(JSON.stringify(created.payload), /"id":"u/);
    const other = api.withSecret((await api.login({ email, password: 'correct horse' })).secret);
    const session = await createApi({ url: peal().api }).login(account);
    const mine = api.withSecret(session.secret);
    await mine.updateDevice(desktop.id, { name: 'renamed', enabled: false });
    await mine.listDevices();
    await mine.pushKey();
    await mine.deleteDevice(phones[0]!.id);
    const [app] = await mine.listApps();
    // Gets another icon while its token is replaced: the new token shows it.
    let icons = 1;
    const stop = front.intercept(async ({ caller, action }) => {
      if (caller.name.includes('Account') && action === 'DeleteItem' && icons-- > 0)
        await upload(session.secret, `apps/${app!.id}/icon.json`, 'icon', png(72, 72));
      return undefined;
    });
    await mine.rotateApp(app!.id);
    stop();
    await mine.deleteApp(app!.id);
    await other.logout();
    // From an address that the account knows, too many attempts from elsewhere do not matter.
    const mend = front.intercept(({ action, input }) =>
      action === 'UpdateItem' && JSON.stringify(input).includes('throttle#loginAccount')
        ? failure(400, 'ConditionalCheckFailedException', 'The conditional request failed')
        : undefined,
    );
    await createApi({ url: peal().api }).login(account);
    mend();
  });

  await t.test('setting carriers up, and deleting an account', async () => {
    const { serviceAccount, apns } = peal().credentials;
    for (const given of [
      { carrier: 'fcm', serviceAccount: JSON.stringify(serviceAccount) } as const,
      { carrier: 'apns', ...apns, topic: 'org.example.app', environment: 'production' } as const,
      { carrier: 'webpush', subject: 'mailto:ops@peal.example' } as const,
    ]) {
      const { result } = await admin(peal(), { command: 'set-carrier', given, replace: true });
      assert.equal(result, 'stored');
    }
    const leaver = await newAccount(peal());
    const leaving = await newDevice(leaver);
    const sound = new FormData();
    sound.set('secret', leaver.secret);
    sound.set('name', 'ding');
    sound.set('sound', new Blob([Buffer.from(mp3(20))]), 'file');
    assert.equal((await request(peal(), 'sounds.json', { method: 'POST', body: sound })).status, 200);
    const attachment_base64 = imageOf('image/png', 500).toString('base64');
    const given = { token: leaver.token, user: leaver.user, message: 'stays' };
    assert.equal((await post(peal(), 'messages.json', given)).status, 200);
    await leaving.sync();
    for (const more of [{ message: 'never fetched', attachment_base64 }, EMERGENCY])
      assert.equal((await post(peal(), 'messages.json', { ...given, ...more })).status, 200);
    const inGroup = async (by: string, user: string) => {
      const { body } = await post(peal(), 'groups.json', { token: by, name: 'Group' });
      assert.equal(
        (await post(peal(), `groups/${body.group}/add_user.json`, { token: by, user })).status,
        200,
      );
    };
    const friend = await newAccount(peal());
    await inGroup(leaver.token, friend.user);
    await inGroup(friend.token, leaver.user);
    // It has sent to very many, too.
    const at = Math.floor(Date.now() / 1000);
    const fanned = {
      owner: leaver.user,
      id: firstIdAt(Date.now()),
      request: randomUUID(),
      users: 999,
      chunks: 50,
    };
    const said = { app: { id: 1, name: 'App' }, priority: 0, receivedAt: at, expiresAt: at + 60 };
    await fill(tableOf(peal(), 'Mailbox'), [
      entryOf({ ...fanned, ...said }, at + 3600),
      { ...chunkKey(fanned.request, 0), copies: new Set([`${desktop.id} 1 ${user}`]), ttl: at + 3600 },
    ]);
    const { email } = leaver;
    await admin(peal(), { command: 'set-quota', email, quota: 1_000 });
    const { apps } = await admin(peal(), { command: 'list-apps', email });
    await admin(peal(), { command: 'rotate-app', email, app: apps[0]!.id });
    await admin(peal(), { command: 'export-account', email });
    const { done } = await admin(peal(), { command: 'delete-account', email });
    assert.equal(done, true);
  });

  await used(/./);

  assert.deepEqual(unused(peal()), []);
});
