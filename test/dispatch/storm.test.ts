import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usePeal } from '../support/peal.ts';
import { CARRIER_FAULTS, storm } from '../support/storm.ts';

const MESSAGES = 24;

/** Whatever it is, it was provoked: what counts is what became of the messages. */
const peal = usePeal({ expectedErrors: /./, pollConcurrency: 2 });

test('in a storm of faults every copy of every accepted message is on its device, once', async () => {
  const { cloud } = peal();

  const { faults, times: _, ...report } = await storm(peal(), { messages: MESSAGES, seed: 7325 });
  const { accepted, copies } = report;
  const dead = [...cloud.engine.queues.values()]
    .map(({ name }) => name)
    .filter((name) => name.includes('DeadLetters'))
    .map((name) => cloud.engine.queueState(name).ready);

  assert.deepEqual(report, { accepted, copies, delivered: copies, lost: 0, twice: 0, late: 0, ghosts: 0 });
  assert.ok(accepted > MESSAGES && copies > 600);
  assert.deepEqual(new Set(dead), new Set([0]));
  const struck = Object.keys(faults);
  assert.ok(struck.filter((name) => name.startsWith('carrier: ')).length >= CARRIER_FAULTS.length);
  for (const kind of ['answer lost', 'batches twice', 'rotation', 'killed: ', 'dynamodb: '])
    assert.ok(
      struck.some((name) => name.startsWith(kind)),
      kind,
    );
});
