/** Throttles of logins when the table does not take their counts, and what is stored of who tried. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { canonicalEmail } from '../../lib/accounts/email.ts';
import { keyedHash, plainHash } from '../../lib/accounts/keyed-hash.ts';
import { LoginGuard } from '../../lib/accounts/login-guard.ts';
import { THROTTLES, type ThrottleName, Throttles } from '../../lib/accounts/throttles.ts';
import { Refusal } from '../../lib/refusal.ts';
import type { Table } from '../../lib/storage/table.ts';
import { useDirectory } from '../support/table.ts';

const directory = useDirectory();
const NOW = 1_800_000_000_000;
const clock = () => NOW;
const hash = keyedHash(async () => 'm'.repeat(64), 'throttles');
const email = (name: string) => canonicalEmail(`${name}@example.org`)!;

/** A table in which writes of counts fail. @param isHot says of which, by their partition key */
function throttling(isHot: (pk: string) => boolean, name = 'ProvisionedThroughputExceededException'): Table {
  const { client } = directory();
  const send = async (command: { input: { Key?: { pk: string }; UpdateExpression?: string } }) => {
    const { Key, UpdateExpression } = command.input;
    if (UpdateExpression && Key && isHot(Key.pk)) throw Object.assign(new Error('too hot'), { name });
    return client.send(command as never);
  };
  return { ...directory(), client: { send } as unknown as Table['client'] };
}

/** What a throttle says to an attempt: whether it may go on, is one too many, or has failed. */
async function tried(attempt: Promise<unknown>): Promise<'admitted' | 'failed' | 'refused'> {
  try {
    await attempt;
    return 'admitted';
  } catch (error) {
    return error instanceof Refusal && error.status === 429 ? 'refused' : 'failed';
  }
}

const NAMES = Object.keys(THROTTLES) as ThrottleName[];
const isOf = (name: ThrottleName) => (pk: string) => pk.startsWith(`throttle#${name}#`);

for (const error of [
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
]) {
  test(`what is tried so often that the table does not count it is refused, by every throttle: ${error}`, async () => {
    for (const name of NAMES) {
      const lines: string[] = [];
      const throttles = new Throttles(throttling(isOf(name), error), clock, (line) => lines.push(line), hash);

      assert.equal(await tried(throttles.take(name, 'hot', 'email')), 'refused', name);
      assert.deepEqual(lines, ['a count is overloaded, the attempt is refused']);
    }
  });
}

test('what cannot be counted for another reason goes on or fails, as the throttle says', async () => {
  for (const name of NAMES) {
    const throttles = new Throttles(throttling(isOf(name), 'InternalServerError'), clock, () => {}, hash);

    const expected = THROTTLES[name].onFault === 'open' ? 'admitted' : 'failed';
    assert.equal(await tried(throttles.take(name, 'broken', 'email')), expected, name);
  }
});

test('a partition that others keep busy closes nothing: the attempt is counted elsewhere, below the same limit', async () => {
  const isFirst = (pk: string) => isOf('login')(pk) && pk.split('#').length === 3;
  const throttles = new Throttles(throttling(isFirst), clock, assert.fail, hash);
  const attempts = 8 * THROTTLES.login.most + 1;

  const answers: string[] = [];
  for (let n = 0; n < attempts; n++) answers.push(await tried(throttles.take('login', 'neighbour', 'email')));

  assert.deepEqual(answers.slice(0, 10), Array(10).fill('admitted'));
  assert.ok(answers.includes('refused'));
});

test('an account that is guessed at too fast to be counted stays open where it is known, and nowhere else', async () => {
  const calm = new LoginGuard(
    directory(),
    clock,
    new Throttles(directory(), clock, assert.fail, hash),
    hash,
    assert.fail,
  );
  const owner = email('attacked');
  await calm.loggedIn(owner, '203.0.113.1', []);
  const hot = throttling(isOf('loginAccount'));
  const guard = new LoginGuard(hot, clock, new Throttles(hot, clock, () => {}, hash), hash, assert.fail);

  const known = await tried(guard.admitLogin(owner, '203.0.113.1'));
  const unknown = await tried(guard.admitLogin(owner, '203.0.113.2'));
  const other = await tried(guard.admitLogin(email('other'), '203.0.113.1'));

  assert.deepEqual([known, unknown, other], ['admitted', 'refused', 'refused']);
});

test('what is stored of those who tried and those who are known is under a key that the table does not have', async () => {
  const guard = new LoginGuard(
    directory(),
    clock,
    new Throttles(directory(), clock, assert.fail, hash),
    hash,
    assert.fail,
  );
  const [someone, address] = [email('stored'), '198.51.100.7'];
  const taken = await guard.admitLogin(someone, address);
  await guard.admitSignUp(address);
  await guard.loggedIn(someone, address, taken);

  const { Items = [] } = await directory().client.send(new ScanCommand({ TableName: directory().name }));
  const stored = JSON.stringify(Items);
  const subjects = [someone, address, `${someone}\n${address}`, 'all'];
  const plain = await Promise.all(subjects.map(plainHash));
  const keyed = await Promise.all(subjects.map(hash));

  for (const text of [someone, address, ...plain]) assert.ok(!stored.includes(text));
  for (const text of keyed) assert.ok(stored.includes(text));
});

test('who was told five times that an address has an account cannot sign up, so is not told any more', async () => {
  const guard = new LoginGuard(
    directory(),
    clock,
    new Throttles(directory(), clock, assert.fail, hash),
    hash,
    assert.fail,
  );
  const [prober, honest] = ['192.0.2.1', '192.0.2.2'];
  const told = THROTTLES.signUpTakenAddress.most;

  for (let n = 0; n < told; n++) await guard.admitSignUp(prober);
  for (let n = 0; n <= told; n++) await guard.giveBack(await guard.admitSignUp(honest));

  assert.equal(await tried(guard.admitSignUp(prober)), 'refused');
  assert.equal(await tried(guard.admitSignUp(honest)), 'admitted');
});
