import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import type { GivenCredentials } from '../../functions/admin/carriers.ts';
import { admin, adminRefusal } from '../support/admin.ts';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { newAccount, post, usePeal } from '../support/peal.ts';

const peal = usePeal({ credentials: 'off' });

beforeEach(async () => {
  const { cloud, carriers } = peal();
  for (const secret of ['FcmCredentials', 'ApnsCredentials', 'WebPushCredentials'])
    await cloud.putSecret(secret, '{}');
  carriers.faults.clear();
});

const pem = (type: 'ec' | 'rsa') => {
  const { privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
};

const firebase = (changes: object = {}): GivenCredentials => ({
  carrier: 'fcm',
  serviceAccount: JSON.stringify({ ...peal().credentials.serviceAccount, ...changes }),
});

const apple = (changes: Partial<GivenCredentials & { carrier: 'apns' }> = {}): GivenCredentials => ({
  carrier: 'apns',
  ...peal().credentials.apns,
  topic: 'org.example.app',
  environment: 'production',
  ...changes,
});

const SUBJECT: GivenCredentials = { carrier: 'webpush', subject: 'mailto:ops@peal.example' };

const set = (given: GivenCredentials, how: { replace?: boolean; unchecked?: boolean } = {}) =>
  admin(peal(), { command: 'set-carrier', given, ...how });

const isSet = async () =>
  (await admin(peal(), { command: 'show-carriers' })).carriers.map((state) => state.set);

describe('credentials that a carrier takes', () => {
  test('of Firebase are stored, and used for the next push, but none was sent to find out', async () => {
    const account = await newAccount(peal());
    const push = fcmTarget();
    await newDevice(account, { platform: 'android', push });
    const received = peal().carriers.journal.received.length;

    const { result, checked, about } = await set(firebase());
    const afterCheck = peal().carriers.journal.received.length;
    const { token, user } = account;
    await post(peal(), 'messages.json', { token, user, message: 'hello' });
    const [first] = (await peal().carriers.journal.waitFor(received + 1, 20_000)).slice(received);

    assert.deepEqual([result, checked.kind, afterCheck], ['stored', 'good', received]);
    assert.match(String(about), /^project peal-local, /);
    assert.equal(first!.target, push.token);
  });

  test('of Apple are stored with what they were checked with, and can be checked again', async () => {
    const { result } = await set(apple());

    const again = await admin(peal(), { command: 'check-carrier', carrier: 'apns' });

    assert.equal(result, 'stored');
    assert.equal(again.checked.kind, 'good');
    assert.match(again.checked.said, /production.*org\.example\.app/);
  });

  test('of Web Push are made here, and told to browsers', async () => {
    const { api } = await newAccount(peal());

    const { result, checked, about } = await set(SUBJECT);

    const key = await api.pushKey();
    assert.deepEqual([result, checked.kind], ['stored', 'good']);
    assert.match(String(about), new RegExp(`^public key ${key}, mailto:ops@peal.example$`));
  });

  test('stay when others are given, unless these are to replace them', async () => {
    const first = await set(SUBJECT);

    const kept = await set(SUBJECT);
    const replaced = await set(SUBJECT, { replace: true });

    assert.deepEqual([kept.result, replaced.result], ['kept', 'stored']);
    assert.equal(kept.about, first.about);
    assert.notEqual(replaced.about, first.about);
  });

  test('are told without what is secret in them', async () => {
    const answers = [await set(firebase()), await set(apple()), await set(SUBJECT)];
    const shown = await admin(peal(), { command: 'show-carriers' });

    const text = JSON.stringify([answers, shown]);
    assert.doesNotMatch(text, /PRIVATE KEY|privateKey|private_key"/);
    assert.deepEqual(await isSet(), [true, true, true]);
  });
});

describe('credentials that a carrier does not take', () => {
  const wrong: Record<string, [() => GivenCredentials, RegExp]> = {
    'a service account with another key': [
      () => firebase({ private_key: pem('rsa') }),
      /invalid_grant|Invalid JWT/,
    ],
    'a service account of another project': [() => firebase({ project_id: 'another' }), /PERMISSION_DENIED/],
    'a key of another team': [
      () => apple({ teamId: 'AAAAAAAAAA' }),
      /InvalidProviderToken: key, key id and team/,
    ],
    'another key under this id': [() => apple({ privateKey: pem('ec') }), /InvalidProviderToken/],
  };
  for (const [what, [given, said]] of Object.entries(wrong)) {
    test(`are not stored, and what was there stays: ${what}`, async () => {
      const right = given().carrier === 'fcm' ? firebase() : apple();
      await set(right);

      const { result, checked, set: stillSet } = await set(given(), { replace: true });
      const { checked: now } = await admin(peal(), { command: 'check-carrier', carrier: right.carrier });

      assert.deepEqual([result, checked.kind, stillSet], ['refused', 'wrong', true]);
      assert.match(checked.said, said);
      assert.equal(now.kind, 'good');
    });
  }

  test('say so for a bundle id that the key is not for', async () => {
    const fault = { kind: 'status', status: 400, reason: 'TopicDisallowed' } as const;
    peal().carriers.faults.add({ carrier: 'apns', fault });

    const { result, checked } = await set(apple());

    assert.equal(result, 'refused');
    assert.match(checked.said, /TopicDisallowed: the key is not for this bundle id/);
  });
});

describe('credentials whose carrier cannot be asked', () => {
  for (const carrier of ['fcm', 'apns'] as const) {
    test(`are only stored when that is wanted: ${carrier}`, async () => {
      peal().carriers.faults.add({ carrier, fault: { kind: 'status', status: 503 } });
      const given = carrier === 'fcm' ? firebase() : apple();

      const cautious = await set(given);
      const setAfter = (await isSet()).includes(true);
      const daring = await set(given, { unchecked: true });

      assert.deepEqual([cautious.result, cautious.checked.kind, setAfter], ['unchecked', 'unknown', false]);
      assert.deepEqual([daring.result, daring.set], ['stored', true]);
    });
  }
});

test('what does not even look like credentials is refused in words that help, and asks no carrier', async (t) => {
  const { journal } = peal().carriers;
  let asked = 0;
  const count = () => void asked++;
  journal.on('handled', count);
  t.after(() => journal.off('handled', count));
  const bad: [GivenCredentials, RegExp][] = [
    [{ carrier: 'fcm', serviceAccount: 'not json' }, /service_account is not JSON.*Service accounts/],
    [{ carrier: 'fcm', serviceAccount: '{"project_info":{}}' }, /google-services\.json/],
    [{ carrier: 'fcm', serviceAccount: '{}' }, /is not the key of a service account/],
    [{ carrier: 'fcm', serviceAccount: 'null' }, /is not the key of a service account/],
    [firebase({ private_key: 'x' }), /lacks project_id, client_email or private_key/],
    [firebase({ private_key: pem('ec') }), /no RSA key/],
    [apple({ keyId: 'short' }), /key_id must be 10 capital letters and digits/],
    [apple({ teamId: 'lowercase1' }), /team_id must be 10/],
    [apple({ topic: 'no good' }), /topic must be the app's bundle id/],
    [apple({ environment: 'staging' }), /environment can only be production or sandbox/],
    [apple({ privateKey: pem('rsa') }), /private_key is not the .p8 file/],
    [apple({ privateKey: '' }), /private_key is not the .p8 file/],
    [{ carrier: 'webpush', subject: 'me@example.com' }, /subject must be mailto:/],
    [{ carrier: 'webpush', subject: 'https://localhost' }, /domain that exists/],
    [{ carrier: 'webpush', subject: 'mailto:me@machine.local' }, /domain that exists/],
  ];

  for (const [given, expected] of bad) {
    const refused = await adminRefusal(peal(), { command: 'set-carrier', given });
    assert.match(refused.join('\n'), expected);
  }

  assert.equal(asked, 0);
  assert.deepEqual(await isSet(), [false, false, false]);
});

test('a secret that an operator wrote by hand is checked as far as it says what with', async () => {
  await peal().cloud.putSecret('ApnsCredentials', JSON.stringify(peal().credentials.apns));

  const { set: isThere, checked } = await admin(peal(), { command: 'check-carrier', carrier: 'apns' });
  const none = await admin(peal(), { command: 'check-carrier', carrier: 'fcm' });
  const unknown = await adminRefusal(peal(), { command: 'check-carrier', carrier: 'sms' });

  assert.deepEqual([isThere, checked.kind], [true, 'unknown']);
  assert.deepEqual([none.set, none.checked.kind], [false, 'wrong']);
  assert.deepEqual(unknown, ['unknown carrier, can only be fcm, apns, webpush']);
});
