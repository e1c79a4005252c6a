/**
 * Answers at their largest. The fault of this kind: an answer that grows with what users store passes what Lambda hands
 * over, and every request for it is a 500 until the content is gone. A list is cut into pages by what it weighs, or
 * bounded by what may be stored; an endpoint that has one and is not here fails the test.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { AREAS } from '../../functions/endpoints.ts';
import { HttpApp, serve } from '../../functions/http.ts';
import { MAX_APPS } from '../../lib/accounts/apps.ts';
import { MAX_SESSION_NAME } from '../../lib/accounts/credentials.ts';
import { MAX_DEVICES } from '../../lib/accounts/devices.ts';
import { MAX_LISTED } from '../../lib/accounts/session-registry.ts';
import { CARRIERS } from '../../lib/carriers/carrier.ts';
import { CHUNK_USERS } from '../../lib/fanout/fan-out.ts';
import { MAX_GROUPS } from '../../lib/groups/groups.ts';
import { PAGE_ENTRIES } from '../../lib/history/reader.ts';
import { success } from '../../lib/http/answer.ts';
import { ANSWER_BYTES, checkWeight, LIST_BYTES, weightOf } from '../../lib/http/weight.ts';
import type { StoredMessage } from '../../lib/mailbox/item.ts';
import { syncAnswer, weightOfMessage } from '../../lib/mailbox/sync-answer.ts';
import { MAX_SOUNDS } from '../../lib/media/custom-sounds.ts';
import { DIRECT_DEVICES } from '../../lib/messages/recipients.ts';
import { SOUNDS } from '../../lib/messages/sounds.ts';

/** The character that takes most bytes of an answer: seven. */
const WIDE = '\u0001';
const wide = (characters: number) => WIDE.repeat(characters);
const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

const KEY = `u${'x'.repeat(29)}`;
const TIME = 4_000_000_000;
const ID = '2'.repeat(16);

/** Fills a list up to the weight at which it is cut. */
const upTo = <T>(one: T): T[] => many(Math.floor(LIST_BYTES / (weightOf(one) + 1)), one);

const RECEIPT = {
  acknowledged: 1,
  acknowledged_at: TIME,
  acknowledged_by: KEY,
  acknowledged_by_device: 'x'.repeat(25),
  last_delivered_at: TIME,
  expired: 1,
  expires_at: TIME,
  called_back: 1,
  called_back_at: TIME,
};
const SENT = {
  id: ID,
  app: { id: '2147483647', name: wide(20) },
  priority: -2,
  received_at: TIME,
  expires_at: TIME,
  users: 20_000,
  devices: 200,
  counts: { waiting: 20, delivered: 20, acknowledged: 20, expired: 20 },
  receipt: RECEIPT,
};
/** Copies of a page of devices: those of one request, or of a chunk and of one that was not quite enough. */
const COPIES = Math.max(DIRECT_DEVICES, 100 + CHUNK_USERS * MAX_DEVICES);

const message = (text: string): StoredMessage => ({
  device: 'd',
  id: Number.MAX_SAFE_INTEGER,
  umid: Number.MAX_SAFE_INTEGER,
  user: KEY,
  priority: 0,
  expiresAt: TIME,
  request: 'r',
  kind: 'plain',
  body: Buffer.from(
    JSON.stringify({ v: 1, message: text, app: wide(20), aid: 1, icon: 'default', date: TIME, priority: 0 }),
  ),
});
const session = { user: KEY, email: wide(254), hash: 'h' } as unknown as Parameters<typeof syncAnswer>[1];
const device = { id: 'd', name: 'x'.repeat(25) } as Parameters<typeof syncAnswer>[2];

/** A page of sync, cut as the mailbox cuts it. */
const page = (one: StoredMessage) =>
  syncAnswer(
    { messages: many(Math.floor(LIST_BYTES / weightOfMessage(one)), one), more: true },
    session,
    device,
  );

/** The largest answers, by endpoint. */
const WORST: Record<string, object[]> = {
  'GET messages': [
    page(message('"'.repeat(1024))),
    page(message(wide(1024))),
    page(message('😀'.repeat(1024))),
  ],
  'GET devices': [
    {
      devices: many(MAX_DEVICES, {
        id: 'x'.repeat(40),
        name: 'x'.repeat(25),
        platform: 'desktop',
        enabled: false,
        public_key: 'x'.repeat(44),
        push: { type: 'webpush' },
        created_at: TIME,
        seen_at: TIME,
        push_retired_at: TIME,
      }),
    },
  ],
  'GET sessions': [
    {
      sessions: many(MAX_LISTED, {
        id: 'x'.repeat(16),
        name: wide(MAX_SESSION_NAME),
        created_at: TIME,
        seen_at: TIME,
        current: false,
      }),
    },
  ],
  'GET apps': [
    { apps: many(MAX_APPS, { id: '2147483647', name: wide(20), icon: 'x'.repeat(64), created_at: TIME }) },
  ],
  'POST attachments': [
    {
      id: 'x'.repeat(30),
      upload: {
        url: `https://${'x'.repeat(2_000)}`,
        fields: Object.fromEntries(many(20, 0).map((_, n) => [`x-${n}`, wide(4_000)])),
      },
      expires: TIME,
      max_size: TIME,
    },
  ],
  'POST users/twofa/confirm': [{ recovery_codes: many(10, 'x'.repeat(40)) }],
  'POST users/validate': [
    { devices: many(MAX_DEVICES, 'x'.repeat(25)), licenses: many(5, 'x'.repeat(20)), group: 0 },
  ],
  'GET sounds': [
    {
      sounds: {
        ...SOUNDS,
        ...Object.fromEntries(many(MAX_SOUNDS, 0).map((_, n) => [`${n}`.padEnd(20, 'x'), wide(50)])),
      },
    },
  ],
  'GET account/sounds': [
    { sounds: many(MAX_SOUNDS, { name: 'x'.repeat(20), id: 'x'.repeat(24), description: wide(50) }) },
  ],
  'GET groups': [{ groups: many(MAX_GROUPS, { group: KEY, name: wide(100), members: 10_000 }) }],
  'GET groups/{group}': ['"', WIDE, '😀'].map((character) => ({
    name: wide(100),
    users: upTo({ user: KEY, device: 'x'.repeat(25), memo: character.repeat(200), disabled: false }),
    more: true,
    after: `${KEY}#${'x'.repeat(25)}`,
  })),
  'GET history': [{ messages: many(PAGE_ENTRIES, SENT), after: ID }],
  'GET history/{message}': [
    {
      message: SENT,
      devices: many(COPIES, {
        state: 'acknowledged',
        user: KEY,
        device: 'x'.repeat(25),
        delivered: CARRIERS.map((carrier) => ({ carrier, at: TIME })),
        acknowledged_at: TIME,
      }),
      after: ID,
    },
  ],
  'GET usage': [
    { days: many(30, { date: '2026-01-01', users: 2 ** 40 }), used: 2 ** 40, reset: TIME, limit: 1 },
  ],
};

/** Whether what a schema describes can have any number of things. */
function isList(schema: v.GenericSchema): boolean {
  const { type, entries, options, wrapped } = schema as unknown as {
    type: string;
    entries?: v.ObjectEntries;
    options?: v.GenericSchema[];
    wrapped?: v.GenericSchema;
  };
  if (type === 'array' || type === 'record') return true;
  const parts = [...Object.values(entries ?? {}), ...(type === 'union' ? options! : []), wrapped];
  return parts.some((part) => part !== undefined && isList(part as v.GenericSchema));
}

const LISTS = Object.values(AREAS)
  .flatMap(({ endpoints }) => Object.values(endpoints))
  .filter(({ answer }) => isList(answer));

test('every endpoint whose answer grows is known at its largest', () => {
  assert.deepEqual(LISTS.map(({ method, path }) => `${method} ${path}`).sort(), Object.keys(WORST).sort());
});

for (const { method, path, answer } of LISTS) {
  test(`the largest answer of ${method} ${path} is one that Lambda hands over`, async () => {
    for (const body of WORST[`${method} ${path}`] ?? []) {
      assert.deepEqual(v.safeParse(answer, body).issues, undefined);
      checkWeight(success(body));
      assert.ok((await handedOver(body)).bytes <= ANSWER_BYTES);
    }
  });
}

test('a page that is cut by its weight is nearly full', () => {
  for (const body of [...WORST['GET messages']!, ...WORST['GET groups/{group}']!]) {
    assert.ok(weightOf(body) > 0.98 * LIST_BYTES);
  }
});

test('an answer that Lambda would not hand over is an error that is logged, and a server’s fault to the client', async (t) => {
  const logged = t.mock.method(process.stdout, 'write');

  const { status, bytes } = await handedOver({ text: '"'.repeat(1_600_000) });
  const said = logged.mock.calls.map(({ arguments: [line] }) => String(line));
  logged.mock.restore();

  assert.equal(status, 500);
  assert.ok(bytes < 2_000);
  assert.ok(said.some((line) => /more than Lambda hands over/.test(line)));
});

/** What a function that answers this hands to Lambda. */
async function handedOver(body: object): Promise<{ status: number | undefined; bytes: number }> {
  const app = new HttpApp();
  app.on('GET', '/x', () => success(body));
  const requestContext = { http: { method: 'GET', sourceIp: '127.0.0.1' } };
  const event = { requestContext, rawPath: '/x', rawQueryString: '', headers: {} };
  const answer = await serve(app)(event as unknown as Parameters<ReturnType<typeof serve>>[0]);
  return { status: answer.statusCode, bytes: Buffer.byteLength(JSON.stringify(answer)) };
}
