/**
 * Takes what the present code stores, for later code to prove that it still reads it:
 *
 *     node test/upgrade/take.ts > test/upgrade/items-0.json
 *
 * Run it before the shape of an item changes, and never again for the same number: the file is what deployments have.
 */
import { createApi } from '../../lib/device/index.ts';
import { mp3 } from '../media/builders.ts';
import { fcmTarget, newDevice, type TestDevice } from '../support/devices.ts';
import { newAccount, openPeal, post, request } from '../support/peal.ts';

const EMERGENCY = { priority: '2', retry: '600', expire: '1800', tags: 'old' };

/** An account with devices, an app, a group, a sound, sessions, messages that wait, a receipt, and all that follows. */
export async function take(): Promise<object> {
  const peal = await openPeal({ config: { signUp: 'open', quota: 1000, burst: 100 } });
  try {
    const account = await newAccount(peal);
    const friend = await newAccount(peal);
    const { token, user, secret, email, password } = account;
    const send = async (fields: Record<string, string>) => {
      const { status, body } = await post(peal, 'messages.json', { token, user, ...fields });
      if (status !== 200) throw new Error(JSON.stringify(body));
      return body;
    };
    const desk = await newDevice(account, { name: 'desk' });
    const classic = await newDevice(account, { name: 'classic', platform: 'open' });
    const phone = await newDevice(account, { name: 'phone', platform: 'android', push: fcmTarget() });
    const friends = await newDevice(friend, { name: 'friends' });
    const { body: made } = await post(peal, 'groups.json', { token, name: 'Old group' });
    const group = String(made.group);
    await post(peal, `groups/${group}/add_user.json`, { token, user, memo: 'me' });
    await post(peal, `groups/${group}/add_user.json`, { token, user: friend.user, device: 'friends' });
    const sound = new FormData();
    sound.set('secret', secret);
    sound.set('name', 'ding');
    sound.set('sound', new Blob([Buffer.from(mp3(20))]), 'file');
    await request(peal, 'sounds.json', { method: 'POST', body: sound });
    await send({ message: 'waits', title: 'Old', idempotency_key: 'old' });
    const { receipt } = await send({ message: 'fire', ...EMERGENCY });
    await peal.carriers.journal.waitFor(2, 20_000);
    await peal.cloud.poller('FcmPush').drained();
    // Served and not acknowledged.
    await createApi({ url: peal.api }).withSecret(secret).sync(desk.id);
    await createApi({ url: peal.api }).login({ email, password });
    const { payload } = await peal.cloud.functionNamed('Admin').invoke({ command: 'invite' });
    const { invitation } = payload as { invitation: string };
    return {
      takenAt: Math.floor(Date.now() / 1000),
      account: { email, password, user, secret, token },
      friend: { email: friend.email, password: friend.password, user: friend.user, secret: friend.secret },
      devices: {
        desk: await identityOf(desk),
        classic: await identityOf(classic),
        phone: await identityOf(phone),
        friends: await identityOf(friends),
      },
      group,
      receipt,
      invitation,
      Directory: await itemsOf('Directory'),
      Mailbox: await itemsOf('Mailbox'),
    };
  } finally {
    await peal.close();
  }

  /** As DynamoDB has them on its wire, so that sets and bytes stay what they are. */
  async function itemsOf(name: 'Directory' | 'Mailbox') {
    const { front, tableName } = peal.cloud;
    const answer = await front.send('local-root', 'dynamodb', 'Scan', { TableName: tableName(name) });
    return answer.Items;
  }
}

/** Who a device is, as a later test makes it again. */
async function identityOf({ store }: TestDevice) {
  const { keys, ...identity } = (await store.identity()) ?? {};
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    ...identity,
    ...(keys && { publicKey: base64(keys.publicKey), secretKey: base64(keys.secretKey) }),
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await take(), null, 1)}\n`);
