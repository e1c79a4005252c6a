/** The account's E2EE key, for `peal send` and `peal listen`. */
import { readFileSync } from 'node:fs';
import { type E2eeKey, e2eeKey } from '../lib/device/e2ee.ts';
import { warnIfOpen } from './config.ts';
import { UsageError } from './errors.ts';

/** What both commands say of it in their help. */
export const E2EE_KEY_OPTION = [
  '--e2ee-key-file <file>',
  "file with the account's E2EE key, 64 hexadecimal digits (or the key itself in PEAL_E2EE_KEY)",
] as const;

/**
 * The key in a file, else in PEAL_E2EE_KEY. It is never an argument: other users can read a command's arguments.
 *
 * @returns undefined if none is given
 * @throws UsageError for what is no key
 */
export async function findE2eeKey(file: string | undefined): Promise<E2eeKey | undefined> {
  const text = file === undefined ? process.env.PEAL_E2EE_KEY : readKeyFile(file);
  if (file === undefined && !text) return undefined;
  try {
    return await e2eeKey((text ?? '').trim());
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(
      `${file ?? 'PEAL_E2EE_KEY'} holds no E2EE key`,
      'It is 64 hexadecimal digits: openssl rand -hex 32',
    );
  }
}

function readKeyFile(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    warnIfOpen(file);
    return text;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read the E2EE key: ${reason}`);
  }
}
