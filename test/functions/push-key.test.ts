import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import * as endpoints from '../../functions/push-key/endpoints.ts';
import { get, newAccount, openPeal, usePeal } from '../support/peal.ts';

const peal = usePeal();

test('a logged-in browser is told the public half of the VAPID key, and nothing of the private one', async () => {
  const { secret, api } = await newAccount(peal());
  const headers = { Authorization: `Bearer ${secret}` };

  const response = await fetch(`${peal().api}/1/push_key.json`, { headers });
  const body = (await response.json()) as { public_key: string };
  const key = await api.pushKey();

  assert.equal(response.status, 200);
  assert.ok(v.is(endpoints.pushKey.answer, body));
  assert.deepEqual(Object.keys(body).sort(), ['public_key', 'request', 'status']);
  assert.equal(Buffer.from(body.public_key, 'base64url').length, 65);
  assert.equal(key, body.public_key);
});

test('nobody else is told', async () => {
  const answers = await Promise.all(
    [{}, { secret: 'x'.repeat(60) }].map((query) => get(peal(), 'push_key.json', query)),
  );

  for (const { status, body } of answers) {
    assert.equal(status, 400);
    assert.equal(body.secret, 'invalid');
  }
});

test('where the operator has put no key, there is none to tell', async (t) => {
  const off = await openPeal({ credentials: 'off' });
  t.after(() => off.close());
  const { secret, api } = await newAccount(off);

  const { status, body } = await get(off, 'push_key.json', { secret });
  const key = await api.pushKey();

  assert.equal(status, 404);
  assert.equal(body.push_key, 'not found');
  assert.deepEqual(body.errors, ['web push is not set up on this server']);
  assert.equal(key, undefined);
});
