/**
 * How long the sender of a message to a group waits, from 100 to 10,000 members, in the local cloud
 * (`node bench/group.ts`): reading the members, finding that they are many, storing the job, queueing the chunks.
 */
import { randomKey } from '../lib/accounts/keys.ts';
import { currentAssembly } from '../local/assembly.ts';
import { startPeal } from '../local/peal.ts';
import { crowd } from '../test/support/crowd.ts';
import { tableOf } from '../test/support/directory.ts';
import { newAccount, post } from '../test/support/peal.ts';

const SIZES = [100, 1_000, 10_000];
const ROUNDS = 5;

const peal = await startPeal({
  assembly: await currentAssembly(),
  log: () => undefined,
  sweepInterval: 0,
  // What is measured is the sender's wait: workers would take the same two cores.
  pollConcurrency: 1,
});
const owner = await newAccount(peal);
const directory = tableOf(peal, 'Directory');
console.info('| members | sender waits, ms (median) | Directory, read units |\n| --: | --: | --: |');
for (const size of SIZES) {
  const key = randomKey('g');
  await crowd(directory, { key, owner: owner.user }, size);
  const times: number[] = [];
  let units = 0;
  for (let round = 0; round < ROUNDS; round++) {
    peal.cloud.meter.reset();
    const start = performance.now();
    const { status } = await post(peal, 'messages.json', { token: owner.token, user: key, message: 'hello' });
    times.push(performance.now() - start);
    if (status !== 200) throw new Error(`sending was answered ${status}`);
    const [, counts] = Object.entries(peal.cloud.meter.read()).find(([name]) => name.includes('Send'))!;
    units = counts['dynamodb.rru'] ?? 0;
    await peal.cloud.poller('FanOutWorker').drained();
  }
  const median = times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
  console.info(`| ${size} | ${Math.round(median)} | ${units} |`);
}
await peal.close();
