/** Everything that Peal makes up for a person to type, paste, read out or find in a path. */
import { generatePassword } from '../../cli/admin/password.ts';
import { Invitations } from '../../lib/accounts/invitations.ts';
import { hashSecret, publicIdOf, randomDeviceId, randomKey, randomSecret } from '../../lib/accounts/keys.ts';
import { newRecoveryCodes } from '../../lib/accounts/totp.ts';
import { sealImage, seedOf } from '../../lib/attachments/seal.ts';
import { newUploadId } from '../../lib/attachments/uploads.ts';
import type { PealApi } from '../../lib/device/api.ts';
import type { MediaBucket } from '../../lib/media/bucket.ts';
import { CustomSounds } from '../../lib/media/custom-sounds.ts';
import type { MessageFields } from '../../lib/messages/fields.ts';
import { receiptIn } from '../../lib/messages/new-receipt.ts';
import type { Table } from '../../lib/storage/table.ts';
import { demoAccount } from '../../local/demo/account.ts';
import { mp3 } from '../media/builders.ts';

/** How to make one, how long it is, and how many bits of it nobody can guess. */
export interface Generator {
  make(n: number): string | Promise<string>;
  length: number;
  bits: number;
  /** Made so often that nobody minds the time. */
  times?: number;
}

/** A table in which nothing is, and which takes everything. */
const EMPTY = { name: 'Empty', client: { send: async () => ({}) } } as unknown as Table;
const clock = () => 1_900_000_000_000;
const bucket = { put: async () => {} } as unknown as MediaBucket;
const SOUND = Buffer.from(mp3(20));
const API = {
  signUp: async () => ({ user: '', secret: '' }),
  withSecret: () => ({ createApp: async () => ({ token: '' }) }),
} as unknown as PealApi;
const EMERGENCY = { emergency: {} } as MessageFields;

const invitation = () => new Invitations(EMPTY, clock).make();

export const GENERATORS: Record<string, Generator> = {
  'user key': { make: () => randomKey('u'), length: 30, bits: 167 },
  'app token': { make: () => randomKey('a'), length: 30, bits: 167 },
  'group key': { make: () => randomKey('g'), length: 30, bits: 167 },
  receipt: {
    make: (n) => receiptIn(EMERGENCY, { request: `request ${n}`, umid: n, receivedAt: 0 }).receipt!,
    length: 30,
    bits: 167,
  },
  'device id': { make: randomDeviceId, length: 40, bits: 231 },
  'session secret': { make: () => randomSecret(randomKey('u')), length: 60, bits: 173 },
  'session id': { make: () => publicIdOf(hashSecret(randomSecret('u'))), length: 16, bits: 92 },
  'invitation code': { make: async () => (await invitation()).code, length: 24, bits: 138 },
  'invitation id': { make: async () => (await invitation()).id, length: 16, bits: 92 },
  'recovery code': { make: (n) => newRecoveryCodes()[n % 10]!.replace('-', ''), length: 10, bits: 49 },
  'password that the operator is given': { make: generatePassword, length: 20, bits: 115 },
  'password of the demo account': {
    make: async () => (await demoAccount(API, undefined)).account.password,
    length: 14,
    bits: 80,
  },
  'upload id': { make: newUploadId, length: 30, bits: 173 },
  'attachment id': {
    make: (n) => {
      const image = { bytes: Buffer.from(String(n)), type: 'image/png' as const };
      return sealImage(image, seedOf(image)).ref.id;
    },
    length: 30,
    bits: 173,
  },
  'sound id': {
    make: async (n) => (await new CustomSounds(EMPTY, bucket).add('u', { name: `s${n}` }, SOUND)).id,
    length: 24,
    bits: 138,
    times: 200,
  },
};
