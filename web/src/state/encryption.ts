/** The account's encryption key in this tab. */
import { signal } from '@preact/signals';
import { type E2eeKey, e2eeKey } from '../../../lib/device/index.ts';
import { tell } from '../platform/bus.ts';
import { readKey, writeKey } from '../store/e2ee.ts';
import { app } from './app.ts';

/** What encrypted messages are opened with; undefined if nobody has entered it here. */
export const encryptionKey = signal<E2eeKey | undefined>(undefined);

/** Reads what is kept. */
export async function loadKey(): Promise<void> {
  encryptionKey.value = await readKey(app().db);
}

/**
 * Keeps the key that somebody has typed, for all tabs.
 *
 * @returns whether it is one: 64 hexadecimal digits, with spaces wherever they are
 */
export async function enterKey(typed: string): Promise<boolean> {
  const digits = typed.replace(/\s/g, '');
  if (!/^[0-9a-f]{64}$/i.test(digits)) return false;
  await writeKey(app().db, await e2eeKey(digits));
  tell({ kind: 'encryption' });
  return true;
}

/** Messages that were encrypted are closed again. */
export async function forgetKey(): Promise<void> {
  await writeKey(app().db, undefined);
  tell({ kind: 'encryption' });
}
