/**
 * How long a message takes through the local cloud: until its POST is answered, until its `!` arrives at the desktop,
 * and until the desktop has fetched and opened it. Everything runs on this machine, Lambdas as processes of their own.
 *
 *     node bench/latency.ts [--rate 20] [--seconds 30] [--devices 40]
 *
 * Messages leave by the clock, whether earlier ones have arrived or not. Each device has at most one under way, so that
 * a signal belongs to one message; if all devices are busy, a message is not sent and counts as missed. Exit code 1 if
 * any was missed or went wrong.
 */
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { table } from './lib/markdown.ts';
import { createReceiver, openPeal, type Receiver } from './lib/receiver.ts';

/** Milliseconds since just before the request. */
interface Sample {
  answered: number;
  signalled: number;
  opened: number;
}

/** Seconds before the measurement, in which Lambdas start and code is compiled. */
const WARM_UP = 5;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '30' },
    devices: { type: 'string', default: '40' },
  },
});
const [rate, seconds, devices] = [values.rate, values.seconds, values.devices].map(positive) as [
  number,
  number,
  number,
];

const peal = await openPeal();
try {
  const receivers: Receiver[] = [];
  for (let n = 0; n < devices; n++) receivers.push(await createReceiver(peal, 'desktop'));
  await run(receivers, WARM_UP);
  const before = cpuTimes();
  const { samples, missed } = await run(receivers, seconds);
  const after = cpuTimes();
  for (const receiver of receivers) receiver.stop();
  report(samples, missed, (after.busy - before.busy) / (after.all - before.all));
  if (missed > 0) process.exitCode = 1;
} finally {
  await peal.close();
}

/** Sends at the rate for some seconds, and waits for what is under way. */
async function run(
  receivers: readonly Receiver[],
  duration: number,
): Promise<{ samples: Sample[]; missed: number }> {
  const idle = [...receivers];
  const samples: Sample[] = [];
  const underway: Promise<void>[] = [];
  let missed = 0;
  const start = performance.now();
  for (let n = 0; n < rate * duration; n++) {
    const wait = start + (n * 1000) / rate - performance.now();
    if (wait > 0) await sleep(wait);
    const receiver = idle.shift();
    if (!receiver) {
      missed++;
      continue;
    }
    underway.push(
      sendOne(receiver, `message ${n}`).then((sample) => {
        samples.push(sample);
        idle.push(receiver);
      }),
    );
  }
  await Promise.all(underway);
  return { samples, missed };
}

async function sendOne(receiver: Receiver, message: string): Promise<Sample> {
  const signal = receiver.signal();
  const began = performance.now();
  const answer = receiver.api.sendMessage({ ...receiver.to, message }).then(() => performance.now());
  const [answeredAt, [signalledAt, openedAt]] = await Promise.all([
    answer,
    signal.then(async (at): Promise<[number, number]> => {
      const opened = await receiver.sync();
      const [one] = opened;
      if (opened.length !== 1 || one?.text !== message) {
        throw new Error(`${message} arrived as ${JSON.stringify(opened)}`);
      }
      return [at, one.openedAt];
    }),
  ]);
  return { answered: answeredAt - began, signalled: signalledAt - began, opened: openedAt - began };
}

/** Milliseconds that all CPUs have worked, and have existed: other programs count, and explain long waits. */
function cpuTimes(): { busy: number; all: number } {
  const times = os.cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, { user, nice, sys, irq, idle }) => sum + user + nice + sys + irq + idle, 0);
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) };
}

function report(samples: readonly Sample[], missed: number, busy: number): void {
  console.log(
    `${rate} messages a second for ${seconds} s to ${devices} desktops in turn: ${missed} missed. ` +
      `${os.availableParallelism()} × ${os.cpus()[0]?.model}, ${Math.round(busy * 100)} % busy, node ${process.version}\n`,
  );
  const row = (name: string, pick: (sample: Sample) => number) => {
    const sorted = samples.map(pick).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const figures = [at(0.5), at(0.9), at(0.99), sorted.at(-1)];
    return [name, String(sorted.length), ...figures.map((figure) => (figure ?? Number.NaN).toFixed(1))];
  };
  const rows = [
    row('POST answered', ({ answered }) => answered),
    row('`!` on the socket', ({ signalled }) => signalled),
    row('opened by the device', ({ opened }) => opened),
  ];
  console.log(table(['milliseconds from the POST', 'n', 'median', 'p90', 'p99', 'max'], rows));
}

function positive(given: string): number {
  const number = Number(given);
  if (!(number > 0)) throw new Error(`expected a number over 0, got ${given}`);
  return number;
}
