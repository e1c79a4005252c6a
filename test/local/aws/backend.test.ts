import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createBackend } from '../../../local/aws/backend.ts';

const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('X-Asked', `${request.method} ${request.url}`);
    response.end(Buffer.concat(chunks));
  });
};

test('asks the emulator, and gives its answer without what belongs to a connection', async () => {
  const { status, headers, body } = await createBackend(echo).send('PUT', '/a?b', {}, Buffer.from([0, 255]));

  assert.equal(status, 200);
  assert.deepEqual(headers, { 'x-asked': 'PUT /a?b' });
  assert.deepEqual([...Buffer.from(body)], [0, 255]);
});

test('what waits for its answer is told when the emulator is closed', async () => {
  const backend = createBackend(() => {});
  const poll = backend.send('POST', '/', {}, '');

  backend.close();

  await assert.rejects(poll, /the emulator is closed/);
});

test('keeps no answer once it is given: the local cloud runs for days', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const backend = createBackend(echo);
  const megabyte = Buffer.alloc(2 ** 20);
  /** What is held after some more calls, MiB. */
  const heldAfter = async (calls: number) => {
    for (let n = 0; n < calls; n++) await backend.send('PUT', '/', {}, megabyte);
    await new Promise(setImmediate);
    collect();
    return process.memoryUsage().arrayBuffers / 2 ** 20;
  };

  // Of the last ones something is still on its way.
  const first = await heldAfter(10);
  const more = (await heldAfter(30)) - first;

  assert.ok(more < 10, `${more.toFixed(1)} MiB`);
});
