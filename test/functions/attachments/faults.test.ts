import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../../../local/aws/call.ts';
import { listObjects } from '../../support/bucket.ts';
import { blob, DESKTOP, PNG, received, useAttachments } from './use-attachments.ts';

const { peal, ready, pending, upload, itemOf, failing } = useAttachments();

test('whatever call fails while a message is sent, nothing of it is left', async () => {
  const account = await ready(DESKTOP);
  const { id: uploaded } = await upload(account.token, PNG);
  const before = await listObjects(peal(), 'attachments/');
  const steps: Record<string, (call: Call) => boolean> = {
    'reading the upload': ({ service, method }) => service === 's3' && method === 'GET',
    'storing the object': ({ service, method }) => service === 's3' && method === 'PUT',
    'storing its item': ({ action, input }) =>
      action === 'UpdateItem' && JSON.stringify(input).includes('attachment#'),
    'storing the copy': ({ action }) => action === 'PutItem',
    queueing: ({ action }) => action === 'SendMessageBatch',
  };
  const items: string[] = [];
  const watch = peal().cloud.front.intercept(({ action, input }) => {
    const pk = /"(attachment#\w+)"/.exec(JSON.stringify(input))?.[1];
    if (action === 'UpdateItem' && pk) items.push(pk.slice('attachment#'.length));
    return undefined;
  });

  for (const [step, matches] of Object.entries(steps)) {
    for (const how of [{ status: 500, body: '' }, { after: 'drop' as const }]) {
      const stop = failing((call) => call.caller.name.includes('Send') && matches(call), how);
      const { status } = await account.send({ attachment: uploaded });
      stop();

      assert.equal(status, 500, step);
      assert.deepEqual(await pending(account, account.device), [], step);
      assert.deepEqual(await listObjects(peal(), 'attachments/'), before, step);
    }
  }
  watch();

  assert.ok(items.length > 0);
  for (const id of items) assert.equal(await itemOf(id), undefined);
  assert.equal((await account.send({ attachment: uploaded })).status, 200);
});

test('what a sender leaves that dies is found by nobody, and swept', async () => {
  const account = await ready();
  const { cloud } = peal();
  const dying: Record<string, (call: Call) => boolean> = {
    'after the object': ({ action, input }) =>
      action === 'UpdateItem' && JSON.stringify(input).includes('attachment#'),
    'after the item': ({ action }) => action === 'PutItem',
  };
  const before = (await listObjects(peal())).length;

  for (const [when, matches] of Object.entries(dying)) {
    const stop = cloud.front.intercept((call) => {
      if (call.caller.name.includes('Send') && matches(call)) {
        cloud.functionNamed('Send').kill();
        return { before: 'drop' };
      }
      return undefined;
    });
    const { status } = await account.send({ attachment: blob(PNG) });
    stop();

    assert.ok(status >= 500, when);
    assert.deepEqual(await pending(account, account.device), [], when);
  }
  const left = (await listObjects(peal())).length - before;
  await cloud.engine.sweep(Date.now() + 5 * 86_400_000);

  assert.equal(left, 2);
  assert.deepEqual(await listObjects(peal(), 'attachments/'), []);
});

for (const way of ['inline', 'uploaded']) {
  test(`a repeat after its sender died stores the same object, ${way}`, async () => {
    const account = await ready(DESKTOP);
    const { cloud } = peal();
    const attachment = way === 'inline' ? blob(PNG) : (await upload(account.token, PNG)).id;
    const send = () => account.send({ attachment, idempotency_key: `dies-${way}` });
    const put: string[] = [];
    const stops = [
      cloud.front.intercept(({ caller, service, method, url, action, input }) => {
        if (!caller.name.includes('Send')) return undefined;
        if (service === 's3' && method === 'PUT') put.push(url.split('?')[0]!);
        if (action === 'SendMessageBatch') cloud.functionNamed('Send').kill();
        // No lease: the repeat takes over at once.
        const { Item } = input as { Item?: { pk: { S: string } } };
        if (action !== 'PutItem' || !Item?.pk.S.startsWith('once#')) return undefined;
        return { input: { ...input, Item: { ...Item, leaseUntil: { N: '0' } } } };
      }),
    ];
    const died = await send();
    for (const stop of stops) stop();
    const watch = cloud.front.intercept(({ caller, service, method, url }) => {
      if (caller.name.includes('Send') && service === 's3' && method === 'PUT') put.push(url.split('?')[0]!);
      return undefined;
    });

    const repeated = await send();
    const again = await send();
    watch();
    await account.device.sync();

    assert.ok(died.status >= 500);
    assert.deepEqual([repeated.status, again.status], [200, 200]);
    assert.equal(put.length, 2);
    assert.equal(put[0], put[1]);
    assert.equal(account.device.shown.length, 1);
    assert.deepEqual(Buffer.from((await received(account.device)).bytes!), PNG);
  });
}
