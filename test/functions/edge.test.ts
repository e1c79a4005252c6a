import assert from 'node:assert/strict';
import { request as open } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { FIREWALL } from '../support/configs.ts';
import { newDevice } from '../support/devices.ts';
import { imageOf } from '../support/images.ts';
import { get, newAccount, post, usePeal } from '../support/peal.ts';

/** A Peal with its firewall: CloudFront is before the API. */
const peal = usePeal({ config: FIREWALL });

/** Posts a form from an address of this machine. @returns the status */
function postFrom(
  localAddress: string,
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    open(url, { method: 'POST', localAddress, headers: { ...type, ...headers } }, async (response) => {
      await text(response);
      resolve(response.statusCode!);
    })
      .once('error', reject)
      .end(new URLSearchParams(fields).toString());
  });
}

test('messages with images go through CloudFront and come to the device', async () => {
  const account = await newAccount(peal());
  const device = await newDevice(account);
  const { token, user } = account;
  const image = imageOf('image/png', 3_000_000);
  const form = new FormData();
  for (const [name, value] of Object.entries({ token, user, message: '<b>fire</b>', html: '1' }))
    form.set(name, value);
  form.set('attachment', new Blob([new Uint8Array(image)]), 'image.png');

  const { status } = await fetch(`${peal().api}/1/messages.json`, { method: 'POST', body: form });
  await device.sync();

  assert.equal(status, 200);
  assert.deepEqual(device.texts(), ['<b>fire</b>']);
});

test('nobody gets around CloudFront: the API wants its key', async () => {
  const { token } = await newAccount(peal());
  const sounds = `${peal().cloud.api!.url}/1/sounds.json?token=${token}`;
  const asked = async (headers: Record<string, string>) => {
    const response = await fetch(sounds, { headers });
    return [response.status, await response.json()];
  };

  const answers = [
    await asked({}),
    await asked({ 'X-Peal-Edge': 'guessed' }),
    await asked({ 'X-Peal-Edge': '', 'X-Peal-Viewer': '127.0.0.1', 'X-Peal-Host': 'localhost' }),
  ];

  assert.deepEqual(answers, [
    [401, { message: 'Unauthorized' }],
    [403, { message: 'Forbidden' }],
    [401, { message: 'Unauthorized' }],
  ]);
  assert.equal((await get(peal(), 'sounds.json', { token })).status, 200);
});

test('a client cannot set CloudFront’s headers', async () => {
  const { token } = await newAccount(peal());
  const headers = { 'X-Peal-Edge': 'guessed', 'X-Peal-Host': 'evil.example' };

  const sounds = await fetch(`${peal().api}/1/sounds.json?token=${token}`, { headers });
  const document = await fetch(`${peal().api}/1/openapi.json`, { headers });

  assert.equal(sounds.status, 200);
  const { servers } = (await document.json()) as { servers: { url: string }[] };
  assert.deepEqual(
    servers.map(({ url }) => new URL(url).origin),
    [peal().api],
  );
});

test('logins are counted by the address of who asks, whatever it says', async () => {
  const { email } = await newAccount(peal());
  const wrong = { email, password: 'wrong' };
  const login = (address: string, headers: Record<string, string> = {}) =>
    postFrom(address, `${peal().api}/1/users/login.json`, wrong, headers);

  const tries: number[] = [];
  for (let n = 0; n < 11; n++) {
    tries.push(
      await login('127.0.0.2', { 'X-Peal-Viewer': `10.0.0.${n}`, 'X-Forwarded-For': `10.0.0.${n}` }),
    );
  }
  const another = await login('127.0.0.3');

  assert.deepEqual(tries, [...Array(10).fill(400), 429]);
  assert.equal(another, 400);
});

test('the web app is told of CloudFront’s address, and may call no other', async () => {
  const config = (await (await fetch(`${peal().web}/config.json`)).json()) as { api: string };
  const policy = (await fetch(peal().web)).headers.get('content-security-policy') ?? '';

  assert.equal(config.api, peal().api);
  assert.ok(policy.includes(`connect-src 'self' ${peal().api} `), policy);
  assert.doesNotMatch(policy, /execute-api|cloudfront/);
});

test('the key can be replaced: the one before it is good until CloudFront has the new one', async () => {
  const { cloud } = peal();
  const { token } = await newAccount(peal());
  await cloud.putSecret('EdgeSecret', 'another-key');
  // What warm functions know is read again after minutes; a new one knows it at once.
  cloud.functionNamed('EdgeAuthorizer').kill();

  const direct = await fetch(`${cloud.api!.url}/1/sounds.json?token=${token}`, {
    headers: { 'X-Peal-Edge': 'another-key', 'X-Peal-Viewer': '127.0.0.1', 'X-Peal-Host': 'localhost' },
  });
  const old = await post(peal(), 'users/validate.json', { token, user: 'u'.repeat(30) });

  assert.equal(direct.status, 200);
  assert.equal(old.status, 400);
});
