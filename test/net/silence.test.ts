import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LANES } from '../../lib/net/lanes.ts';
import { type Party, Silences } from '../../lib/net/silence.ts';

const { silence: limits, strangerHold } = LANES.fast;

/** Silences on a clock that is turned by hand. */
function memory() {
  const time = { now: 1_000_000 };
  const silences = new Silences(limits, () => time.now);
  /** Asks somebody who does not answer within `hold`. */
  const meet = (party: Party, hold = strangerHold) => {
    const since = time.now;
    time.now += hold;
    silences.silent(party, since);
  };
  return { time, silences, meet };
}

describe('somebody who was silent', () => {
  it('is left alone for twice as long after each silence, up to a limit, and asked again at once when they answer', () => {
    const { time, silences, meet } = memory();
    const host = 'push.example.org';
    const times: number[] = [];
    for (let n = 0; n < 6; n++) {
      meet({ host });
      const wait = silences.wait({ host });
      times.push(wait);
      time.now += wait;
    }
    const allowed = silences.wait({ host });
    meet({ host });
    silences.answered(host);

    assert.deepEqual(times, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    assert.equal(allowed, 0);
    assert.equal(silences.wait({ host }), 0);
  });

  it('is counted once, however many were waiting for them', () => {
    const { time, silences } = memory();
    const host = 'push.example.org';
    const since = time.now;
    time.now += 500;
    for (let n = 0; n < 50; n++) silences.silent({ host }, since);

    assert.equal(silences.wait({ host }), limits.first);
  });

  it('is not left alone if they answered somebody else meanwhile', () => {
    const { time, silences } = memory();
    const shared = 'shared.example.org';
    const since = time.now;
    time.now += 200;
    silences.answered(shared);
    time.now += 300;
    silences.silent({ host: shared, account: 'mallory' }, since);

    assert.equal(silences.wait({ host: shared, account: 'alice' }), 0);
    assert.ok(silences.wait({ host: shared, account: 'mallory' }) > 0);
  });

  it('speaks for all hosts that their account has named, and for those of nobody else', () => {
    const { silences, meet } = memory();
    meet({ host: 'a.evil.example', account: 'mallory' });

    assert.equal(silences.wait({ host: 'b.evil.example', account: 'mallory' }), limits.account);
    assert.equal(silences.wait({ host: 'push.example.org', account: 'alice' }), 0);
    assert.equal(silences.wait({ host: 'fcm.googleapis.com' }), 0);
  });

  it('cannot have many of their hosts tried at a time, while those that have answered are', async () => {
    const { silences } = memory();
    const account = 'mallory';
    silences.answered('good.example');
    const release = Promise.withResolvers<void>();
    const asked = Array.from({ length: 4 }, (_, n) =>
      silences.ask({ host: `${n}.evil.example`, account }, () => release.promise),
    );
    const wait = (host: string, of = account) => silences.wait({ host, account: of });
    const meanwhile = [wait('5.evil.example'), wait('good.example'), wait('5.evil.example', 'alice')];
    release.resolve();
    await Promise.all(asked);

    assert.deepEqual(meanwhile, [1_000, 0, 0]);
    assert.equal(wait('5.evil.example'), 0);
  });

  it('of many accounts at a time has all hosts left alone that accounts have named, and no other', () => {
    const { time, silences, meet } = memory();
    for (let n = 0; n < limits.accounts; n++) meet({ host: `${n}.evil.example`, account: `mallory${n}` });
    const stranger = { host: 'push.example.org', account: 'alice' };
    const wait = silences.wait(stranger);
    time.now += wait;

    assert.ok(wait > 0);
    assert.equal(silences.wait(stranger), 0);
    assert.equal(silences.wait({ host: 'fcm.googleapis.com' }), 0);
  });
});

it('however many accounts and hosts are silent, an environment waits for few batches a minute', () => {
  const account = fc.nat({ max: 200 }).map((n) => `account${n}`);
  const party = fc.record({ account, host: fc.nat({ max: 5_000 }).map((n) => `${n}.evil.example`) });
  /** Some answer, so that a good reputation is of no use either. */
  const asked = fc.record({ party, answers: fc.boolean() });
  const batch = fc.record({
    pause: fc.nat({ max: 400 }),
    asked: fc.array(asked, { minLength: 1, maxLength: 5 }),
  });

  fc.assert(
    fc.property(fc.array(batch, { minLength: 100, maxLength: 400 }), (batches) => {
      const { time, silences } = memory();
      const held: number[] = [];
      for (const { pause, asked: all } of batches) {
        time.now += pause;
        const since = time.now;
        const contacted = all.filter((one) => silences.wait(one.party) === 0);
        for (const { party: answering } of contacted.filter(({ answers }) => answers))
          silences.answered(answering.host);
        const silent = contacted.filter(({ answers }) => !answers);
        if (silent.length === 0) continue;
        held.push(since);
        time.now += strangerHold;
        for (const one of silent) silences.silent(one.party, since);
      }
      for (const [n, begun] of held.entries()) {
        const later = held.slice(n).filter((other) => other < begun + limits.account);
        assert.ok(later.length <= limits.accounts);
      }
    }),
    { numRuns: 30, seed: 4301 },
  );
});
