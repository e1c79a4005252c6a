/**
 * A sender is not told who the members of another account's group are, wherever it asks or is told. Each place that a
 * sender can read is a row; one that names people who may be named must name those, so that no row can pass by saying
 * nothing.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { asList, isObject } from '../../local/template/json.ts';
import { admin } from '../support/admin.ts';
import { newDevice } from '../support/devices.ts';
import { get, newAccount, post, type TestAccount, usePeal } from '../support/peal.ts';

const peal = usePeal();

/** A member of the other account's group, who acknowledges. */
type Member = TestAccount & { device: string; name: string };

/** An emergency to that group, which a member has acknowledged. */
interface Emergency {
  answer: Record<string, unknown>;
  receipt: string;
  /** What was queued for the callback. */
  callback: unknown;
  by: Member;
}

let sender: TestAccount;
let group: string;
let hidden: Emergency;
let known: Emergency;

const ask = async (path: string, query: Record<string, string>) => (await get(peal(), path, query)).body;

/** The id of the history's entry of an emergency. */
async function entryOf({ receipt }: Emergency): Promise<string> {
  const { messages } = await ask('history.json', { secret: sender.secret });
  const { expires_at } = await ask(`receipts/${receipt}.json`, { token: sender.token });
  const [found] = (messages as { id: string; receipt: { expires_at: number } }[]).filter(
    (message) => message.receipt.expires_at === expires_at,
  );
  return found!.id;
}

/** What a sender can read, and whether it names who acknowledged, of those who may be named. */
const PLACES: Record<string, { names: boolean; read: (of: Emergency) => Promise<unknown> }> = {
  'the answer to the message': { names: false, read: async ({ answer }) => answer },
  'the receipt': {
    names: true,
    read: ({ receipt }) => ask(`receipts/${receipt}.json`, { token: sender.token }),
  },
  'the callback': { names: true, read: async ({ callback }) => callback },
  'the list of what was sent': {
    names: true,
    read: async (of) => {
      const id = await entryOf(of);
      const { messages } = await ask('history.json', { secret: sender.secret });
      return (messages as { id: string }[]).find((message) => message.id === id);
    },
  },
  'a message that was sent, with its devices': {
    names: true,
    read: async (of) => ask(`history/${await entryOf(of)}.json`, { secret: sender.secret }),
  },
  'the export of the account': {
    names: true,
    read: async () => {
      const parts: unknown[] = [];
      let cursor: string | undefined;
      do {
        const piece = await admin(peal(), { command: 'export-account', email: sender.email, cursor });
        parts.push(...piece.parts);
        cursor = piece.next;
      } while (cursor !== undefined);
      return parts;
    },
  },
  'its usage': { names: false, read: () => ask('usage.json', { secret: sender.secret }) },
  'its limits': { names: false, read: () => ask('apps/limits.json', { token: sender.token }) },
  'whether the group is valid': {
    names: false,
    read: async () => (await post(peal(), 'users/validate.json', { token: sender.token, user: group })).body,
  },
  'the group': { names: false, read: () => ask(`groups/${group}.json`, { token: sender.token }) },
};

/** Sends an emergency, which a member acknowledges. */
async function emergency(user: string, by: Member, expire: string): Promise<Emergency> {
  const callbacks: unknown[] = [];
  const { url } = peal().cloud.queue('ReceiptsCallbackQueue');
  const stop = peal().cloud.front.intercept(({ action, input }) => {
    if (action === 'SendMessageBatch' && input.QueueUrl === url)
      callbacks.push(...asList(input.Entries).filter(isObject));
    return undefined;
  });
  const fields = { priority: '2', retry: '300', expire, callback: 'http://nobody.example/' };
  const { body } = await post(peal(), 'messages.json', {
    token: sender.token,
    user,
    message: 'fire',
    ...fields,
  });
  const receipt = String(body.receipt);
  const path = `receipts/${receipt}/acknowledge.json`;
  const { status } = await post(peal(), path, { secret: by.secret, device_id: by.device });
  stop();
  assert.deepEqual([status, callbacks.length], [200, 1], JSON.stringify(body));
  return { answer: body, receipt, callback: callbacks[0], by };
}

describe('after an emergency to the group of another account', () => {
  before(async () => {
    const [owner, stranger, friend] = await Promise.all([1, 2, 3].map(() => newAccount(peal())));
    sender = await newAccount(peal());
    const member = async (account: TestAccount, name: string): Promise<Member> => {
      const { id: device } = await newDevice(account, { platform: 'android', name });
      return { ...account, device, name };
    };
    const [unknown, friends] = [
      await member(stranger!, 'secret-phone'),
      await member(friend!, 'known-phone'),
    ];
    const newGroup = async ({ token }: TestAccount, members: Member[]) => {
      const { body } = await post(peal(), 'groups.json', { token, name: 'Group' });
      for (const { user } of members)
        await post(peal(), `groups/${body.group}/add_user.json`, { token, user, memo: `memo of ${user}` });
      return String(body.group);
    };
    group = await newGroup(owner!, [unknown, friends]);
    const own = await newGroup(sender, [friends]);
    hidden = await emergency(`${group},${own}`, unknown, '600');
    known = await emergency(`${group},${own}`, friends, '1200');
  });

  for (const [place, { names, read }] of Object.entries(PLACES)) {
    test(`${place} tells nothing of a member whom the sender does not know`, async () => {
      const text = JSON.stringify(await read(hidden));

      const { user, name, device, email, secret } = hidden.by;
      for (const private_ of [user, name, device, email, secret]) assert.ok(!text.includes(private_), text);
      assert.ok(text.length > 10, text);
    });

    test(`${place} ${names ? 'names' : 'does not name'} one whom it knows`, async () => {
      const text = JSON.stringify(await read(known));

      assert.equal(text.includes(known.by.user), names, text);
    });
  }

  test('that it was acknowledged, and when, is told of anybody', async () => {
    const views = [];
    for (const { receipt } of [hidden, known])
      views.push(await ask(`receipts/${receipt}.json`, { token: sender.token }));
    const [told, named] = views;

    assert.deepEqual([told!.acknowledged, told!.acknowledged_by, told!.acknowledged_by_device], [1, '', '']);
    assert.ok((told!.acknowledged_at as number) > 0);
    assert.deepEqual([named!.acknowledged_by, named!.acknowledged_by_device], [known.by.user, 'known-phone']);
  });

  test('the account that acknowledged is told by which of its devices, whether the sender is or not', async () => {
    const states = await Promise.all([hidden, known].map(({ by, receipt }) => by.api.receiptState(receipt)));

    assert.deepEqual(
      states.map(({ device }) => device),
      ['secret-phone', 'known-phone'],
    );
  });
});
