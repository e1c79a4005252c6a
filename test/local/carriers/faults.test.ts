import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { createApns } from '../../../lib/carriers/apns/apns.ts';
import type { Carrier, Outcome, Push } from '../../../lib/carriers/carrier.ts';
import { createFcm } from '../../../lib/carriers/fcm/fcm.ts';
import type { Fault } from '../../../local/carriers/index.ts';
import { deviceToken, push, type StandIns, startStandIns } from '../../carriers/stand-ins.ts';

/** Time limit of a hand-off, and what a busy machine may add to it. Milliseconds. */
const LIMIT = 500;
const SLACK = 400;
const HEALTHY = 20;

let standIns: StandIns;
const carriers = new Map<'fcm' | 'apns', Carrier>();

before(async () => {
  standIns = await startStandIns();
  const { serviceAccount, apns } = standIns.credentials;
  // The first hand-off pays for loading and the access token, which is not what the short limit is about.
  const patient = createFcm({ serviceAccount });
  await patient.send(to('fcm', 'warm-up'));
  await patient.close();
  carriers.set('fcm', createFcm({ serviceAccount, timeout: LIMIT }));
  carriers.set('apns', createApns({ ...apns, timeout: LIMIT }));
});
afterEach(() => standIns.reset());
after(async () => {
  for (const carrier of carriers.values()) await carrier.close();
  await standIns.close();
});

function to(carrier: 'fcm' | 'apns', name: string, id = 1): Push {
  if (carrier === 'fcm') return push({ type: 'fcm', token: `device-${name}` }, { id });
  return push(
    { type: 'apns', token: deviceToken(name), topic: 'net.peal.app', environment: 'production' },
    { id },
  );
}

interface Settled {
  outcome: Outcome;
  /** Milliseconds. */
  took: number;
}

async function timed(sent: Promise<Outcome>): Promise<Settled> {
  const start = performance.now();
  const outcome = await sent;
  return { outcome, took: performance.now() - start };
}

/** What becomes of the one that is struck; what of those beside it; and whether the message was taken. */
interface Expected {
  struck: Outcome['kind'];
  /** Where the connection goes, so does what is on it: that may fail, but not wait. */
  beside: 'accepted' | 'accepted or failed';
  taken: boolean;
}

const table: [Fault, Expected][] = [
  [
    { kind: 'status', status: 503 },
    { struck: 'failed', beside: 'accepted', taken: false },
  ],
  [
    { kind: 'delay', ms: LIMIT / 5 },
    { struck: 'accepted', beside: 'accepted', taken: true },
  ],
  [
    { kind: 'delay', ms: LIMIT * 20 },
    { struck: 'failed', beside: 'accepted', taken: false },
  ],
  [{ kind: 'silence' }, { struck: 'failed', beside: 'accepted', taken: false }],
  [{ kind: 'reset-before' }, { struck: 'failed', beside: 'accepted', taken: false }],
  [{ kind: 'reset-after' }, { struck: 'failed', beside: 'accepted', taken: true }],
  [{ kind: 'close' }, { struck: 'failed', beside: 'accepted or failed', taken: false }],
  [{ kind: 'goaway' }, { struck: 'accepted', beside: 'accepted or failed', taken: true }],
  [{ kind: 'goaway-close' }, { struck: 'failed', beside: 'accepted or failed', taken: false }],
  [
    { kind: 'stream-limit', streams: 1 },
    { struck: 'accepted', beside: 'accepted or failed', taken: true },
  ],
  [
    { kind: 'stream-limit', streams: 3 },
    { struck: 'accepted', beside: 'accepted or failed', taken: true },
  ],
  [
    { kind: 'slow-body', ms: LIMIT / 5 },
    { struck: 'accepted', beside: 'accepted', taken: true },
  ],
];
// An answer of APNs that accepts has no body that could be slow.
const ofFcm: [Fault, Expected][] = [
  [
    { kind: 'slow-body', ms: LIMIT * 20 },
    { struck: 'failed', beside: 'accepted', taken: true },
  ],
];

for (const carrier of ['fcm', 'apns'] as const) {
  describe(`a batch to ${carrier} with one record that is struck by`, () => {
    for (const [fault, expected] of carrier === 'fcm' ? [...table, ...ofFcm] : table) {
      const { kind, ...rest } = fault;
      it(`${kind} ${Object.values(rest).join(' ')}`.trim(), async () => {
        const client = carriers.get(carrier)!;
        await client.send(to(carrier, 'warm'));
        standIns.journal.clear();
        const struck = to(carrier, 'struck');
        const target = carrier === 'fcm' ? 'device-struck' : deviceToken('struck');
        standIns.fail({ carrier, target, times: 1, fault });

        const batch = Array.from({ length: HEALTHY }, (_, i) =>
          timed(client.send(to(carrier, `beside${i}`, i + 2))),
        );
        batch.splice(HEALTHY / 2, 0, timed(client.send(struck)));
        const settled = await Promise.all(batch);
        const taken = standIns.journal.received.some((received) => received.target === target);
        const repeated = await timed(client.send(to(carrier, 'struck', 99)));

        const [{ outcome }] = settled.splice(HEALTHY / 2, 1) as [Settled];
        assert.equal(outcome.kind, expected.struck, JSON.stringify(outcome));
        assert.equal(taken, expected.taken);
        for (const other of settled) {
          assert.ok(expected.beside.includes(other.outcome.kind), JSON.stringify(other.outcome));
        }
        assert.equal(repeated.outcome.kind, 'accepted');
        const times = [...settled, repeated].map(({ took }) => took);
        assert.ok(Math.max(...times) < LIMIT + SLACK, `${Math.max(...times)} ms`);
      });
    }
  });
}
