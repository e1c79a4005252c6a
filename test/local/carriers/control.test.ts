import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Carrier } from '../../../lib/carriers/carrier.ts';
import { createFcm } from '../../../lib/carriers/fcm/fcm.ts';
import { AwsFaults } from '../../../local/aws/faults.ts';
import { startControl } from '../../../local/carriers/control.ts';
import { Faults } from '../../../local/carriers/faults.ts';
import { Journal } from '../../../local/carriers/journal.ts';
import { Notes } from '../../../local/carriers/notes.ts';
import { push, type StandIns, startStandIns } from '../../carriers/stand-ins.ts';

let standIns: StandIns;
let fcm: Carrier;

before(async () => {
  standIns = await startStandIns();
  fcm = createFcm({ serviceAccount: standIns.credentials.serviceAccount });
});
afterEach(() => standIns.reset());
after(async () => {
  await fcm.close();
  await standIns.close();
});

async function control(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${standIns.control.url}${path}`, init);
  return { status: response.status, json: await response.json() };
}

function send(token: string, id = 1) {
  return fcm.send(push({ type: 'fcm', token }, { id }));
}

describe("the carriers' control server", () => {
  it('shows what was accepted, in order, and forgets it', async () => {
    await send('device-aaaa', 1);
    await send('device-bbbb', 2);

    const before = await control('GET', '/received');
    await control('DELETE', '/received');
    const after = await control('GET', '/received');

    assert.partialDeepStrictEqual(before.json, [{ target: 'device-aaaa' }, { target: 'device-bbbb' }]);
    assert.deepEqual(after.json, []);
  });

  it('waits for what has not arrived yet', async () => {
    const waiting = control('GET', '/received?count=2&wait=5000');

    await send('device-aaaa', 1);
    await send('device-aaaa', 2);
    const { json } = await waiting;

    assert.equal((json as unknown[]).length, 2);
  });

  it('gives what there is when the wait is over', async () => {
    await send('device-aaaa');

    const { json } = await control('GET', '/received?count=2&wait=20');

    assert.equal((json as unknown[]).length, 1);
  });

  it('makes a carrier fail so many times, for one target', async () => {
    const fault = { kind: 'status', status: 503, reason: 'UNAVAILABLE' };
    await control('POST', '/faults', { carrier: 'fcm', target: 'device-aaaa', times: 2, fault });

    const outcomes = [];
    for (const device of ['device-aaaa', 'device-bbbb', 'device-aaaa', 'device-aaaa']) {
      outcomes.push((await send(device)).kind);
    }

    assert.deepEqual(outcomes, ['failed', 'accepted', 'failed', 'accepted']);
  });

  it('makes a carrier fail until it is told to stop', async () => {
    await control('POST', '/faults', { carrier: 'fcm', fault: { kind: 'reset-before' } });

    const failing = [(await send('device-aaaa')).kind, (await send('device-bbbb')).kind];
    await control('DELETE', '/faults');
    const healed = await send('device-aaaa');

    assert.deepEqual(failing, ['failed', 'failed']);
    assert.equal(healed.kind, 'accepted');
  });

  it('declares targets dead, and knows none but the named', async () => {
    await control('POST', '/targets', { carrier: 'fcm', target: 'device-gone', deadSince: 1 });
    const gone = await send('device-gone');
    await control('POST', '/targets', { carrier: 'fcm', onlyNoted: true });
    await control('POST', '/targets', { carrier: 'fcm', target: 'device-here' });

    const outcomes = [gone, await send('device-here'), await send('device-else')].map(({ kind }) => kind);
    await control('DELETE', '/targets');
    const after = await send('device-else');

    assert.deepEqual(outcomes, ['refused', 'accepted', 'refused']);
    assert.equal(after.kind, 'accepted');
  });

  it('says what is wrong with an order', async () => {
    const orders: [string, unknown][] = [
      ['/faults', { carrier: 'owl', fault: { kind: 'close' } }],
      ['/faults', { carrier: 'fcm', fault: { kind: 'explode' } }],
      ['/faults', { carrier: 'fcm', fault: { kind: 'delay' } }],
      ['/faults', { carrier: 'fcm', times: 0, fault: { kind: 'close' } }],
      ['/faults', []],
      ['/targets', { carrier: 'fcm' }],
      ['/targets', { carrier: 'apns', target: 'x', environment: 'moon' }],
    ];

    const answers = await Promise.all(orders.map(([path, body]) => control('POST', path, body)));
    const missing = await control('GET', '/nothing');

    assert.deepEqual(
      answers.map(({ status }) => status),
      orders.map(() => 400),
    );
    assert.equal(missing.status, 404);
  });

  it('tells simulated devices at once', async () => {
    const arrived = new Promise((resolve) => standIns.journal.once('received', resolve));

    await send('device-aaaa', 9);

    assert.partialDeepStrictEqual(await arrived, { carrier: 'fcm', target: 'device-aaaa' });
  });

  it('takes faults of the services of AWS too, where they are', async () => {
    const aws = new AwsFaults();
    const parts = { aws, faults: new Faults(), journal: new Journal(), notes: new Notes() };
    const server = await startControl(0, parts);
    const add = async (rule: object) => {
      const response = await fetch(`${server.url}/faults`, { method: 'POST', body: JSON.stringify(rule) });
      return [response.status, ((await response.json()) as { error?: string }).error];
    };
    const rule = { service: 'dynamodb', action: 'PutItem', times: 2, fault: { kind: 'silence' } };

    assert.deepEqual(await add(rule), [200, undefined]);
    assert.equal(aws.waiting, 1);
    assert.deepEqual(await add({ ...rule, service: 'sns' }), [
      400,
      'service must be one of dynamodb, sqs, s3, secretsmanager, lambda',
    ]);
    assert.deepEqual(await add({ ...rule, fault: { kind: 'goaway' } }), [
      400,
      'fault.kind must be one of half, silence, silence-after',
    ]);
    await fetch(`${server.url}/faults`, { method: 'DELETE' });
    assert.equal(aws.waiting, 0);
    await server.close();
  });
});
