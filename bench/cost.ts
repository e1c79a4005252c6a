/**
 * What a message costs at AWS's list prices: counted in the local cloud, which runs the synthesized templates.
 *
 *     node bench/cost.ts [--kind desktop|fcm|apns|web|open] [--messages 200] [--bytes 200]
 *
 * Messages go one after another, each to one device, so that nothing is shared in a batch: the dearest way.
 */
import { parseArgs } from 'node:util';
import type { Cloud } from '../local/cloud.ts';
import type { Peal } from '../local/peal.ts';
import { deploymentOf } from './lib/deployment.ts';
import { idleReport } from './lib/idle.ts';
import { table } from './lib/markdown.ts';
import { DURATION, dollars, LOG_BYTES, PRICES, priceOf } from './lib/prices.ts';
import { createReceiver, type Kind, openPeal, type Receiver } from './lib/receiver.ts';
import { type Amounts, StepMeter } from './lib/step-meter.ts';

const STEPS = ['send', 'dispatch', 'sync', 'acknowledge'] as const;
type Step = (typeof STEPS)[number];
type Costs = Record<Step, Amounts>;

const KINDS: readonly Kind[] = ['desktop', 'fcm', 'apns', 'web', 'open'];
/** The functions that signal a device of a kind; for a browser that is closed, the socket is tried in vain. */
const CARRIERS_OF: Record<Kind, string[]> = {
  desktop: ['DesktopPush'],
  open: ['DesktopPush'],
  fcm: ['FcmPush'],
  apns: ['ApnsPush'],
  web: ['WebpushPush', 'DesktopPush'],
};
const WARM_UP = 5;
/** Peal hands at most 60 messages a minute to one device over FCM: beyond that another device is needed. */
const PER_DEVICE = 50;
/** Bytes of the two lines that Lambda itself logs of an invocation (`platform.start`, `platform.report`), at level INFO. */
const SYSTEM_LINES = 370;

const { values } = parseArgs({
  options: {
    kind: { type: 'string' },
    messages: { type: 'string', default: '200' },
    bytes: { type: 'string', default: '200' },
  },
});
const messages = positive('messages', values.messages);
const text = 'x'.repeat(positive('bytes', values.bytes));
const kinds = values.kind === undefined ? KINDS : KINDS.filter((kind) => kind === values.kind);
if (kinds.length === 0) throw new Error(`--kind is one of ${KINDS.join(', ')}, not ${values.kind}`);

// With the burst limit that is deployed by default, which costs something.
const peal = await openPeal({ signUp: 'open' });
try {
  console.log(
    `${messages} messages of ${text.length} characters, one after another, each to one device that syncs and ` +
      'acknowledges it. Counts are a message; dollars are a million messages at list price (us-east-1, November 2026).\n' +
      "Lambda's duration is this machine's, not AWS's: take the total without it, and AWS's own figures for it.\n" +
      'Not counted: data transfer out, connection minutes, and what costs without messages (last table).\n',
  );
  for (const kind of kinds) print(kind, await measure(peal, kind));
  console.log(idleReport(deploymentOf(peal.cloud)));
} finally {
  await peal.close();
}

/** Sends the messages to devices of a kind, and adds up what each step used. */
async function measure({ cloud }: Peal, kind: Kind): Promise<Costs> {
  const total = messages + WARM_UP;
  const receivers: Receiver[] = [];
  for (let n = 0; n < Math.ceil(total / PER_DEVICE); n++) receivers.push(await createReceiver(peal, kind));
  const pollers = CARRIERS_OF[kind].map((name) => cloud.poller(name));
  const send = cloud.functionNamed('Send').spec.name;
  const meter = new StepMeter(cloud);
  let costs = noCosts();
  for (let n = 0; n < total; n++) {
    if (n === WARM_UP) costs = noCosts();
    const receiver = receivers[n % receivers.length] as Receiver;
    meter.lap(() => 'before');
    const signal = receiver.signal();
    await receiver.api.sendMessage({ ...receiver.to, message: text });
    await signal;
    for (const poller of pollers) await poller.drained();
    add(
      costs,
      meter.lap((who, item) => (who === send || item === 'http.requests' ? 'send' : 'dispatch')),
    );
    const opened = await receiver.sync({
      ...receiver.api,
      sync: async (...args) => {
        const page = await receiver.api.sync(...args);
        add(
          costs,
          meter.lap(() => 'sync'),
        );
        return page;
      },
      acknowledge: async (...args) => {
        await receiver.api.acknowledge(...args);
        add(
          costs,
          meter.lap(() => 'acknowledge'),
        );
      },
    });
    if (opened.length !== 1 || opened[0]?.text !== text) {
      throw new Error(`${kind}: message ${n} arrived as ${JSON.stringify(opened)}`);
    }
  }
  meter.close();
  for (const receiver of receivers) receiver.stop();
  addSystemLines(costs, cloud);
  return costs;
}

function noCosts(): Costs {
  return { send: {}, dispatch: {}, sync: {}, acknowledge: {} };
}

function add(costs: Costs, laps: Partial<Costs>): void {
  for (const step of STEPS) {
    const amounts = costs[step];
    for (const [item, amount] of Object.entries(laps[step] ?? {}))
      amounts[item] = (amounts[item] ?? 0) + amount;
  }
}

/** Lambda's own lines, unless the template turns them off. */
function addSystemLines(costs: Costs, cloud: Cloud): void {
  // Our own functions: the one that copies the web app's files at deployment is CDK's, in Python.
  const ours = cloud.engine.model
    .ofType('AWS::Lambda::Function')
    .filter(({ properties }) => String(properties.Runtime).startsWith('nodejs'));
  const off = ours.every(({ properties }) => Object(properties.LoggingConfig).SystemLogLevel === 'WARN');
  if (off) return;
  for (const step of STEPS) {
    const amounts = costs[step];
    amounts[LOG_BYTES] = (amounts[LOG_BYTES] ?? 0) + (amounts['lambda.requests'] ?? 0) * SYSTEM_LINES;
  }
}

function print(kind: Kind, costs: Costs): void {
  const amount = (step: Step, counter: string) => (costs[step][counter] ?? 0) / messages;
  const price = (step: Step, counter: string) => dollars(priceOf(counter), amount(step, counter)) * 1e6;
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  const counters = PRICES.map(({ counter }) => counter);
  const all = (list: string[]) => STEPS.map((step) => sum(list.map((counter) => price(step, counter))));
  const rows = PRICES.map(({ item, counter, divisor = 1, perMillion }) => {
    const each = STEPS.map((step) => amount(step, counter) / divisor);
    const total = sum(STEPS.map((step) => price(step, counter)));
    return [item, ...each.map(count), count(sum(each)), `$${perMillion}`, money(total)];
  });
  const totals = (name: string, list: string[]) => {
    const each = all(list);
    return [name, ...each.map(money), '', '', money(sum(each))];
  };
  const without = counters.filter((counter) => counter !== DURATION);
  rows.push(totals('**Total**', counters), totals('**Total without Lambda GB-s**', without));
  const heading = [kind, ...STEPS, 'a message', 'list price a million', '$ a million messages'];
  console.log(`${table(heading, rows)}\n`);
}

function count(amount: number): string {
  return amount === 0 ? '' : String(Number(amount.toPrecision(3)));
}

function money(amount: number): string {
  return amount === 0 ? '' : `$${amount.toFixed(amount < 0.1 ? 3 : 2)}`;
}

function positive(name: string, given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name} is a whole number from 1, not ${given}`);
  return number;
}
