/** Credentials as an operator brings them: looked at before any carrier is asked, and made into a secret's text. */
import { createECDH, createPrivateKey, type KeyObject } from 'node:crypto';
import { type Fault, Refusal } from '../refusal.ts';
import type { ApnsScope } from './apns/check.ts';
import { apnsKeyOf } from './apns/credentials.ts';
import type { ApnsKey } from './apns/provider-token.ts';
import type { ServiceAccount } from './fcm/access-token.ts';
import { serviceAccountOf } from './fcm/credentials.ts';
import { vapidKeyOf } from './webpush/credentials.ts';
import type { VapidKey } from './webpush/vapid.ts';

/** Credentials that look right, and what is to be stored of them. */
export interface NewCredentials<T> {
  credentials: T;
  secret: string;
}

/** What an APNs key's file does not say. */
export interface GivenApnsKey {
  /** Text of the .p8 file. */
  privateKey: string;
  keyId: string;
  teamId: string;
  topic: string;
  environment: string;
}

const WHERE =
  'it is the file that Firebase gives under Project settings, Service accounts, Generate new private key';

/**
 * A service account, of the text of its JSON file.
 *
 * @throws Refusal naming `service_account`
 */
export function newServiceAccount(text: string): NewCredentials<ServiceAccount> {
  const bad = (reason: string) => new Refusal({ field: 'service_account', reason });
  let file: Record<string, unknown>;
  try {
    file = Object(JSON.parse(text));
  } catch {
    throw bad(`is not JSON: ${WHERE}`);
  }
  if ('project_info' in file) throw bad(`is an app's google-services.json and no service account: ${WHERE}`);
  if (file.type !== 'service_account') throw bad(`is not the key of a service account: ${WHERE}`);
  const credentials = serviceAccountOf(text);
  if (!credentials) throw bad('lacks project_id, client_email or private_key');
  if (privateKeyOf(credentials.private_key)?.asymmetricKeyType !== 'rsa') {
    throw bad('has a private_key that is no RSA key in PEM');
  }
  return { credentials, secret: JSON.stringify(file) };
}

/**
 * An APNs key. Topic and environment are kept with it: they are what it is checked with, and sending takes them from
 * each device.
 *
 * @throws Refusal naming everything that is wrong
 */
export function newApnsKey(given: GivenApnsKey): NewCredentials<ApnsKey & ApnsScope> {
  const { keyId, teamId, topic, environment } = given;
  const privateKey = `${given.privateKey.trim()}\n`;
  const faults: Fault[] = [];
  const identifier = 'must be 10 capital letters and digits';
  if (!/^[A-Z0-9]{10}$/.test(keyId)) faults.push({ field: 'key_id', reason: identifier });
  if (!/^[A-Z0-9]{10}$/.test(teamId)) faults.push({ field: 'team_id', reason: identifier });
  if (!/^[A-Za-z0-9.-]{1,255}$/.test(topic))
    faults.push({ field: 'topic', reason: "must be the app's bundle id, such as com.example.peal" });
  if (environment !== 'production' && environment !== 'sandbox')
    faults.push({ field: 'environment', reason: 'can only be production or sandbox' });
  const key = privateKeyOf(privateKey);
  if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    faults.push({ field: 'private_key', reason: 'is not the .p8 file of an APNs key (a P-256 key in PEM)' });
  if (faults.length > 0) throw new Refusal(faults);
  const scope = { topic, environment: environment as ApnsScope['environment'] };
  const credentials = { keyId, teamId, privateKey, ...scope };
  return { credentials, secret: JSON.stringify(credentials) };
}

/**
 * A new VAPID key. Its private half is made where it is kept, and is seen by nobody.
 *
 * @param subject whom push services may turn to
 * @throws Refusal naming `subject`
 */
export function newVapidKey(subject: string): NewCredentials<VapidKey> {
  const pair = createECDH('prime256v1');
  const publicKey = pair.generateKeys('base64url');
  const privateKey = Buffer.concat([Buffer.alloc(32), pair.getPrivateKey()])
    .subarray(-32)
    .toString('base64url');
  const secret = JSON.stringify({ subject, publicKey, privateKey });
  const credentials = vapidKeyOf(secret);
  if (!credentials || NOBODYS.test(subject)) {
    const reason = 'must be mailto: and an address, or https:// and a page, at a domain that exists';
    throw new Refusal({ field: 'subject', reason });
  }
  return { credentials, secret };
}

/** The environment and topic that a stored APNs key was set up with; a key from before there was a setup has none. */
export function apnsScopeOf(secret: string): (ApnsKey & ApnsScope) | undefined {
  const key = apnsKeyOf(secret);
  if (!key) return undefined;
  const { topic, environment } = Object(JSON.parse(secret));
  if (typeof topic !== 'string' || (environment !== 'production' && environment !== 'sandbox'))
    return undefined;
  return { ...key, topic, environment };
}

/** At names that nobody can be written to (RFC 2606, RFC 6761, RFC 6762) Apple refuses all pushes. */
const NOBODYS = /[@./](localhost|local|invalid|test)(:\d+)?(\/|$)/i;

function privateKeyOf(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // Whatever it is, it is no private key.
    return undefined;
  }
}
