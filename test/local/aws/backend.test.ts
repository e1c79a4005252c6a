import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createBackend } from '../../../local/aws/backend.ts';

/** Milliseconds. */
const PATIENCE = 10_000;

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

test('what waits for its answer, or comes later, is told that the emulator is closed', async () => {
  const backend = createBackend(() => {});
  const poll = backend.send('POST', '/', {}, '');

  const ended = assert.rejects(poll, /the emulator is closed/);
  await backend.close();

  await ended;
  await assert.rejects(backend.send('POST', '/', {}, ''), /the emulator is closed/);
});

test('keeps no answer once it is given: the local cloud runs for days', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const backend = createBackend(echo);
  const megabyte = Buffer.alloc(2 ** 20);
  const held = () => {
    collect();
    return process.memoryUsage().arrayBuffers / 2 ** 20;
  };
  await backend.send('PUT', '/', {}, megabyte);
  const first = held();

  for (let n = 0; n < 30; n++) await backend.send('PUT', '/', {}, megabyte);

  // Buffers are freed beside the program, some time after they were collected; there is no event for it.
  const end = Date.now() + PATIENCE;
  while (held() - first > 10 && Date.now() < end) await sleep(10);
  const more = held() - first;
  assert.ok(more <= 10, `${more.toFixed(1)} MiB`);
});
