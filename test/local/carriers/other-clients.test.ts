import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import apn from '@parse/node-apn';
import { ApnsClient, ApnsError, Notification } from 'apns2';
import { deviceToken, type StandIns, startStandIns } from '../../carriers/stand-ins.ts';

const TOPIC = 'net.peal.app';

interface Sent {
  token?: string;
  topic?: string;
  keyId?: string;
}

/** Sends one notification with a client that is not ours; gives 200 or the reason why not. */
type Client = (sent: Sent) => Promise<number | string | undefined>;

let standIns: StandIns;

before(async () => {
  // Each of the clients signs a provider token of its own.
  standIns = await startStandIns({ apns: { topics: [TOPIC], maxTokens: 100 } });
});
afterEach(() => standIns.reset());
after(() => standIns.close());

const clients: Record<string, Client> = {
  async apns2({ token = deviceToken('one'), topic = TOPIC, keyId }) {
    const { apns } = standIns.credentials;
    const client = new ApnsClient({
      team: apns.teamId,
      keyId: keyId ?? apns.keyId,
      signingKey: apns.privateKey,
      defaultTopic: topic,
    });
    try {
      await client.send(new Notification(token, { alert: 'Hello', data: { from: 'apns2' } }));
      return 200;
    } catch (error) {
      if (error instanceof ApnsError) return error.reason;
      throw error;
    } finally {
      await client.close();
    }
  },

  async '@parse/node-apn'({ token = deviceToken('one'), topic = TOPIC, keyId }) {
    const { apns } = standIns.credentials;
    const provider = new apn.Provider({
      token: { key: apns.privateKey, keyId: keyId ?? apns.keyId, teamId: apns.teamId },
      production: true,
    });
    const notification = new apn.Notification();
    notification.payload = { from: '@parse/node-apn' };
    notification.alert = 'Hello';
    notification.topic = topic;
    try {
      const { failed } = await provider.send(notification, token);
      return failed[0] ? (failed[0].response?.reason ?? failed[0].error?.message) : 200;
    } finally {
      await provider.shutdown();
    }
  },
};

for (const [name, send] of Object.entries(clients)) {
  describe(`APNs' stand-in with ${name}`, () => {
    it('takes what it sends', async () => {
      const answer = await send({});

      assert.equal(answer, 200);
      assert.partialDeepStrictEqual(standIns.journal.received, [
        { target: deviceToken('one'), payload: { aps: { alert: 'Hello' }, from: name } },
      ]);
    });

    it("refuses for Apple's reasons", async () => {
      standIns.notes.set({ carrier: 'apns', target: deviceToken('gone'), deadSince: 1_790_000_000_000 });
      standIns.notes.set({ carrier: 'apns', target: deviceToken('else'), owner: 'net.peal.beta' });

      const answers = [
        await send({ keyId: 'UNKNOWNKEY' }),
        await send({ topic: 'com.example.other' }),
        await send({ token: 'abc' }),
        await send({ token: deviceToken('gone') }),
        await send({ token: deviceToken('else') }),
      ];

      assert.deepEqual(answers, [
        'InvalidProviderToken',
        'TopicDisallowed',
        'BadDeviceToken',
        'Unregistered',
        'DeviceTokenNotForTopic',
      ]);
      assert.equal(standIns.journal.received.length, 0);
    });
  });
}
