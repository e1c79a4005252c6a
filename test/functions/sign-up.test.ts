import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLOSED, INVITING } from '../support/configs.ts';
import { post, usePeal } from '../support/peal.ts';

const PASSWORD = 'correct horse';

describe('where sign-up is by invitation', () => {
  const peal = usePeal({ config: INVITING });
  const invite = async () => {
    const { payload } = await peal().cloud.functionNamed('Admin').invoke({ command: 'invite' });
    return (payload as { invitation: string }).invitation;
  };

  test('an invitation is good for one account', async () => {
    const invitation = await invite();

    const without = await post(peal(), 'users.json', { email: 'a@example.org', password: PASSWORD });
    const wrong = await post(peal(), 'users.json', {
      email: 'a@example.org',
      password: PASSWORD,
      invitation: 'x',
    });
    const answers = await Promise.all(
      ['b', 'c'].map((name) =>
        post(peal(), 'users.json', { email: `${name}@example.org`, password: PASSWORD, invitation }),
      ),
    );

    assert.deepEqual([without.status, wrong.status], [400, 400]);
    assert.ok('invitation' in without.body && 'invitation' in wrong.body);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400]);
  });

  test('a wrong address does not use an invitation up', async () => {
    const invitation = await invite();

    const wrong = await post(peal(), 'users.json', { email: 'nonsense', password: PASSWORD, invitation });
    const right = await post(peal(), 'users.json', {
      email: 'd@example.org',
      password: PASSWORD,
      invitation,
    });

    assert.deepEqual([wrong.status, right.status], [400, 200]);
  });
});

describe('where sign-up is closed', () => {
  const peal = usePeal({ config: CLOSED });

  test('only the operator makes accounts', async () => {
    const email = 'ops@example.org';
    const admin = peal().cloud.functionNamed('Admin');

    const refused = await post(peal(), 'users.json', { email, password: PASSWORD });
    const made = await admin.invoke({ command: 'create-account', email, password: PASSWORD });
    const again = await admin.invoke({ command: 'create-account', email, password: PASSWORD });
    const login = await post(peal(), 'users/login.json', { email, password: PASSWORD });

    assert.equal(refused.status, 403);
    assert.deepEqual(refused.body.errors, ['sign-up is closed on this server']);
    assert.match((made.payload as { id: string }).id, /^u/);
    assert.deepEqual(again.payload, { errors: ['email has already been taken'] });
    assert.equal(login.status, 200);
  });
});
