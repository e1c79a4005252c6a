/** Credentials of the kind that Google and Apple give out, made up for local use. */

import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import webpush from 'web-push';

/** A Google service account's JSON key. */
export interface ServiceAccountJson {
  type: 'service_account';
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  client_id: string;
  token_uri: string;
}

/** An APNs key as it is kept in the secret. */
export interface ApnsKeyJson {
  keyId: string;
  teamId: string;
  /** PKCS#8 PEM. */
  privateKey: string;
}

/** A VAPID key as it is kept in the secret. */
export interface VapidKeyJson {
  subject: string;
  /** base64url, 65 bytes. */
  publicKey: string;
  /** base64url, 32 bytes. */
  privateKey: string;
}

/** Both sides of the carriers' credentials: what the senders hold, and what the stand-ins check against. */
export interface Credentials {
  serviceAccount: ServiceAccountJson;
  /** SPKI PEM of the service account's key. */
  serviceAccountPublicKey: string;
  apns: ApnsKeyJson;
  /** SPKI PEM of the APNs key. */
  apnsPublicKey: string;
  /** Push services take anybody's key: it comes with the request, and browsers subscribe with it. */
  vapid: VapidKeyJson;
}

const generate = promisify(generateKeyPair);

/** Makes a service account (RSA, 2048 bits), an APNs key and a VAPID key (P-256). */
export async function makeCredentials(): Promise<Credentials> {
  const [rsa, ec] = await Promise.all([
    generate('rsa', { modulusLength: 2048 }),
    generate('ec', { namedCurve: 'P-256' }),
  ]);
  const project = 'peal-local';
  return {
    serviceAccount: {
      type: 'service_account',
      project_id: project,
      private_key_id: randomBytes(20).toString('hex'),
      private_key: privatePem(rsa.privateKey),
      client_email: `push@${project}.iam.gserviceaccount.com`,
      client_id: '100000000000000000000',
      token_uri: 'https://oauth2.googleapis.com/token',
    },
    serviceAccountPublicKey: publicPem(rsa.publicKey),
    apns: { keyId: identifier(), teamId: identifier(), privateKey: privatePem(ec.privateKey) },
    apnsPublicKey: publicPem(ec.publicKey),
    vapid: { subject: 'mailto:push@peal.example', ...webpush.generateVAPIDKeys() },
  };
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function publicPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** Ten characters of Apple's alphabet for key and team ids. */
function identifier(): string {
  return Array.from(randomBytes(10), (byte) => 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'[byte % 32]).join('');
}
