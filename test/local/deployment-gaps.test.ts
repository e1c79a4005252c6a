import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startPeal } from '../../local/peal.ts';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { get, newAccount, post } from '../support/peal.ts';
import {
  assemblyWithout,
  type Gap,
  type GappedPeal,
  pealWithout,
  type StackName,
  withoutGrant,
  withoutPermission,
  withoutRoute,
  withoutShared,
  withoutVariable,
} from './gaps.ts';

/** An account with a desktop, and a message to it. */
async function ready(peal: GappedPeal) {
  const account = await newAccount(peal);
  const device = await newDevice(account);
  const send = () =>
    post(peal, 'messages.json', { token: account.token, user: account.user, message: 'hello' });
  return { ...account, device, send };
}

const role = (id: string) => `arn:aws:sts::000000000000:assumed-role/[^ ]*${id}[^ ]*/[^ ]*`;

for (const [action, resource, arn] of [
  ['dynamodb:PutItem', 'Mailbox', /^arn:aws:dynamodb:.*:table\/.*Mailbox/],
  ['dynamodb:BatchGetItem', 'Directory', /^arn:aws:dynamodb:.*:table\/.*Directory/],
  ['sqs:SendMessage', 'DesktopQueue', /^arn:aws:sqs:.*DesktopQueue/],
] as const) {
  test(`without ${action} on ${resource}, sending fails and the log names function, action and resource`, async (t) => {
    const peal = await pealWithout(t, 'PealApi', withoutGrant('SendRole', action, resource));
    const { device, send } = await ready(peal);

    const { status, body } = await send();
    const { level, fields } = await peal.line(new RegExp(` may not ${action} on `));
    await device.sync();

    assert.equal(status, 500);
    assert.equal(body.status, 0);
    assert.equal(level, 'error');
    assert.equal(fields?.function, peal.cloud.functionNamed('Send').spec.name);
    assert.equal(fields?.action, action);
    assert.match(String(fields?.resource), arn);
    assert.deepEqual(device.texts(), []);
  });
}

/** One Peal for the tests of a block: none of what it is without is in the way of the others. */
function usePealWithout(stack: StackName, ...gaps: Gap[]): () => GappedPeal {
  let peal: GappedPeal;
  const undo: (() => unknown)[] = [];
  before(async () => {
    peal = await pealWithout({ after: (done) => void undo.push(done) }, stack, ...gaps);
  });
  after(async () => {
    for (const done of undo.reverse()) await done();
  });
  return () => peal;
}

describe('without something of the API', () => {
  const gapped = usePealWithout(
    'PealApi',
    withoutRoute('POST /1/messages.json'),
    withoutRoute('OPTIONS /{proxy+}'),
    withoutPermission('/*/*/*', 'SendFunction'),
    withoutVariable('SyncFunction', 'MAILBOX_TABLE'),
  );

  test('without its route, a path is not found and the log names method, path and what there is', async () => {
    const peal = gapped();
    const { send } = await ready(peal);

    const { status, body } = await send();
    const { message } = await peal.line(/no route for POST/);

    assert.equal(status, 404);
    assert.deepEqual(body, { message: 'Not Found' });
    assert.match(message, /^HTTP API: no route for POST \/1\/messages\.json; there are: /);
    assert.match(message, /POST \/1\/messages,/);
  });

  test('without OPTIONS /{proxy+}, a browser page from elsewhere gets no answer to its preflight', async () => {
    const peal = gapped();
    const response = await fetch(`${peal.api}/1/messages.json`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://elsewhere.example', 'Access-Control-Request-Method': 'POST' },
    });
    await response.arrayBuffer();
    const { message } = await peal.line(/no route for OPTIONS/);

    assert.equal(response.status, 404);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    assert.match(message, /no route for OPTIONS \/1\/messages\.json/);
  });

  test('without one of its environment variables, a function does not start, and its log names the variable', async () => {
    const peal = gapped();
    const { secret, device } = await ready(peal);

    const { status } = await get(peal, 'messages.json', { secret, device_id: device.id });
    const { fields } = await peal.line(/environment variable MAILBOX_TABLE is not set/);

    assert.equal(status, 500);
    assert.equal(fields?.function, peal.cloud.functionNamed('Sync').spec.name);
  });

  test('without its Lambda permission, a route fails and the log names function, API, method and path', async () => {
    const peal = gapped();
    const { token, user } = await newAccount(peal);

    const { status, body } = await post(peal, 'messages', { token, user, message: 'hello' });
    const { message } = await peal.line(/has no permission/);

    assert.equal(status, 500);
    assert.deepEqual(body, { message: 'Internal Server Error' });
    const [name, api] = [
      peal.cloud.functionNamed('Send').spec.name,
      peal.cloud.engine.model.ofType('AWS::ApiGatewayV2::Api'),
    ];
    assert.ok(message.includes(` ${name} `), message);
    assert.match(message, /arn:aws:execute-api:[^ ]+\/POST\/1\/messages \(AWS::Lambda::Permission\)$/);
    assert.ok(
      api.some(({ ref }) => message.includes(`:${ref}/`)),
      message,
    );
  });
});

describe('without grants of those that push', () => {
  const gapped = usePealWithout(
    'PealDispatch',
    withoutGrant('DesktopPushRole', 'execute-api:ManageConnections', '@connections'),
    withoutGrant('FcmPushRole', 'secretsmanager:GetSecretValue', 'FcmCredentials'),
  );

  test('without execute-api:ManageConnections, a desktop is not signalled and the log says who may not', async (t) => {
    const peal = gapped();
    const { device, secret, send } = await ready(peal);
    const frames: string[] = [];
    const socket = new WebSocket(peal.socket);
    t.after(() => socket.close());
    await new Promise<void>((resolve) => {
      socket.onopen = () => socket.send(`login:${device.id}:${secret}\n`);
      socket.onmessage = ({ data }) => {
        frames.push(String(data));
        resolve();
      };
    });

    const { status } = await send();
    const { message } = await peal.line(/not authorized to perform: execute-api:ManageConnections/);
    const fault = await peal.line(/the carrier refuses our configuration/);
    await device.sync();

    assert.equal(status, 200);
    assert.match(
      message,
      new RegExp(`User: ${role('DesktopPush')} is not .* on resource: [^ ]+/push/POST/@connections/[^ ]+ `),
    );
    assert.equal(fault.level, 'error');
    assert.deepEqual(frames, ['#']);
    assert.deepEqual(device.texts(), ['hello']);
  });

  test('without secretsmanager:GetSecretValue, nothing is pushed, and the message stays for sync', async () => {
    const peal = gapped();
    const account = await newAccount(peal);
    const phone = await newDevice(account, { platform: 'android', push: fcmTarget() });

    const { status } = await post(peal, 'messages.json', {
      token: account.token,
      user: account.user,
      message: 'hello',
    });
    const { level, fields } = await peal.line(/ may not secretsmanager:GetSecretValue on /);
    await phone.sync();

    assert.equal(status, 200);
    assert.equal(level, 'error');
    assert.equal(fields?.function, peal.cloud.functionNamed('FcmPush').spec.name);
    assert.match(String(fields?.resource), /^arn:aws:secretsmanager:.*FcmCredentials/);
    assert.deepEqual(peal.carriers.journal.received, []);
    assert.deepEqual(phone.texts(), ['hello']);
  });
});

test('without the permission of the socket’s route, a login is not answered as one', async (t) => {
  const peal = await pealWithout(t, 'PealDispatch', withoutPermission('/*$default', 'SocketFunction'));
  const socket = new WebSocket(peal.socket);
  t.after(() => socket.close());
  const answered = new Promise<string>((resolve) => {
    socket.onmessage = ({ data }) => resolve(String(data));
  });
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });

  socket.send('login:device:secret\n');
  const answer = await answered;
  const { message } = await peal.line(/has no permission for/);

  assert.equal(JSON.parse(answer).message, 'Internal server error');
  assert.match(message, /SocketFunction.*arn:aws:execute-api:.*\/push\/\$default$/);
});

for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']) {
  test(`without ${action}, an event source mapping is refused as at deployment`, async (t) => {
    const gap = withoutGrant('ApnsPushRole', action, 'ApnsQueue');
    const assembly = await assemblyWithout(t, 'PealDispatch', gap);

    const start = startPeal({ assembly, log() {}, sweepInterval: 0 });

    await assert.rejects(start, ({ message }: Error) => {
      assert.match(message, /PealDispatch/);
      assert.match(message, /ApnsPushMapping/);
      assert.match(message, new RegExp(`${role('ApnsPush')} is not authorized to perform: ${action} `));
      assert.match(message, /on resource: arn:aws:sqs:[^ ]*ApnsQueue/);
      return true;
    });
  });
}

test('without what tells other stacks the name of a table, nothing starts, as nothing would deploy', async (t) => {
  const assembly = await assemblyWithout(t, 'PealData', withoutShared('Mailbox'));

  const start = startPeal({ assembly, log() {}, sweepInterval: 0 });

  await assert.rejects(start, /PealDispatch.*there is no parameter \/PealData-prod\/Mailbox\w{8}\/Ref/);
});
