/**
 * How many messages of 1 KiB a second one process hands to APNs and FCM: Peal's clients beside the clients that others
 * use, plain node:http2 and, if it is installed (Debian: nghttp2-client), h2load. All in one run, in turns, against the
 * same carriers' stand-ins in a process of their own. What they reach depends on the machine; the ratios hardly do.
 *
 *     node bench/carriers.ts [messages a turn, 10000] [rounds, 7] [only what this matches, 'APNs, (Peal|apns2)']
 *
 * CPU is the client's, in microseconds a message. "Peal" is how many times the client's rate Peal's is, as the median
 * of the rounds' ratios.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { CARRIER_HOSTS, type Credentials, makeCredentials, startCarriers } from '../local/carriers/index.ts';
import { createAuthority } from '../local/network/ca.ts';
import { redirectEnvironment, redirectPreload } from '../local/network/preload.ts';
import * as clients from './lib/carrier-clients.ts';
import { table } from './lib/markdown.ts';

const MESSAGES = Number(process.argv[2] ?? 10_000);
const ROUNDS = Number(process.argv[3] ?? 7);
const ONLY = new RegExp(process.argv[4] ?? '');

interface Contestant {
  carrier: 'APNs' | 'FCM';
  name: string;
  inFlight: number;
  send: clients.Send;
  /** Messages a second, and µs of CPU a message, by round. */
  turns: { rate: number; cpu: number }[];
}

if (process.send) process.once('message', (credentials) => compete(credentials as Credentials));
else await referee();

/** Runs the stand-ins, and the clients in a child. */
async function referee(): Promise<void> {
  // The stand-ins should not be what limits the clients: with V8's own 16 MiB for young objects, a request in flight
  // outlives two collections, and collecting takes a quarter of their time.
  setFlagsFromString('--max-semi-space-size=64');
  const folder = mkdtempSync(join(os.tmpdir(), 'peal-bench-'));
  const authority = await createAuthority();
  const credentials = await makeCredentials();
  const { serviceAccount, apns } = credentials;
  const carriers = await startCarriers({
    ...(await authority.issue(CARRIER_HOSTS)),
    fcm: {
      projectId: serviceAccount.project_id,
      clientEmail: serviceAccount.client_email,
      publicKey: credentials.serviceAccountPublicKey,
      perProjectMinute: Number.POSITIVE_INFINITY,
      perTargetMinute: Number.POSITIVE_INFINITY,
    },
    // Every client signs a provider token of its own, and all of them are the one sender that Apple would count.
    apns: {
      keyId: apns.keyId,
      teamId: apns.teamId,
      publicKey: credentials.apnsPublicKey,
      maxTokens: Number.POSITIVE_INFINITY,
    },
  });
  carriers.journal.on('received', () => carriers.journal.clear());

  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, authority.pem);
  const network = redirectEnvironment({ hosts: carriers.hosts, ca, deny: true });
  const args = ['--import', redirectPreload(), fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    env: { ...process.env, ...network, BENCH_FOLDER: folder, APNS_PORT: String(carriers.ports.production) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  child.send(credentials);
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  await carriers.close();
  rmSync(folder, { recursive: true });
}

async function compete(credentials: Credentials): Promise<void> {
  const apns = (name: string, send: clients.Send) =>
    [100, 500].map((inFlight): Contestant => ({ carrier: 'APNs', name, inFlight, send, turns: [] }));
  const fcm = (name: string, send: clients.Send, at: number[]) =>
    at.map((inFlight): Contestant => ({ carrier: 'FCM', name, inFlight, send, turns: [] }));
  const h2load = await findH2load(credentials);
  const all: Contestant[] = [
    ...apns('Peal', clients.pealApns(credentials)),
    ...apns('apns2', clients.apns2(credentials)),
    ...apns('@parse/node-apn Provider', clients.parseNodeApn(credentials, 1)),
    ...apns('@parse/node-apn MultiProvider (2)', clients.parseNodeApn(credentials, 2)),
    ...apns('node:http2, no more', clients.plainApns(credentials)),
    ...(h2load ? apns('h2load', h2load) : []),
    ...fcm('Peal', clients.pealFcm(credentials), [100, 500]),
    // A call of sendEach is 500 messages at once.
    ...fcm('firebase-admin sendEach', clients.firebaseAdmin(credentials), [500]),
    ...fcm('node:http2, no more', clients.plainFcm(credentials), [100, 500]),
  ];
  const contestants = all.filter(({ carrier, name }) => ONLY.test(`${carrier}, ${name}`));

  for (const { send, inFlight } of contestants) {
    // One by one first: a new connection takes a single stream until it has authenticated, and not every client waits.
    await send(64, 1);
    await send(MESSAGES, inFlight);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { send, inFlight, turns } of contestants) {
      const before = process.cpuUsage();
      const seconds = await send(MESSAGES, inFlight);
      const used = process.cpuUsage(before);
      turns.push({ rate: MESSAGES / seconds, cpu: (used.user + used.system) / MESSAGES });
    }
  }
  report(contestants, h2load !== undefined);
  process.exit(0);
}

function report(contestants: Contestant[], withH2load: boolean): void {
  const { model } = os.cpus()[0]!;
  console.log(
    `${ROUNDS} rounds of ${MESSAGES} messages of 1 KiB, ${os.cpus().length} cores (${model}), node ${process.version}\n`,
  );
  const rows = contestants.map((contestant) => {
    const { carrier, name, inFlight, turns } = contestant;
    const peal = contestants.find(
      (other) => other.name === 'Peal' && other.carrier === carrier && other.inFlight === inFlight,
    );
    const ratio = median(turns.map(({ rate }, round) => (peal?.turns[round]?.rate ?? Number.NaN) / rate));
    const cpu = name === 'h2load' ? '–' : String(Math.round(median(turns.map((turn) => turn.cpu))));
    const rate = Math.round(median(turns.map((turn) => turn.rate))).toLocaleString('en');
    return [`${carrier}, ${name}`, String(inFlight), rate, cpu, `${ratio.toFixed(2)} ×`];
  });
  console.log(table(['Client', 'In flight', 'msg/s', 'CPU µs', 'Peal'], rows));
  if (!withH2load) console.log('\nh2load is not installed: no ceiling was measured.');
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/**
 * h2load as a client; undefined if it is not installed. By its own clock, without its start. It does not wait for the
 * answer that lets a new connection have more than one stream, so the others of its first volley are refused.
 */
async function findH2load(credentials: Credentials): Promise<clients.Send | undefined> {
  const run = promisify(execFile);
  try {
    await run('h2load', ['--version']);
  } catch {
    // Only the ceiling is missing then, and the report says so.
    return undefined;
  }
  const { path, headers, body } = clients.apnsRequest(credentials);
  const file = join(process.env.BENCH_FOLDER!, 'body.json');
  writeFileSync(file, body);
  const url = `https://127.0.0.1:${process.env.APNS_PORT}${path}`;
  return async (messages, inFlight) => {
    const load = ['-c', '1', '-t', '1', '-n', String(messages), '-m', String(inFlight), '-d', file];
    const { stdout } = await run('h2load', [...load, ...headers.flatMap((line) => ['-H', line]), url]);
    const [, time, unit] = /finished in ([\d.]+)(m?s),/.exec(stdout) ?? [];
    const succeeded = /(\d+) 2xx/.exec(stdout)?.[1];
    if (Number(succeeded ?? 0) <= messages - inFlight) throw new Error(stdout);
    return (Number(time) / (unit === 'ms' ? 1000 : 1)) * (messages / Number(succeeded));
  };
}
