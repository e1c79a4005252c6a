import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashPassword, verifyPassword } from '../../lib/accounts/passwords.ts';

test('a password is stored as a salted argon2id hash that only it fits', async () => {
  const [one, other] = [await hashPassword('correct horse'), await hashPassword('correct horse')];

  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(one, other);
  assert.equal(await verifyPassword('correct horse', one), true);
  assert.equal(await verifyPassword('Correct horse', one), false);
});

test('without an account the same work is done, and nothing fits', async () => {
  const stored = await hashPassword('correct horse');
  const time = async (hash: string | undefined) => {
    const began = performance.now();
    await verifyPassword('wrong', hash);
    return performance.now() - began;
  };
  await time(stored);

  const known = Math.min(await time(stored), await time(stored), await time(stored));
  const unknown = Math.min(await time(undefined), await time(undefined), await time(undefined));

  assert.equal(await verifyPassword('', undefined), false);
  // Without the work, it would be thousands of times faster.
  assert.ok(unknown > known / 4);
});
