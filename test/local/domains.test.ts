import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkConfig } from '../../cdk/settings.ts';
import { localConfig } from '../../local/config.ts';
import { readApis } from '../../local/template/apis.ts';
import { domains } from '../support/configs.ts';
import { newDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';
import { SocketClient } from '../support/socket-client.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
const config = await domains();

test('what a team has elsewhere is left out here, and its certificates are taken to be here', async () => {
  const everything = await localConfig(join(EXAMPLES, 'everything'));
  const { region, account, secrets, alarms, signUp, domains, retention } = checkConfig(everything, 'it');

  assert.deepEqual(
    [region, account, secrets, alarms, signUp],
    ['us-east-1', undefined, {}, undefined, 'open'],
  );
  assert.match(domains.api!.certificateArn, /^arn:aws:acm:us-east-1:/);
  assert.deepEqual(retention, { messages: 14, attachments: 7, logs: 90 });
});

describe('where a team has names of its own', () => {
  const peal = usePeal({ config });

  test('the web app is given the local addresses in their place', async () => {
    const response = await fetch(peal().web);
    const addresses = await (await fetch(`${peal().web}/config.json`)).json();

    const policy = response.headers.get('content-security-policy') ?? '';
    assert.deepEqual(addresses, { api: peal().api, socket: peal().socket });
    assert.ok(policy.includes(`connect-src 'self' ${peal().api} ${peal().socket} `), policy);
    assert.doesNotMatch(policy, /example\.org|execute-api/);
  });

  test('a message reaches a desktop over its socket', async () => {
    const account = await newAccount(peal());
    const device = await newDevice(account, { platform: 'desktop' });
    using socket = new SocketClient(peal().socket);
    await socket.say(`login:${device.id}:${account.secret}\n`);
    await socket.heard(1);

    await post(peal(), 'messages.json', { token: account.token, user: account.user, message: 'hello' });
    const frames = await socket.heard(2);
    await device.sync();

    assert.equal(frames.at(-1), '!');
    assert.deepEqual(device.texts(), ['hello']);
  });

  test('the API is reached under its own name alone, the socket under AWS’s as well', () => {
    const { http, webSocket } = readApis(peal().cloud.engine.model);

    assert.deepEqual(
      http.map(({ names }) => names),
      [['push.example.org']],
    );
    assert.deepEqual(
      webSocket.map(({ apiId, names }) => names?.map((name) => name.replace(apiId, 'ID'))),
      [['ID.execute-api.us-east-1.amazonaws.com', 'socket.push.example.org']],
    );
  });
});
