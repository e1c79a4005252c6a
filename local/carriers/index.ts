/**
 * Stand-ins for the carriers: they speak the carriers' protocols under their real names over TLS, check what the real
 * ones check, keep what they accept, and fail as they are told.
 */

import type { AwsFaults } from '../aws/faults.ts';
import { Apns } from './apns.ts';
import { type ControlServer, startControl } from './control.ts';
import { Faults } from './faults.ts';
import { Fcm } from './fcm.ts';
import { FcmWaiting, type Returned } from './fcm-waiting.ts';
import { Journal } from './journal.ts';
import { Notes } from './notes.ts';
import { Oauth } from './oauth.ts';
import { responder } from './respond.ts';
import { type Listener, listen } from './server.ts';
import { APPLE, MOZILLA, type Service, WebPush } from './webpush.ts';
import { makeEndpoint, type Subscriber, subscribe } from './webpush-subscriber.ts';
import { Waiting } from './webpush-waiting.ts';

export { type Credentials, makeCredentials } from './credentials.ts';
export type { Fault, FaultRule, Handled, Received, TargetNote } from './types.ts';
export type { Subscriber } from './webpush-subscriber.ts';

/** The hosts that the stand-ins stand for; a certificate for them must name these. */
export const CARRIER_HOSTS = [
  'fcm.googleapis.com',
  'oauth2.googleapis.com',
  'api.push.apple.com',
  'api.sandbox.push.apple.com',
  'web.push.apple.com',
  'updates.push.services.mozilla.com',
] as const;

export interface CarriersOptions {
  /** PEM of the TLS key. */
  key: string;
  /** PEM of a certificate for {@link CARRIER_HOSTS}, followed by its chain if it has one. */
  cert: string;
  /** Port of the control server; 0 for a free one. */
  control?: number;
  /** Takes the faults of AWS's services that the control server is told of. */
  aws?: AwsFaults;
  fcm: {
    projectId: string;
    clientEmail: string;
    /** SPKI PEM of the service account's key. */
    publicKey: string;
    /** Default 240, as the real one. */
    perTargetMinute?: number;
    /** Default 600,000, as the real one. */
    perProjectMinute?: number;
  };
  apns: {
    keyId: string;
    teamId: string;
    /** SPKI PEM of the APNs key. */
    publicKey: string;
    /** Apps of the team; absent: any. */
    topics?: readonly string[];
    /** Streams on an authenticated connection; default 1000, as the real one. */
    maxStreams?: number;
    /** Different provider tokens within 20 minutes; default 2, which stands for Apple's undocumented limit. */
    maxTokens?: number;
  };
  /** Wall clock in milliseconds. */
  now?: () => number;
}

export interface Carriers {
  ports: { fcm: number; oauth: number; production: number; sandbox: number; safari: number; firefox: number };
  /** Where connections to the real hosts must go: `"api.push.apple.com:443"` → port on the loopback interface. */
  hosts: Record<string, number>;
  control: ControlServer;
  /** What was accepted and answered; `journal.on('received', …)` is for simulated devices. */
  journal: Journal;
  faults: Faults;
  notes: Notes;
  /** Subscribes a browser to its maker's push service; default Firefox. */
  subscribe(browser?: 'firefox' | 'safari'): Subscriber;
  /** An Android device goes out of reach, by its token or installation id. FCM keeps what is sent meanwhile. */
  leave(target: string): void;
  /** It is back, and gets what FCM has kept. */
  comeBack(target: string): Returned;
  /** Makes every access token that was given out worthless. */
  revokeAccessTokens(): void;
  close(): Promise<void>;
}

/** Starts all stand-ins on free ports of the loopback interface, and the control server. */
export async function startCarriers(options: CarriersOptions): Promise<Carriers> {
  const now = options.now ?? Date.now;
  const [faults, journal, notes] = [new Faults(), new Journal(), new Notes()];
  const { fcm, apns } = options;
  const oauth = new Oauth({ clientEmail: fcm.clientEmail, publicKey: fcm.publicKey, now });
  const kept = new FcmWaiting(now);
  journal.on('received', (received) => {
    if (received.carrier === 'fcm') kept.keep(received);
  });
  const firebase = new Fcm(
    {
      projectId: fcm.projectId,
      perTargetMinute: fcm.perTargetMinute ?? 240,
      perProjectMinute: fcm.perProjectMinute ?? 600_000,
      now,
    },
    oauth,
    notes,
  );
  const apple = (environment: 'production' | 'sandbox') =>
    new Apns({ maxStreams: 1000, ...apns, environment, now }, notes);

  const waiting = new Waiting(now);
  const tls = { key: options.key, cert: options.cert };
  const google = (behaviour: Oauth | Fcm): Promise<Listener> =>
    listen({ ...tls, lenient: true, maxStreams: 100, handle: responder(behaviour, faults, journal) });
  const cupertino = (environment: 'production' | 'sandbox'): Promise<Listener> =>
    listen({ ...tls, lenient: false, maxStreams: 1, handle: responder(apple(environment), faults, journal) });

  const browsers = (service: Service): Promise<Listener> =>
    listen({
      ...tls,
      lenient: true,
      maxStreams: 100,
      handle: responder(new WebPush(service, notes, waiting, now), faults, journal),
    });

  const control = await startControl(options.control ?? 0, { aws: options.aws, faults, journal, notes });
  const listeners = await Promise.all([
    google(firebase),
    google(oauth),
    cupertino('production'),
    cupertino('sandbox'),
    browsers(APPLE),
    browsers(MOZILLA),
  ]);
  const [fcmPort, oauthPort, production, sandbox, safari, firefox] = listeners.map(({ port }) => port) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    ports: { fcm: fcmPort, oauth: oauthPort, production, sandbox, safari, firefox },
    hosts: {
      'fcm.googleapis.com:443': fcmPort,
      'oauth2.googleapis.com:443': oauthPort,
      'api.push.apple.com:443': production,
      'api.sandbox.push.apple.com:443': sandbox,
      [`${new URL(APPLE.origin).host}:443`]: safari,
      [`${new URL(MOZILLA.origin).host}:443`]: firefox,
    },
    control,
    journal,
    faults,
    notes,
    subscribe(browser = 'firefox') {
      const { origin, prefix } = browser === 'safari' ? APPLE : MOZILLA;
      return subscribe(makeEndpoint(`${origin}${prefix}`), waiting);
    },
    leave: (target) => kept.leave(target),
    comeBack: (target) => kept.return(target),
    revokeAccessTokens: () => oauth.revokeAll(),
    close: async () => {
      await Promise.all([control.close(), ...listeners.map((listener) => listener.close())]);
    },
  };
}
