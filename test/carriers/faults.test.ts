/** What each carrier's client makes of a request that goes wrong, and of those beside it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { createApns } from '../../lib/carriers/apns/apns.ts';
import type { Carrier, Outcome, Push, PushTarget } from '../../lib/carriers/carrier.ts';
import { createFcm } from '../../lib/carriers/fcm/fcm.ts';
import { createWebPush } from '../../lib/carriers/webpush/webpush.ts';
import type { Fault } from '../../local/carriers/index.ts';
import { deviceToken, givenUpAfter, push, type StandIns, startStandIns } from './stand-ins.ts';

/**
 * Time limit of a hand-off, milliseconds: what is silent takes it to the end, and a busy machine must not take as long
 * for anything else.
 */
const LIMIT = 1500;
const FAR_BEYOND = LIMIT * 20;
/** By then all of a test is settled, however busy the machine; the clients' own limit is longer. */
const SETTLED = 8000;
const HEALTHY = 20;

type Name = 'fcm' | 'apns' | 'webpush';

/** Who is silent where nobody answers. */
const HOSTS = {
  fcm: 'fcm.googleapis.com',
  apns: 'api.push.apple.com',
  webpush: 'updates.push.services.mozilla.com',
};

let standIns: StandIns;
const carriers = new Map<Name, Carrier>();

before(async () => {
  standIns = await startStandIns();
  const { serviceAccount, apns, vapid } = standIns.credentials;
  // The first hand-off pays for loading and the access token, which is not what the short limit is about.
  const patient = createFcm({ serviceAccount });
  await patient.send(recipient('fcm').push());
  await patient.close();
  carriers.set('fcm', createFcm({ serviceAccount, timeout: LIMIT }));
  carriers.set('apns', createApns({ ...apns, timeout: LIMIT }));
  carriers.set('webpush', createWebPush({ vapid, timeout: LIMIT }));
});
afterEach(() => standIns.reset());
after(async () => {
  for (const carrier of carriers.values()) await carrier.close();
  await standIns.close();
});

let ids = 0;

/** Somebody new whom a carrier reaches: by which name the carrier knows them, and pushes to them. */
function recipient(carrier: Name): { name: string; push(): Push } {
  ids++;
  const as = (name: string, target: PushTarget) => ({ name, push: () => push(target, { id: ++ids }) });
  if (carrier === 'webpush') {
    const { target } = standIns.subscribe();
    return as(target.endpoint, target);
  }
  if (carrier === 'fcm') return as(`device-${ids}`, { type: 'fcm', token: `device-${ids}` });
  const token = deviceToken(String(ids));
  return as(token, { type: 'apns', token, topic: 'net.peal.app', environment: 'production' });
}

/** What becomes of the one that is struck; what of those beside it; and whether the message was taken. */
interface Expected {
  struck: Outcome['kind'];
  /** Whether it is only given up at the time limit, when those beside it have long had their answers. */
  late?: true;
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
    { kind: 'delay', ms: FAR_BEYOND },
    { struck: 'failed', late: true, beside: 'accepted', taken: false },
  ],
  [{ kind: 'silence' }, { struck: 'failed', late: true, beside: 'accepted', taken: false }],
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
  [
    { kind: 'slow-body', ms: FAR_BEYOND },
    { struck: 'failed', late: true, beside: 'accepted', taken: true },
  ],
];

for (const carrier of ['fcm', 'apns', 'webpush'] as const) {
  describe(`a batch to ${carrier} with one record that is struck by`, () => {
    for (const [fault, expected] of table) {
      const { kind, ...rest } = fault;
      it(`${kind} ${Object.values(rest).join(' ')}`.trim(), { timeout: SETTLED }, async () => {
        const client = carriers.get(carrier)!;
        await client.send(recipient(carrier).push());
        standIns.journal.clear();
        const struck = recipient(carrier);
        standIns.fail({ carrier, target: struck.name, times: 1, fault });
        const settled: Outcome[] = [];
        const send = async (sent: Push) => {
          const outcome = await client.send(sent);
          settled.push(outcome);
          return outcome;
        };

        const beside = Array.from({ length: HEALTHY }, () => recipient(carrier).push());
        const before = beside.splice(HEALTHY / 2).map(send);
        const [outcome, ...others] = await Promise.all([send(struck.push()), ...before, ...beside.map(send)]);
        const taken = standIns.journal.received.some(({ target }) => target === struck.name);
        const repeated = await client.send(struck.push());

        assert.equal(outcome.kind, expected.struck, JSON.stringify(outcome));
        assert.equal(taken, expected.taken);
        for (const other of others) {
          assert.ok(expected.beside.includes(other.kind), JSON.stringify(other));
        }
        // Nobody waits for the limit but the one for whom there is nothing else.
        assert.deepEqual(settled.filter(givenUpAfter), expected.late ? [outcome] : []);
        if (expected.late) {
          assert.ok(givenUpAfter(outcome)! <= LIMIT);
          assert.equal(settled.at(-1), outcome);
          assert.equal('silent' in outcome && outcome.silent, HOSTS[carrier]);
        }
        assert.equal(repeated.kind, 'accepted');
      });
    }
  });
}
