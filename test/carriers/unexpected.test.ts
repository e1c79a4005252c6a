/**
 * What nobody thought of is no fault of the operator's, nor of the device's: whatever a client throws that is not about
 * credentials fails for now, and is tried again, in every carrier.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { createApns } from '../../lib/carriers/apns/apns.ts';
import { checkApns } from '../../lib/carriers/apns/check.ts';
import type { Carrier, PushTarget } from '../../lib/carriers/carrier.ts';
import type { Connections } from '../../lib/carriers/desktop/connections.ts';
import { createDesktop } from '../../lib/carriers/desktop/desktop.ts';
import { createFcm } from '../../lib/carriers/fcm/fcm.ts';
import { createWebPush } from '../../lib/carriers/webpush/webpush.ts';
import { deviceToken, push, type StandIns, startStandIns } from './stand-ins.ts';

const mistake = (): never => {
  throw new TypeError('a mistake');
};

/** A clock that breaks when it is looked at again after so many times. */
const brokenAfter = (times: number) => () => (times-- > 0 ? Date.now() : mistake());

describe('a mistake in a carrier’s client', () => {
  let standIns: StandIns;
  before(async () => {
    standIns = await startStandIns();
  });
  after(() => standIns.close());

  async function outcomeOf(carrier: Carrier, target: PushTarget) {
    try {
      return await carrier.send(push(target));
    } finally {
      await carrier.close();
    }
  }

  it('of FCM is a failure', async () => {
    const { serviceAccount } = standIns.credentials;
    const target = { type: 'fcm', token: 'device-mistake' } as const;

    for (const times of [0, 1, 2]) {
      const carrier = createFcm({ serviceAccount, now: brokenAfter(times) });
      assert.equal((await outcomeOf(carrier, target)).kind, 'failed');
    }
  });

  it('of APNs is a failure', async () => {
    const { apns } = standIns.credentials;
    const token = deviceToken('mistake');
    const target = { type: 'apns', token, topic: 'net.peal.app', environment: 'production' } as const;

    const outcome = await outcomeOf(createApns({ ...apns, now: brokenAfter(0) }), target);

    assert.deepEqual(outcome, { kind: 'failed', reason: 'APNs unexpected TypeError: a mistake' });
  });

  it('of Web Push is a failure, and costs no browser its subscription', async () => {
    const { vapid } = standIns.credentials;

    // The second look is for the encryption, where it was taken for a target that cannot be used.
    for (const times of [0, 1]) {
      const carrier = createWebPush({ vapid, now: brokenAfter(times) });
      const outcome = await outcomeOf(carrier, standIns.subscribe().target);
      assert.equal(outcome.kind, 'failed');
    }
  });

  it('of the desktop is a failure', async () => {
    const connections = { find: async () => mistake() } as unknown as Connections;
    const carrier = createDesktop(
      new ApiGatewayManagementApiClient({ region: 'us-east-1' }),
      connections,
      100,
    );

    const outcome = await carrier.send(push({ type: 'fcm', token: 'none' }));
    await carrier.close();

    assert.equal(outcome.kind, 'failed');
  });

  it('of a check says nothing of the credentials', async () => {
    const key = {
      ...standIns.credentials.apns,
      get privateKey() {
        return mistake();
      },
    };

    const checked = checkApns(key, { topic: 'net.peal.app', environment: 'production' });

    await assert.rejects(checked, TypeError);
  });
});
