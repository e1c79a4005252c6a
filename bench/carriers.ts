/**
 * How many messages of 1 KiB a second one process hands to FCM and APNs, 100 in flight: Peal's clients beside plain
 * node:http2 streams on one kept session, and beside firebase-admin's own transport. The carriers' stand-ins run in a
 * process of their own; what they and the clients reach depends on the machine, the ratios do not.
 *
 *     node bench/carriers.ts [messages a round, 5000]
 *
 * CPU is the client's, in microseconds a message: the figure to compare when the machine is busy.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cert, initializeApp } from 'firebase-admin/app';
import { getMessaging } from 'firebase-admin/messaging';
import { createApns } from '../lib/carriers/apns/apns.ts';
import { requestHeaders, sealedPayload } from '../lib/carriers/apns/payload.ts';
import { ProviderTokens } from '../lib/carriers/apns/provider-token.ts';
import type { Carrier, Push } from '../lib/carriers/carrier.ts';
import { createFcm } from '../lib/carriers/fcm/fcm.ts';
import { sealedData, wireMessage } from '../lib/carriers/fcm/payload.ts';
import { CARRIER_HOSTS, type Credentials, makeCredentials, startCarriers } from '../local/carriers/index.ts';
import { createAuthority } from '../local/network/ca.ts';
import { redirectEnvironment, redirectPreload } from '../local/network/preload.ts';

const IN_FLIGHT = 100;
const ROUNDS = 3;
/** firebase-admin takes a batch a call. */
const BATCH = 500;

const apnsTarget = {
  type: 'apns',
  token: 'ab'.repeat(32),
  topic: 'net.peal.app',
  environment: 'production',
} as const;
const sealed = randomBytes(1024);

type Contestant = [name: string, run: (messages: number) => Promise<void>];

if (process.send) process.once('message', (credentials) => compete(credentials as Credentials));
else await referee();

async function referee(): Promise<void> {
  const folder = mkdtempSync(join(os.tmpdir(), 'peal-bench-'));
  const authority = createAuthority();
  const credentials = await makeCredentials();
  const { serviceAccount, apns } = credentials;
  const carriers = await startCarriers({
    ...authority.issue(CARRIER_HOSTS),
    fcm: {
      projectId: serviceAccount.project_id,
      clientEmail: serviceAccount.client_email,
      publicKey: credentials.serviceAccountPublicKey,
      perProjectMinute: Number.POSITIVE_INFINITY,
      perTargetMinute: Number.POSITIVE_INFINITY,
    },
    apns: { keyId: apns.keyId, teamId: apns.teamId, publicKey: credentials.apnsPublicKey },
  });
  carriers.journal.on('received', () => carriers.journal.received.length > 1000 && carriers.journal.clear());

  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, authority.pem);
  const network = redirectEnvironment({ hosts: carriers.hosts, ca, deny: true });
  const args = ['--import', redirectPreload(), fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...network },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  child.send(credentials);
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  await carriers.close();
  rmSync(folder, { recursive: true });
}

async function compete(credentials: Credentials): Promise<void> {
  const messages = Number(process.argv[2] ?? 5000);
  const { serviceAccount } = credentials;
  const fcm = createFcm({ serviceAccount });
  const apns = createApns(credentials.apns);
  const account = {
    projectId: serviceAccount.project_id,
    clientEmail: serviceAccount.client_email,
    privateKey: serviceAccount.private_key,
  };
  const credential = cert(account);
  const messaging = getMessaging(initializeApp({ credential, projectId: account.projectId }));
  const { access_token: token } = await credential.getAccessToken();
  const [toFcm, toApns] = await Promise.all([
    plain('https://fcm.googleapis.com'),
    plain('https://api.push.apple.com'),
  ]);
  const providerToken = new ProviderTokens(credentials.apns, Date.now).current();

  const contestants: Contestant[] = [
    [
      'FCM, plain node:http2',
      (n) => inFlight(n, (id) => toFcm.post(...fcmRequest(id, account.projectId, token))),
    ],
    [
      'FCM, Peal',
      (n) => inFlight(n, (id) => handOver(fcm, push(id, { type: 'fcm', token: `device-${id}` }))),
    ],
    ['FCM, firebase-admin sendEach', (n) => batches(n, (tokens) => messaging.sendEach(tokens))],
    ['APNs, plain node:http2', (n) => inFlight(n, (id) => toApns.post(...apnsRequest(id, providerToken)))],
    ['APNs, Peal', (n) => inFlight(n, (id) => handOver(apns, push(id, apnsTarget)))],
  ];
  console.log(
    `${messages} messages a round, best of ${ROUNDS}, ${os.cpus()[0]?.model}, node ${process.version}\n`,
  );
  for (const [, run] of contestants) await run(messages);
  const best = contestants.map(() => ({ rate: 0, cpu: Number.POSITIVE_INFINITY }));
  // In turns, so that what else the machine does meets them all alike.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, [, run]] of contestants.entries()) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      await run(messages);
      const rate = (messages / (performance.now() - start)) * 1000;
      const used = process.cpuUsage(before);
      const sofar = best[i]!;
      sofar.rate = Math.max(sofar.rate, rate);
      sofar.cpu = Math.min(sofar.cpu, (used.user + used.system) / messages);
    }
  }
  for (const [i, [name]] of contestants.entries()) {
    const figures = `${Math.round(best[i]!.rate).toLocaleString('en').padStart(8)} msg/s`;
    console.log(`${name.padEnd(30)}${figures}${String(Math.round(best[i]!.cpu)).padStart(8)} µs CPU`);
  }
  await Promise.all([fcm.close(), apns.close()]);
  process.exit(0);
}

async function inFlight(messages: number, send: (id: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < messages) await send(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

async function batches(
  messages: number,
  send: (batch: { token: string; data: Record<string, string> }[]) => Promise<{ failureCount: number }>,
): Promise<void> {
  for (let sent = 0; sent < messages; sent += BATCH) {
    const size = Math.min(BATCH, messages - sent);
    const batch = Array.from({ length: size }, (_, i) => ({
      token: `device-${sent + i}`,
      data: sealedData({ id: sent + i, sealed }) ?? {},
    }));
    const { failureCount } = await send(batch);
    if (failureCount > 0) throw new Error(`${failureCount} messages were not accepted`);
  }
}

async function handOver(carrier: Carrier, message: Push): Promise<void> {
  const outcome = await carrier.send(message);
  if (outcome.kind !== 'accepted') throw new Error(outcome.reason);
}

function push(id: number, target: NonNullable<Push['target']>): Push {
  return {
    user: 'u',
    device: 'd',
    id,
    priority: 0,
    expiresAt: Math.floor(Date.now() / 1000) + 3600,
    sealed,
    target,
  };
}

type Posted = [path: string, headers: Record<string, string>, body: string];

function fcmRequest(id: number, project: string, token: string): Posted {
  const target = { type: 'fcm', token: `device-${id}` } as const;
  const message = wireMessage(push(id, target), target, sealedData({ id, sealed }) ?? {}, Date.now());
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return [`/v1/projects/${project}/messages:send`, headers, JSON.stringify({ message })];
}

function apnsRequest(id: number, providerToken: string): Posted {
  const message = push(id, apnsTarget);
  const headers = requestHeaders(message, apnsTarget, providerToken);
  return [`/3/device/${apnsTarget.token}`, headers, sealedPayload(message) ?? ''];
}

/** The least that a client can do: a stream a message on one session. */
async function plain(origin: string) {
  const session = http2.connect(origin);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  return {
    post: (...[path, headers, body]: Posted) =>
      new Promise<void>((resolve, reject) => {
        const stream = session.request({ ':method': 'POST', ':path': path, ...headers });
        let status: number | undefined;
        stream.on('response', (fields) => {
          status = fields[':status'];
        });
        stream.on('error', reject);
        stream.on('close', () => (status === 200 ? resolve() : reject(new Error(`status ${status}`))));
        stream.resume();
        stream.end(body);
      }),
  };
}
