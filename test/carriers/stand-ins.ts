/** Stand-ins for the carriers that this process reaches under the carriers' real names. */

import net from 'node:net';
import tls from 'node:tls';
import type { Outcome, Push, PushTarget } from '../../lib/carriers/carrier.ts';
import {
  CARRIER_HOSTS,
  type Carriers,
  type CarriersOptions,
  type Credentials,
  type FaultRule,
  type Handled,
  makeCredentials,
  startCarriers,
} from '../../local/carriers/index.ts';
import { createAuthority } from '../../local/network/ca.ts';

export interface StandIns extends Carriers {
  credentials: Credentials;
  /** Every request that was answered or dropped since the last reset, in order. */
  handled: Handled[];
  fail(rule: FaultRule): void;
  /** Forgets faults, notes and what was received. */
  reset(): void;
}

/** Starts the stand-ins and redirects this process to them; `close` undoes both. */
export async function startStandIns(
  options: {
    fcm?: Partial<CarriersOptions['fcm']>;
    apns?: Partial<CarriersOptions['apns']>;
    now?: () => number;
  } = {},
): Promise<StandIns> {
  const credentials = await makeCredentials();
  const authority = await createAuthority();
  const { serviceAccount, apns } = credentials;
  const carriers = await startCarriers({
    ...(await authority.issue(CARRIER_HOSTS)),
    fcm: {
      projectId: serviceAccount.project_id,
      clientEmail: serviceAccount.client_email,
      publicKey: credentials.serviceAccountPublicKey,
      ...options.fcm,
    },
    apns: { keyId: apns.keyId, teamId: apns.teamId, publicKey: credentials.apnsPublicKey, ...options.apns },
    ...(options.now ? { now: options.now } : {}),
  });
  tls.setDefaultCACertificates([authority.pem]);
  const restore = redirect(carriers.hosts);

  const handled: Handled[] = [];
  carriers.journal.on('handled', (entry) => handled.push(entry));
  return {
    ...carriers,
    credentials,
    handled,
    fail: (rule) => carriers.faults.add(rule),
    reset() {
      carriers.faults.clear();
      carriers.notes.clear();
      carriers.journal.clear();
      handled.length = 0;
    },
    async close() {
      restore();
      await carriers.close();
    },
  };
}

/** Sends connections to named hosts to local ports, the way that a port forward would. */
function redirect(hosts: Record<string, number>): () => void {
  const { connect } = net.Socket.prototype;
  const redirected = function (this: net.Socket, ...args: unknown[]): net.Socket {
    const target = args[0] as { host?: string; port?: number };
    const port = hosts[`${target?.host}:${target?.port}`];
    if (port === undefined) return Reflect.apply(connect, this, args);

    // What the peer's address looks like is part of the name: http2 derives a session's origin from it.
    Object.defineProperty(this, 'remotePort', { value: target.port });
    return Reflect.apply(connect, this, [{ ...target, host: '127.0.0.1', port }, ...args.slice(1)]);
  };
  net.Socket.prototype.connect = redirected as typeof connect;
  return () => {
    net.Socket.prototype.connect = connect;
  };
}

/** A device token of APNs that is not used by other tests. */
export function deviceToken(name: string): string {
  return Buffer.from(name.padEnd(32, '.')).toString('hex');
}

/** A push to build tests from. */
export function push(target: PushTarget, fields: Partial<Push> = {}): Push {
  return {
    user: 'u'.padEnd(30, 'x'),
    device: 'd'.padEnd(40, 'x'),
    id: 1_700_000_000_001,
    priority: 0,
    expiresAt: Math.floor(Date.now() / 1000) + 3600,
    sealed: Buffer.from('sealed'),
    target,
    ...fields,
  };
}

/** After how many milliseconds a hand-off was given up for silence, by its reason; undefined if it was not. */
export function givenUpAfter(outcome: Outcome): number | undefined {
  const [, limit] =
    /timeout: no answer within ([\d.]+) ms$/.exec('reason' in outcome ? outcome.reason : '') ?? [];
  return limit === undefined ? undefined : Number(limit);
}
