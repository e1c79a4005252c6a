/**
 * Fan-out of one message to many devices: milliseconds a device and the worker's peak memory, from 100 to 10,000
 * devices, in the local cloud (`npm run bench:fan-out`). The chunks are what `startFanOut` queues for so many users.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { devicesKey } from '../lib/accounts/directory.ts';
import { randomDeviceId, randomKey } from '../lib/accounts/keys.ts';
import { createKeyPair } from '../lib/device/index.ts';
import { startFanOut } from '../lib/fanout/fan-out.ts';
import { Jobs } from '../lib/fanout/job.ts';
import { messageIds } from '../lib/mailbox/message-id.ts';
import { Queue } from '../lib/storage/queue.ts';
import { currentAssembly } from '../local/assembly.ts';
import { startPeal } from '../local/peal.ts';

const SIZES = [100, 1_000, 10_000];
const DEVICES_A_USER = 5;
/** One worker, so that what is compared is the time of a chunk and not how many chunks there are to share. */
const WORKERS = 1;
/** Messages to 100 devices before anything is measured. */
const WARM_ROUNDS = 20;

const peal = await startPeal({
  assembly: await currentAssembly(),
  log: () => undefined,
  sweepInterval: 0,
  pollConcurrency: WORKERS,
});
const { cloud } = peal;
const environment = cloud.engine.awsEnvironment();
const credentials = {
  accessKeyId: environment.AWS_ACCESS_KEY_ID!,
  secretAccessKey: environment.AWS_SECRET_ACCESS_KEY!,
};
const client = DynamoDBDocumentClient.from(
  new DynamoDBClient({ region: 'us-east-1', endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB!, credentials }),
);
const sqs = new SQSClient({ region: 'us-east-1', endpoint: environment.AWS_ENDPOINT_URL_SQS!, credentials });
const jobs = new Jobs({ client, name: cloud.tableName('Mailbox') });
const queue = new Queue(sqs, cloud.queue('FanOutQueue').url);
const nextId = messageIds(Date.now);

/** Accounts with phones that have no push target: what is measured is sealing and storing. */
async function people(devices: number): Promise<string[]> {
  const { publicKey } = createKeyPair();
  const users = Array.from({ length: devices / DEVICES_A_USER }, () => randomKey('u'));
  for (const user of users) {
    const entries = Array.from({ length: DEVICES_A_USER }, (_, n) => [
      randomDeviceId(),
      { name: `d${n}`, platform: 'android', enabled: true, createdAt: 0, publicKey },
    ]);
    const Item = { ...devicesKey(user), devices: Object.fromEntries(entries), version: 1 };
    await client.send(new PutCommand({ TableName: cloud.tableName('Directory'), Item }));
  }
  return users;
}

/** Milliseconds that the worker has been billed for so far. */
function workerTime(): number {
  const worker = cloud.functionNamed('FanOutWorker').spec;
  return ((peal.cloud.meter.read()[worker.name]?.['lambda.gbms'] ?? 0) * 1024) / worker.memory;
}

/** Sends one message; how long the worker took for it, milliseconds. */
async function send(users: string[]): Promise<number> {
  const umid = nextId();
  const now = Date.now();
  const envelope = {
    v: 1 as const,
    id: umid,
    umid,
    app: 'Bench',
    aid: 1,
    icon: 'default',
    date: 0,
    message: 'x'.repeat(1024),
    priority: 0,
  };
  const before = workerTime();
  await startFanOut(
    envelope,
    users.map((user) => ({ user })),
    { request: randomUUID(), expiresAt: Math.floor(now / 1000) + 3600, acceptedAt: now },
    { jobs, queue },
  );
  await cloud.poller('FanOutWorker').drained();
  return workerTime() - before;
}

/** The highest resident memory of any worker so far, MiB. */
async function peakMemory(): Promise<number> {
  const peaks = await Promise.all(
    cloud
      .functionNamed('FanOutWorker')
      .environments()
      .map(async (pid) => {
        const status = await readFile(`/proc/${pid}/status`, 'utf8');
        return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
      }),
  );
  return Math.max(...peaks);
}

try {
  const crowds = [];
  for (const size of SIZES) crowds.push({ size, users: await people(size) });
  console.log('| devices | worker’s ms | ms a device | of that at 100 | worker’s peak memory, MiB |');
  console.log('| ---: | ---: | ---: | ---: | ---: |');
  let first = 0;
  for (const { size, users } of crowds) {
    // A worker of its own for each size, so that its peak is that size's; compiled before anything is measured.
    cloud.functionNamed('FanOutWorker').kill();
    for (let round = 0; round < WARM_ROUNDS; round++) await send(crowds[0]!.users);
    const rounds = Math.max(1, Math.min(9, 1_000 / size));
    const times = [];
    for (let round = 0; round < rounds; round++) times.push(await send(users));
    const time = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
    const each = time / size;
    first ||= each;
    const memory = await peakMemory();
    console.log(
      `| ${size} | ${time.toFixed(0)} | ${each.toFixed(2)} | ${(each / first).toFixed(2)} | ${memory.toFixed(0)} |`,
    );
  }
} finally {
  await peal.close();
  sqs.destroy();
  client.destroy();
}
