/**
 * `npm run storm -- --messages N`: a long storm (`test/support/storm.ts`) in a local cloud of its own. Prints what was
 * accepted, delivered, lost, twice and late. Exit code 1 if anything was lost, came twice, or came from nowhere.
 *
 *     npm run storm -- [--messages 500] [--seed 7325]
 */
import { parseArgs } from 'node:util';
import { openPeal } from '../test/support/peal.ts';
import { storm } from '../test/support/storm.ts';

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '500' }, seed: { type: 'string', default: '7325' } },
});
const [messages, seed] = [values.messages, values.seed].map((text) => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${text} is not a positive whole number`);
  return number;
}) as [number, number];

const started = performance.now();
const peal = await openPeal({ pollConcurrency: 4 });
try {
  const report = await storm(peal, {
    messages,
    seed,
    onProgress: (sent) => console.log(`${sent} of ${messages} sent`),
  });
  const { times, faults, ...counts } = report;
  console.log(`\nIn ${((performance.now() - started) / 1000).toFixed(0)} s, seed ${seed}:\n`);
  for (const [name, count] of Object.entries(counts)) console.log(`${name.padEnd(10)} ${count}`);
  console.log(
    `\nAfter the answer: median ${times.median} ms, p99 ${times.p99} ms, longest ${times.longest} ms`,
  );
  console.log('\nWhat struck:');
  for (const [name, count] of Object.entries(faults)) console.log(`${name.padEnd(24)} ${count}`);
  if (report.lost + report.twice + report.ghosts > 0) process.exitCode = 1;
} finally {
  await peal.close();
}
