import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRecord } from '../../lib/dispatch/record.ts';
import { parseFanOutRecord } from '../../lib/fanout/fan-out.ts';
import { parseCallbackRecord } from '../../lib/receipts/callback.ts';
import { parseRepeatRecord } from '../../lib/receipts/repeat.ts';
import { NewerItem } from '../../lib/storage/schema.ts';

/** What is on the queues while a deployment rolls out: a record of each kind, as version 1 wrote it. */
const RECORDS: Record<string, [parse: (body: string) => object, record: object]> = {
  dispatch: [
    parseRecord,
    {
      v: 1,
      umid: 1,
      acceptedAt: 1,
      expiresAt: 2,
      priority: 0,
      attempt: 0,
      copy: 'c',
      to: [['u', 'd', 1]],
    },
  ],
  'fan-out': [
    parseFanOutRecord,
    {
      v: 1,
      job: { umid: 1, request: 'r', key: 'k' },
      acceptedAt: 1,
      expiresAt: 2,
      since: 1,
      attempt: 0,
      copy: 'c',
      line: 'l',
      users: ['u'],
      chunk: 0,
    },
  ],
  repeat: [
    parseRepeatRecord,
    {
      v: 1,
      kind: 'repeat',
      receipt: 'r',
      umid: 1,
      acceptedAt: 1,
      retry: 30,
      expiresAt: 2,
      step: 1,
      turn: 0,
      copy: 'c',
      to: [['u', 'd', 1]],
    },
  ],
  'called back': [parseRepeatRecord, { v: 1, kind: 'called-back', receipt: 'r', at: 1, expiresAt: 2 }],
  callback: [
    parseCallbackRecord,
    {
      v: 1,
      url: 'https://a.example/',
      owner: 'u',
      receipt: 'r',
      acknowledgedAt: 1,
      acknowledgedBy: 'u',
      acknowledgedByDevice: '',
      expiresAt: 2,
      since: 1,
    },
  ],
};

for (const [name, [parse, record]] of Object.entries(RECORDS)) {
  describe(`a record on a queue: ${name}`, () => {
    test('is read as it was written, with whatever more it says', () => {
      const more = { ...record, later: 'unknown here' };

      assert.deepEqual(parse(JSON.stringify(more)), more);
    });

    test('of a later version is left to later code', () => {
      assert.throws(() => parse(JSON.stringify({ ...record, v: 2 })), NewerItem);
    });

    test('that is none is refused', () => {
      for (const body of ['null', '5', '"text"', '[]', '{}', '{"v":1}', '{"v":"1"}', 'no json'])
        assert.throws(() => parse(body), body);
    });
  });
}
