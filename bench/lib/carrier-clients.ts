/** The clients that hand messages to the carriers' stand-ins in `bench/carriers.ts`: Peal's, and what else there is. */
import { randomBytes } from 'node:crypto';
import http2, { type ClientHttp2Session } from 'node:http2';
import apn from '@parse/node-apn';
import { ApnsClient, Notification } from 'apns2';
import { cert, initializeApp } from 'firebase-admin/app';
import { getMessaging } from 'firebase-admin/messaging';
import { createApns } from '../../lib/carriers/apns/apns.ts';
import { requestHeaders, sealedPayload } from '../../lib/carriers/apns/payload.ts';
import { ProviderTokens } from '../../lib/carriers/apns/provider-token.ts';
import type { Carrier, Push } from '../../lib/carriers/carrier.ts';
import { createFcm } from '../../lib/carriers/fcm/fcm.ts';
import { sealedData, wireMessage } from '../../lib/carriers/fcm/payload.ts';
import type { Credentials } from '../../local/carriers/index.ts';

/** Sends so many messages, so many of them at a time; gives the seconds that took, and throws if one was refused. */
export type Send = (messages: number, inFlight: number) => Promise<number>;

/** firebase-admin takes so many messages a call at most. */
const BATCH = 500;
const SEALED = randomBytes(1024);
const TOPIC = 'net.peal.app';
const DEVICE = 'ab'.repeat(32);

const apnsTarget = { type: 'apns', token: DEVICE, topic: TOPIC, environment: 'production' } as const;

/** Peal's client for APNs. */
export function pealApns(credentials: Credentials): Send {
  const apns = createApns(credentials.apns);
  return lanes((id) => handOver(apns, push(id, apnsTarget)));
}

/** apns2 as its README has it: one client, kept alive, a `send` a notification. */
export function apns2(credentials: Credentials): Send {
  const { teamId, keyId, privateKey } = credentials.apns;
  const client = new ApnsClient({ team: teamId, keyId, signingKey: privateKey, defaultTopic: TOPIC });
  return lanes(async (id) => {
    const notification = new Notification(DEVICE, {
      alert: { title: 'Peal', body: 'New message' },
      sound: 'default',
      mutableContent: true,
      collapseId: String(id),
      expiration: inAnHour(),
      data: peal(id),
    });
    await client.send(notification);
  });
}

/** @parse/node-apn as its README has it for throughput: round robin over so many connections. */
export function parseNodeApn(credentials: Credentials, clientCount: number): Send {
  const { teamId, keyId, privateKey } = credentials.apns;
  const token = { key: privateKey, keyId, teamId };
  const options = { token, production: true };
  const provider =
    clientCount === 1 ? new apn.Provider(options) : new apn.MultiProvider({ ...options, clientCount });
  return lanes(async (id) => {
    const notification = new apn.Notification();
    notification.alert = { title: 'Peal', body: 'New message' };
    notification.sound = 'default';
    notification.mutableContent = true;
    notification.topic = TOPIC;
    notification.pushType = 'alert';
    notification.collapseId = String(id);
    notification.expiry = inAnHour();
    notification.payload = peal(id);
    const { failed } = await provider.send(notification, DEVICE);
    if (failed[0]) throw new Error(JSON.stringify(failed[0]));
  });
}

/** The least that a client can do: a stream a message on one session, with the headers and bodies of Peal's client. */
export function plainApns(credentials: Credentials): Send {
  const token = new ProviderTokens(credentials.apns, Date.now).current();
  const post = plain('https://api.push.apple.com');
  return lanes((id) => {
    const message = push(id, apnsTarget);
    return post(`/3/device/${DEVICE}`, requestHeaders(message, apnsTarget, token), sealedPayload(message)!);
  });
}

/** What h2load needs to send such a message over and over: header lines, and the body. */
export function apnsRequest(credentials: Credentials): { path: string; headers: string[]; body: string } {
  const message = push(1, apnsTarget);
  const headers = requestHeaders(
    message,
    apnsTarget,
    new ProviderTokens(credentials.apns, Date.now).current(),
  );
  return {
    path: `/3/device/${DEVICE}`,
    headers: Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    body: sealedPayload(message)!,
  };
}

/** Peal's client for FCM. */
export function pealFcm(credentials: Credentials): Send {
  const fcm = createFcm({ serviceAccount: credentials.serviceAccount });
  return lanes((id) => handOver(fcm, push(id, { type: 'fcm', token: `device-${id}` })));
}

/** firebase-admin as its documentation has it: `sendEach`, 500 messages a call. */
export function firebaseAdmin(credentials: Credentials): Send {
  const {
    project_id: projectId,
    client_email: clientEmail,
    private_key: privateKey,
  } = credentials.serviceAccount;
  const credential = cert({ projectId, clientEmail, privateKey });
  const messaging = getMessaging(initializeApp({ credential, projectId }));
  return timed(async (messages) => {
    for (let sent = 0; sent < messages; sent += BATCH) {
      const size = Math.min(BATCH, messages - sent);
      const batch = Array.from({ length: size }, (_, i) => ({
        token: `device-${sent + i}`,
        data: sealedData({ id: sent + i, sealed: SEALED })!,
        android: { collapseKey: String(sent + i), priority: 'high' as const, ttl: 3_600_000 },
      }));
      const { failureCount } = await messaging.sendEach(batch);
      if (failureCount > 0) throw new Error(`${failureCount} messages were not accepted`);
    }
  });
}

/** As {@link plainApns}, for FCM. */
export function plainFcm(credentials: Credentials): Send {
  const {
    project_id: projectId,
    client_email: clientEmail,
    private_key: privateKey,
  } = credentials.serviceAccount;
  const credential = cert({ projectId, clientEmail, privateKey });
  const post = plain('https://fcm.googleapis.com');
  return async (messages, inFlight) => {
    const { access_token: token } = await credential.getAccessToken();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return lanes((id) => {
      const target = { type: 'fcm', token: `device-${id}` } as const;
      const data = sealedData({ id, sealed: SEALED })!;
      const message = wireMessage(push(id, target), target, data, Date.now());
      return post(`/v1/projects/${projectId}/messages:send`, headers, JSON.stringify({ message }));
    })(messages, inFlight);
  };
}

function lanes(send: (id: number) => Promise<void>): Send {
  return timed(async (messages, inFlight) => {
    let next = 0;
    const lane = async () => {
      while (next < messages) await send(next++);
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  });
}

function timed(send: (messages: number, inFlight: number) => Promise<void>): Send {
  return async (messages, inFlight) => {
    const start = performance.now();
    await send(messages, inFlight);
    return (performance.now() - start) / 1000;
  };
}

async function handOver(carrier: Carrier, message: Push): Promise<void> {
  const outcome = await carrier.send(message);
  if (outcome.kind !== 'accepted') throw new Error(outcome.reason);
}

function push(id: number, target: NonNullable<Push['target']>): Push {
  return {
    user: 'u'.repeat(30),
    device: 'd'.repeat(40),
    id,
    priority: 0,
    expiresAt: inAnHour(),
    sealed: SEALED,
    target,
  };
}

function peal(id: number): { peal: object } {
  return { peal: { v: 1, id: String(id), sealed: SEALED.toString('base64') } };
}

function inAnHour(): number {
  return Math.floor(Date.now() / 1000) + 3600;
}

function plain(
  origin: string,
): (path: string, headers: Record<string, string>, body: string) => Promise<void> {
  let opened: Promise<ClientHttp2Session> | undefined;
  const open = async () => {
    const session = http2.connect(origin);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    return session;
  };
  return async (path, headers, body) => {
    opened ??= open();
    const session = await opened;
    await new Promise<void>((resolve, reject) => {
      const stream = session.request({ ':method': 'POST', ':path': path, ...headers });
      let status: number | undefined;
      stream.on('response', (fields) => {
        status = fields[':status'];
      });
      stream.on('error', reject);
      stream.on('close', () => (status === 200 ? resolve() : reject(new Error(`status ${status}`))));
      stream.resume();
      stream.end(body);
    });
  };
}
