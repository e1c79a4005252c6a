/** Carriers' credentials as `peal admin setup` gets them: from options, and where there is a person, by asking. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { GivenCredentials } from '../../functions/admin/carriers.ts';
import { UsageError } from '../errors.ts';

/** What the options say of carriers. */
export interface CredentialOptions {
  fcm?: string;
  apnsKey?: string;
  apnsKeyId?: string;
  apnsTeam?: string;
  apnsTopic?: string;
  apnsEnvironment?: string;
  vapidSubject?: string;
}

/** A person, or a pipe. */
export interface Asker {
  /** Whether there is a person. */
  interactive: boolean;
  ask(question: string): Promise<string>;
  /** All of the standard input. */
  readInput(): Promise<string>;
  /** Tells something that is no result. */
  note(text: string): void;
}

export type CarrierId = GivenCredentials['carrier'];

/** What people call them. */
export const CARRIER_NAMES: Readonly<Record<CarrierId, string>> = {
  fcm: 'Firebase (Android)',
  apns: 'APNs (iPhone)',
  webpush: 'Web Push (browsers)',
};

/** Bytes of a file of credentials, at most: what is larger is something else. */
const MAX_FILE = 65_536;

/**
 * The credentials for a carrier.
 *
 * @returns undefined if there are none: the carrier stays as it is
 * @throws UsageError if only a part is given, or a file cannot be read
 */
export async function gather(
  carrier: CarrierId,
  options: CredentialOptions,
  asker: Asker,
): Promise<GivenCredentials | undefined> {
  const answer = async (given: string | undefined, question: string) =>
    given ?? (asker.interactive ? (await asker.ask(question)).trim() : '');
  switch (carrier) {
    case 'fcm': {
      const file = await answer(options.fcm, "Firebase: service account's JSON file (Enter to skip): ");
      return file === '' ? undefined : { carrier, serviceAccount: await readFile(file, asker) };
    }
    case 'apns': {
      const file = await answer(options.apnsKey, 'APNs: .p8 file of the key (Enter to skip): ');
      return file === '' ? undefined : apnsKey(file, options, asker);
    }
    case 'webpush': {
      const question =
        'Web Push: whom push services may turn to, mailto:you@your.domain or https://… (Enter to skip): ';
      const subject = await answer(options.vapidSubject, question);
      return subject === '' ? undefined : { carrier, subject };
    }
  }
}

async function apnsKey(file: string, options: CredentialOptions, asker: Asker): Promise<GivenCredentials> {
  const privateKey = await readFile(file, asker);
  // Apple calls the file after the key.
  const [, named] = /^AuthKey_([A-Z0-9]{10})\.p8$/.exec(basename(file)) ?? [];
  const asked = async (option: string, given: string | undefined, question: string, usual = '') => {
    if (given !== undefined) return given;
    if (!asker.interactive) {
      if (usual !== '') return usual;
      throw new UsageError(`an APNs key needs ${option}`, `Give ${option}, or leave --apns-key out.`);
    }
    return (await asker.ask(`  ${question}${usual && ` [${usual}]`}: `)).trim() || usual;
  };
  return {
    carrier: 'apns',
    privateKey,
    keyId: await asked('--apns-key-id', options.apnsKeyId, 'Key id', named),
    teamId: await asked('--apns-team', options.apnsTeam, 'Team id'),
    topic: await asked('--apns-topic', options.apnsTopic, "The app's bundle id"),
    environment: await asked(
      '--apns-environment',
      options.apnsEnvironment,
      'production or sandbox',
      'production',
    ),
  };
}

/** A file, or with `-` the standard input. */
async function readFile(file: string, asker: Asker): Promise<string> {
  let text: string;
  try {
    text = file === '-' ? await asker.readInput() : readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read the credentials: ${reason}`);
  }
  if (text.length > MAX_FILE) throw new UsageError(`${file} is too large for credentials`);
  return text;
}
