import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomKey } from '../../lib/accounts/keys.ts';
import { batchGet } from '../../lib/storage/batches.ts';
import type { JsonObject } from '../../local/template/json.ts';
import { crowd } from '../support/crowd.ts';
import { tableOf } from '../support/directory.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal();

/** More members than one invocation takes, a third of them with the phone alone, a third with the tablet alone. */
const MEMBERS = 210;
const KINDS = [undefined, 'phone', 'tablet'] as const;

const drained = () => peal().cloud.poller('FanOutWorker').drained();

/** Which of the devices have got the message of this id. */
async function holders(devices: string[], id: number): Promise<Set<string>> {
  const mailbox = tableOf(peal(), 'Mailbox');
  const keys = devices.map((pk) => ({ pk, sk: id }));
  const [items] = await batchGet([{ table: mailbox, keys, consistent: true }]);
  return new Set(items!.map(({ pk }) => pk as string));
}

test('a message to a large group reaches those devices of each member that are in it, once', async () => {
  const owner = await newAccount(peal());
  const key = randomKey('g');
  const directory = tableOf(peal(), 'Directory');
  const people = await crowd(directory, { key, owner: owner.user }, MEMBERS, (n) => KINDS[n % 3]);
  const records: JsonObject[] = [];
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    if (action !== 'SendMessageBatch') return undefined;
    for (const { MessageBody } of input.Entries as JsonObject[])
      records.push(JSON.parse(String(MessageBody)));
    return undefined;
  });
  peal().cloud.poller('FanOutWorker').deliverTwice();

  const fields = { token: owner.token, user: key, message: 'hello', device: 'phone' };
  const { status } = await post(peal(), 'messages.json', fields);
  await drained();
  stop();
  const { umid } = records[0]!.job as { umid: number };
  const held = await holders(
    people.flatMap(({ phone, tablet }) => [phone, tablet]),
    umid,
  );

  assert.equal(status, 200);
  const wanted = people.flatMap(({ phone, tablet }, n) =>
    n % 3 === 0 ? [phone, tablet] : [n % 3 === 1 ? phone : tablet],
  );
  assert.deepEqual(held, new Set(wanted));
  const users = records
    .filter(({ attempt }) => attempt === 0)
    .flatMap((record) => (record.users ?? []) as string[]);
  assert.equal(new Set(users).size, MEMBERS);
  assert.equal(users.length, MEMBERS);
});
