/**
 * A storm: messages go to devices of every kind while everything fails now and then: carriers, AWS, workers, answers on
 * their way back. At its end the weather clears, what waits is delivered, and every device is asked what it got.
 *
 * What strikes: every fault of the carriers' stand-ins, one push service that never answers; calls to AWS that fail, are
 * throttled, take effect without an answer, or are half done; workers that are killed in the middle; batches that are
 * delivered twice and fan-outs out of order; answers to senders and devices that are lost; several contexts of one
 * device that sync and acknowledge beside each other; tokens that are rotated.
 */
import { once } from 'node:events';
import fc from 'fast-check';
import {
  createApi,
  createInbox,
  createKeyPair,
  createListener,
  createMemoryStore,
  enrol,
  type Inbox,
  type Listener,
  openEnvelope,
  type PealApi,
  type PushTarget,
} from '../../lib/device/index.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { type Interceptor, leaveUnprocessed } from '../../local/aws/intercept.ts';
import type { Fault, Received } from '../../local/carriers/index.ts';
import { type SeededAccount, seedDeviceLists } from './crowd.ts';
import { apnsTarget, fcmTarget } from './devices.ts';
import { tableOf } from './directory.ts';
import { newAccount, request, type TestAccount, type TestPeal } from './peal.ts';

/** What a storm is of. */
export interface StormOptions {
  messages: number;
  seed: number;
  /** Told how far it is, now and then. */
  onProgress?: (sent: number) => void;
}

/** What became of it. */
export interface StormReport {
  /** Messages that were answered with status 1. */
  accepted: number;
  /** Copies of them that devices had to get. */
  copies: number;
  /** Copies that devices have got. */
  delivered: number;
  /** Copies that they have not. */
  lost: number;
  /** Copies that they got more than once, under another id. */
  twice: number;
  /** Copies that came later than a minute after their message was accepted, or only by the sync at the end. */
  late: number;
  /** Messages on devices that nobody was told were accepted, and sends with tokens that no longer count. */
  ghosts: number;
  /** Milliseconds from the answer to the sender to the device, of copies that devices were told of. */
  times: { median: number; p99: number; longest: number };
  /** What struck, and how often. */
  faults: Record<string, number>;
}

/** Every way in which a carrier can fail and the message still has a future. */
export const CARRIER_FAULTS: readonly Fault[] = [
  { kind: 'status', status: 503 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429, headers: { 'retry-after': '90' } },
  { kind: 'delay', ms: 300 },
  { kind: 'reset-before' },
  { kind: 'reset-after' },
  { kind: 'close' },
  { kind: 'goaway' },
  { kind: 'goaway-close' },
  { kind: 'slow-body', ms: 300 },
  { kind: 'stream-limit', streams: 1 },
  { kind: 'silence' },
];

/** Of how many hand-offs to carriers one fails, of how many calls to AWS, of how many answers one is lost. */
const CARRIER_ODDS = 5;
const AWS_ODDS = 80;
const ANSWER_ODDS = 8;
/** Messages after which workers are killed, batches delivered twice, a message fanned out, the token rotated. */
const EVERY = { kill: 6, twice: 4, fanOut: 11, rotation: 9 };
/** Messages that one account gets: carriers have limits for a device. */
const MESSAGES_EACH = 120;
/** Senders at a time. */
const SENDERS = 3;
/** Tries of a sender for one message. */
const TRIES = 60;
/** Seconds after which what a worker has is delivered again: less than a silent carrier takes, so some come twice. */
const VISIBILITY = 6;
/** Milliseconds after which a copy is late. */
const LATE = 60_000;
/** With a person's own devices more than a message goes to without being fanned out. */
const STRANGERS = { accounts: 5, devices: 40 };

const WORKERS = ['FcmPush', 'ApnsPush', 'WebpushPush', 'DesktopPush', 'FanOutWorker'];
const KILLED = [...WORKERS, 'Send', 'Sync'];

/** A device in the storm: the texts that it got, with the time of each. */
interface Recipient {
  name: string;
  got: Map<string, number[]>;
  /** Fetches and acknowledges what waits, over a network that may lose answers. */
  sync(): Promise<void>;
  /** Ends what it does by itself. Repeatable. */
  stop(): Promise<void>;
}

interface Person extends TestAccount {
  app: string;
  recipients: Recipient[];
}

/** Has a storm. @throws Error if a message could not be accepted in many tries */
export async function storm(peal: TestPeal, options: StormOptions): Promise<StormReport> {
  const people: Person[] = [];
  const cleanups: (() => unknown)[] = [];
  try {
    return await rage(peal, options, people, cleanups);
  } finally {
    // Also where it ends early: devices that go on would keep the process, and its faults would strike others.
    for (const cleanup of cleanups) cleanup();
    for (const { recipients } of people) for (const one of recipients) await one.stop();
  }
}

async function rage(
  peal: TestPeal,
  options: StormOptions,
  people: Person[],
  cleanups: (() => unknown)[],
): Promise<StormReport> {
  const { messages, seed, onProgress } = options;
  const { carriers, cloud } = peal;
  const dice = fc.sample(fc.nat({ max: 2 ** 30 }), { numRuns: 10_000, seed });
  let thrown = 0;
  const draw = (below: number) => dice[thrown++ % dice.length]! % below;
  const faults: Record<string, number> = {};
  const strike = (name: string) => {
    faults[name] = (faults[name] ?? 0) + 1;
  };
  let calm = true;

  /** A network that loses answers, and sometimes requests. */
  const lossy: typeof fetch = async (...call) => {
    const lost = !calm && draw(ANSWER_ODDS) === 0;
    if (lost && draw(3) === 0) {
      strike('request lost');
      throw new TypeError('the request was lost');
    }
    const response = await fetch(...call);
    if (!lost) return response;
    await response.arrayBuffer();
    strike('answer lost');
    throw new TypeError('the answer was lost');
  };

  const silent = carriers.subscribe('safari');
  const keys = createKeyPair();
  const strangers = await seedDeviceLists(tableOf(peal, 'Directory'), STRANGERS, keys.publicKey);
  for (let n = 0; n < Math.ceil(messages / MESSAGES_EACH); n++)
    people.push(await enter(peal, lossy, n === 0 ? silent.target : undefined));

  const stopFaults = cloud.front.intercept(awsFaults(draw, strike, () => calm));
  cleanups.push(stopFaults, () => carriers.faults.clear());
  let struck = 0;
  // A rule strikes the next hand-off of its carrier; each kind of fault has its turn.
  const unsettle = () => {
    const fault = CARRIER_FAULTS[struck++ % CARRIER_FAULTS.length]!;
    strike(`carrier: ${fault.kind}${'status' in fault ? ` ${fault.status}` : ''}`);
    carriers.faults.add({ carrier: (['fcm', 'apns', 'webpush'] as const)[draw(3)]!, times: 1, fault });
  };
  const onHandled = () => void (!calm && draw(CARRIER_ODDS) === 0 && unsettle());
  const accepted = new Map<string, Accepted & { to: Person; fanned: boolean }>();
  // Before it begins, every poller has received once: what waited for messages since earlier has not been hurried.
  for (const to of people) {
    const text = `before, to ${to.user}`;
    accepted.set(text, { ...(await send(peal, to, text, strangers, lossy)), to, fanned: true });
  }
  await settle(peal);
  carriers.faults.add({ carrier: 'webpush', target: silent.target.endpoint, fault: { kind: 'silence' } });
  carriers.journal.on('handled', onHandled);
  cleanups.push(() => carriers.journal.off('handled', onHandled));
  calm = false;

  let ghosts = 0;
  let next = 0;
  const sender = async () => {
    for (let n = next++; n < messages; n = next++) {
      const to = people[n % people.length]!;
      const fanned = n % EVERY.fanOut === 3;
      const text = `message ${n}`;
      if (n % 4 === 0) unsettle();
      if (n % EVERY.twice === 1) {
        strike('batches twice');
        for (const name of WORKERS) cloud.poller(name).deliverTwice();
      }
      const sending = send(peal, to, text, fanned ? strangers : [], lossy);
      if (n % EVERY.kill === 2) {
        const name = KILLED[draw(KILLED.length)]!;
        strike(`killed: ${name}`);
        cloud.functionNamed(name).kill();
      }
      if (n % EVERY.rotation === 5) {
        strike('rotation');
        ghosts += await rotate(peal, to);
      }
      accepted.set(text, { ...(await sending), to, fanned });
      if (n % 100 === 99) onProgress?.(n + 1);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));

  calm = true;
  carriers.journal.off('handled', onHandled);
  carriers.faults.clear();
  await settle(peal);
  stopFaults();
  const cleared = Date.now();
  for (const { recipients } of people) for (const one of recipients) await one.sync();

  const report: StormReport = {
    accepted: accepted.size,
    copies: 0,
    delivered: 0,
    lost: 0,
    twice: 0,
    late: 0,
    ghosts,
    times: { median: 0, p99: 0, longest: 0 },
    faults: Object.fromEntries(Object.entries(faults).sort()),
  };
  const times: number[] = [];
  const count = ({ at, repeated }: Accepted, got: readonly number[], told: boolean) => {
    report.copies++;
    const [first] = got;
    if (first === undefined) {
      report.lost++;
      return;
    }
    report.delivered++;
    if (got.length > 1 && !repeated) report.twice++;
    if (told && (first - at > LATE || first >= cleared)) report.late++;
    if (told) times.push(Math.max(0, first - at));
  };
  for (const person of people) {
    for (const { got, name } of person.recipients) {
      for (const [text, one] of accepted)
        if (one.to === person) count(one, got.get(text) ?? [], name !== 'silent');
      for (const text of got.keys()) if (accepted.get(text)?.to !== person) report.ghosts++;
    }
  }
  for (const texts of await waiting(peal, strangers, keys)) {
    for (const [text, one] of accepted)
      if (one.fanned) count(one, Array(texts.get(text) ?? 0).fill(one.at), false);
    for (const text of texts.keys()) if (!accepted.get(text)?.fanned) report.ghosts++;
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  report.times = { median: at(0.5), p99: at(0.99), longest: times.at(-1) ?? 0 };
  return report;
}

/** An account with a device of every kind. */
async function enter(peal: TestPeal, lossy: typeof fetch, silent: PushTarget | undefined): Promise<Person> {
  const account = await newAccount(peal);
  const [app] = await account.api.listApps();
  const api = createApi({ url: peal.api, fetch: lossy }).withSecret(account.secret);
  const subscriber = peal.carriers.subscribe();
  const [phone, iphone] = [fcmTarget(), apnsTarget()];
  const recipients = [
    await pushed(
      peal,
      account,
      api,
      { name: 'phone', platform: 'android', push: phone },
      ({ payload }) => payload.data,
    ),
    await pushed(
      peal,
      account,
      api,
      { name: 'iphone', platform: 'ios', push: iphone },
      ({ payload }) => payload,
    ),
    await pushed(
      peal,
      account,
      api,
      { name: 'browser', platform: 'web', push: subscriber.target },
      subscriber.open,
    ),
    await desktop(peal, account, api),
    await openClient(peal, account, lossy),
    ...(silent
      ? [await pushed(peal, account, api, { name: 'silent', platform: 'web', push: silent }, () => ({}))]
      : []),
  ];
  return { ...account, app: app!.id, recipients };
}

/** A phone or a closed browser: woken by a push, it takes what the push carries, then syncs and acknowledges. */
async function pushed(
  { carriers }: TestPeal,
  account: TestAccount,
  api: PealApi,
  enrolment: { name: string; platform: 'android' | 'ios' | 'web'; push: PushTarget },
  payloadOf: (received: Received) => unknown,
): Promise<Recipient> {
  const store = createMemoryStore();
  await enrol(account.api, store, account, enrolment);
  const { got, onMessage } = collect();
  const inbox = createInbox({ store, onMessage });
  const { push } = enrolment;
  const target = 'endpoint' in push ? push.endpoint : 'token' in push ? push.token : '';
  let work: Promise<unknown> = Promise.resolve();
  const wake = (received: Received) => {
    if (received.target !== target) return;
    work = work
      .then(() => inbox.receivePush(payloadOf(received)))
      .then(() => inbox.syncOnce(api))
      .catch(ignore);
  };
  carriers.journal.on('received', wake);
  return {
    name: enrolment.name,
    got,
    sync: async () => {
      await work;
      await inbox.syncOnce(api);
    },
    stop: async () => {
      carriers.journal.off('received', wake);
      await work;
    },
  };
}

/** A desktop with two tabs: they share the device's database and its lock, and each has a socket. */
async function desktop(peal: TestPeal, account: TestAccount, api: PealApi): Promise<Recipient> {
  const store = createMemoryStore();
  await enrol(account.api, store, account, { name: 'desktop', platform: 'desktop' });
  const { got, onMessage } = collect();
  let last: Promise<unknown> = Promise.resolve();
  const lock = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(ignore);
    return done;
  };
  const tabs: Listener[] = [];
  for (let n = 0; n < 2; n++) {
    const connected = Promise.withResolvers<void>();
    const listener = createListener({
      api,
      socket: peal.socket,
      store,
      lock,
      onMessage,
      onState: ({ state }) => void (state === 'connected' && connected.resolve()),
      // Soon again: a storm of some seconds has no minutes to wait.
      retry: { first: 50, most: 500 },
    });
    await listener.start();
    await connected.promise;
    tabs.push(listener);
  }
  const calm: Inbox = createInbox({ store, onMessage, lock });
  return {
    name: 'desktop',
    got,
    sync: () => calm.syncOnce(api),
    stop: async () => void (await Promise.all(tabs.map((tab) => tab.stop()))),
  };
}

/**
 * A classic Open Client that runs twice at once: each syncs by itself, stores what it was answered, and acknowledges the
 * highest id of that.
 */
async function openClient(peal: TestPeal, account: TestAccount, lossy: typeof fetch): Promise<Recipient> {
  const id = await account.api.registerDevice({ name: 'open', platform: 'open' });
  const got = new Map<string, number[]>();
  const stored = new Set<string>();
  const url = `${peal.api}/1`;
  const { secret } = account;
  const syncOnce = async () => {
    const answer = await lossy(`${url}/messages.json?${new URLSearchParams({ secret, device_id: id })}`);
    const { messages, status } = (await answer.json()) as {
      status: number;
      messages: { id_str: string; message: string }[];
    };
    if (status !== 1) throw new Error('the sync was refused');
    for (const { id_str, message } of messages) {
      if (stored.has(id_str)) continue;
      stored.add(id_str);
      got.set(message, [...(got.get(message) ?? []), Date.now()]);
    }
    if (messages.length === 0) return;
    const highest = messages.map(({ id_str }) => Number(id_str)).reduce((a, b) => Math.max(a, b));
    await lossy(`${url}/devices/${id}/update_highest_message.json`, {
      method: 'POST',
      body: new URLSearchParams({ secret, message: String(highest) }),
    });
  };
  let ended = false;
  const context = async () => {
    while (!ended) {
      await Promise.race([once(peal.carriers.journal, 'handled'), over]);
      await syncOnce().catch(ignore);
    }
  };
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const contexts = [context(), context()];
  const stop = async () => {
    ended = true;
    end();
    await Promise.all(contexts);
  };
  return {
    name: 'open',
    got,
    stop,
    sync: async () => {
      await stop();
      await syncOnce();
    },
  };
}

/** Where an inbox shows its messages. */
function collect() {
  const got = new Map<string, number[]>();
  const onMessage: Parameters<typeof createInbox>[0]['onMessage'] = (message) => {
    const text = message.kind === 'message' ? message.message.message : message.kind;
    got.set(text, [...(got.get(text) ?? []), Date.now()]);
  };
  return { got, onMessage };
}

/** When a message was accepted, Unix milliseconds, and whether its sender knows that it may have been sent before. */
interface Accepted {
  at: number;
  repeated: boolean;
}

/** Sends until it is accepted, under one idempotency key as long as the token is the same. */
async function send(
  peal: TestPeal,
  to: Person,
  message: string,
  strangers: readonly SeededAccount[],
  lossy: typeof fetch,
): Promise<Accepted> {
  const user = [to, ...strangers].map((one) => one.user).join(',');
  let key = message;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const body = new URLSearchParams({ token: to.token, user, message, idempotency_key: key });
    try {
      const response = await lossy(`${peal.api}/1/messages.json`, { method: 'POST', body });
      const answer = (await response.json()) as Record<string, unknown>;
      if (answer.status === 1) return { at: Date.now(), repeated: key !== message };
      // Its token was rotated while it was on its way, or something failed for now.
      if (response.status >= 500 || answer.token !== undefined) continue;
      // The first try was made with the token before: a repeat cannot be told from another message.
      if (answer.idempotency_key === undefined || key !== message)
        throw new Error(`refused: ${response.status} ${JSON.stringify(answer)}`);
      key = `${message}, again`;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  throw new Error(`${message} was not accepted in ${TRIES} tries`);
}

/** Gives an app another token, twice at once. @returns how many tokens send that should not */
async function rotate(peal: TestPeal, person: Person): Promise<number> {
  const before = person.token;
  const made = await Promise.allSettled([0, 1].map(() => person.api.rotateApp(person.app)));
  const tokens = [before, ...made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))];
  const valid: string[] = [];
  for (const token of new Set(tokens)) {
    // Without a message nothing is sent, and a token that does not count is named first.
    const { status, body } = await request(peal, 'users/validate.json', {
      method: 'POST',
      body: new URLSearchParams({ token, user: person.user }),
    });
    if (status < 500 && body.token === undefined) valid.push(token);
  }
  // The one that a rotation answered last, or none of them if its answer was lost.
  for (let attempt = 0; valid.length === 0; attempt++) {
    try {
      valid.push(await person.api.rotateApp(person.app));
    } catch (error) {
      if (attempt >= TRIES) throw error;
    }
  }
  person.token = valid.at(-1)!;
  return valid.length - 1;
}

/** What fails in AWS. */
function awsFaults(
  draw: (below: number) => number,
  strike: (name: string) => void,
  isCalm: () => boolean,
): Interceptor {
  const kinds = ['dropped', 'no answer', 'failed', 'throttled', 'half done'] as const;
  return (call) => {
    if (isCalm() || call.action === 'ReceiveMessage' || draw(AWS_ODDS) !== 0) return hurried(call);
    if (!['dynamodb', 'sqs'].includes(call.service)) return undefined;
    const kind = kinds[draw(kinds.length)]!;
    const half =
      kind === 'half done' ? leaveUnprocessed(call, (_table, index) => index % 2 === 0) : undefined;
    if (kind === 'half done' && !half) return hurried(call);
    strike(`${call.service}: ${kind}`);
    switch (kind) {
      case 'dropped':
        return { before: 'drop' };
      case 'no answer':
        return { after: 'drop' };
      case 'failed':
        return { status: 500, body: { __type: 'InternalServerError', message: 'in a storm' } };
      case 'throttled':
        return { status: 400, body: { __type: 'ThrottlingException', message: 'in a storm' } };
      case 'half done':
        return half;
    }
  };
}

/**
 * What a queue would hold back for minutes comes back after a second at most, fan-outs in another order; what a worker
 * had when it died, or has for long, is delivered again after some seconds.
 */
const hurried = ((call) => {
  if (call.action === 'ReceiveMessage') return { input: { ...call.input, VisibilityTimeout: VISIBILITY } };
  if (call.action !== 'SendMessageBatch') return undefined;
  const entries = call.input.Entries as { DelaySeconds?: number }[];
  const isFanOut = String(call.input.QueueUrl).includes('FanOut');
  const soon = entries.map((entry, n) => ({
    ...entry,
    DelaySeconds: isFanOut && n % 2 === 0 ? 1 : Math.min(1, entry.DelaySeconds ?? 0),
  }));
  return { input: { ...call.input, Entries: soon } };
}) satisfies Interceptor;

/** Waits until every queue is empty, those of the slow too. Workers queue for each other: all are looked at again. */
async function settle({ cloud }: TestPeal): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await Promise.all(cloud.engine.pollers.map((poller) => poller.drained()));
  }
}

/** What waits for devices that nobody reads, with how often each text is there. */
async function waiting(
  peal: TestPeal,
  strangers: readonly SeededAccount[],
  keys: ReturnType<typeof createKeyPair>,
): Promise<Map<string, number>[]> {
  const mailbox = new Mailbox(tableOf(peal, 'Mailbox'), Date.now);
  const lists: Map<string, number>[] = [];
  for (const device of strangers.flatMap(({ devices }) => devices)) {
    const texts = new Map<string, number>();
    let after = 0;
    for (let more = true; more; ) {
      const weigh = ({ body }: { body: Uint8Array }) => body.length;
      const page = await mailbox.page({ device, after, weigh, maxBytes: 5_000_000, recorded: false });
      for (const { body, id } of page.messages) {
        const opened = openEnvelope(body, keys);
        const text = opened.kind === 'envelope' ? opened.envelope.message : opened.kind;
        texts.set(text, (texts.get(text) ?? 0) + 1);
        after = id;
      }
      more = page.more;
    }
    lists.push(texts);
  }
  return lists;
}

const ignore = (): undefined => undefined;
