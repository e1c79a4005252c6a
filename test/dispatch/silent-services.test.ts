import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal();

test('a message is accepted and delivered once although DynamoDB, then SQS, takes a call and says nothing', async () => {
  const { carriers, cloud } = peal();
  const [one, other] = [await newAccount(peal()), await newAccount(peal())];
  const targets = [fcmTarget(), fcmTarget()];
  const devices = [
    await newDevice(one, { platform: 'android', push: targets[0]! }),
    await newDevice(other, { platform: 'android', push: targets[1]! }),
  ];
  // One of the two messages meets DynamoDB's silence, which holds it up, so the other one meets that of SQS.
  const { faults } = cloud.front;
  const silence = { kind: 'silence' } as const;
  faults.add({ service: 'dynamodb', action: 'BatchGetItem', caller: 'Send', times: 1, fault: silence });
  faults.add({ service: 'sqs', action: 'SendMessageBatch', caller: 'Send', times: 1, fault: silence });

  const answers = await Promise.all(
    [one, other].map(({ token, user }) => post(peal(), 'messages.json', { token, user, message: 'hello' })),
  );
  await carriers.journal.waitFor(2, 20_000);
  await cloud.poller('FcmPush').drained();

  assert.equal(faults.waiting, 0);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  const received = carriers.journal.received.map(({ target }) => target);
  assert.deepEqual(received.sort(), targets.map((target) => ('token' in target ? target.token : '')).sort());
  for (const device of devices) {
    await device.sync();
    assert.equal(device.shown.length, 1);
  }
});
