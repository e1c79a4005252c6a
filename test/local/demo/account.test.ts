/** The kind of fault: a tool that starts Peal, and gives it up because the machine is still busy with starting it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { demoAccount } from '../../../local/demo/account.ts';
import { patientApi } from '../../../local/demo/patience.ts';
import { temporaryDir } from '../assemblies.ts';

const SESSION = { status: 1, id: 'u'.repeat(30), secret: 's'.repeat(64) };
const TAKEN = { status: 0, email: 'has already been taken', errors: ['email has already been taken'] };

/** An API that answers one call after the other with these, and what it was asked. */
function scripted(t: TestContext, answers: [status: number, body: object][]) {
  const limits: number[] = [];
  const paths: string[] = [];
  const { timeout } = AbortSignal;
  t.mock.method(AbortSignal, 'timeout', (limit: number) => {
    limits.push(limit);
    return timeout.call(AbortSignal, limit);
  });
  const transport: typeof fetch = async (url) => {
    paths.push(new URL(String(url)).pathname);
    const [status, body] = answers.shift()!;
    return Response.json(body, { status });
  };
  return { api: patientApi('http://127.0.0.1', transport), limits, paths };
}

function remembered(t: TestContext): string {
  const folder = temporaryDir(t);
  const account = { email: 'demo@peal.example', password: 'p', user: SESSION.id, token: 't' };
  writeFileSync(join(folder, 'demo.json'), JSON.stringify(account));
  return folder;
}

test('the first login may take minutes, and is repeated when the API gives up the function', async (t) => {
  const { api, limits, paths } = scripted(t, [
    [503, { message: 'Service Unavailable' }],
    [500, { message: 'Internal Server Error' }],
    [200, SESSION],
  ]);

  const { secret } = await demoAccount(api, remembered(t));

  assert.equal(secret, SESSION.secret);
  assert.deepEqual(paths, Array(3).fill('/1/users/login.json'));
  assert.ok(
    limits.every((limit) => limit >= 5 * 60_000),
    String(limits),
  );
});

test('a login that Peal refuses is not repeated', async (t) => {
  const { api } = scripted(t, [[400, { status: 0, errors: ['email and/or password are incorrect'] }]]);

  await assert.rejects(demoAccount(api, remembered(t)), { name: 'PealError', status: 400 });
});

test('a sign-up that was done and not answered is gone on from', async (t) => {
  const { api, paths } = scripted(t, [
    [503, { message: 'Service Unavailable' }],
    [400, TAKEN],
    [200, SESSION],
    [200, { status: 1, id: '7', token: 'a'.repeat(30) }],
  ]);

  const { account, secret } = await demoAccount(api, undefined);

  assert.equal(secret, SESSION.secret);
  assert.equal(account.token, 'a'.repeat(30));
  assert.deepEqual(paths.slice(0, 3), ['/1/users.json', '/1/users.json', '/1/users/login.json']);
});
