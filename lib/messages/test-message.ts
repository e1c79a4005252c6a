import { type App, DEFAULT_ICON } from '../accounts/apps.ts';
import type { Device } from '../accounts/devices.ts';
import { Refusal } from '../refusal.ts';
import type { MessageFields } from './fields.ts';

/** Id of Peal itself, as a sender; accounts' apps begin with 1. */
const PEAL = 0;

/**
 * Who sends a test message: Peal itself, for the account. There is no item of it and no token, so nothing has to be made
 * for a test, and nothing is left that could send.
 */
export const testApp = (owner: string): App => ({ id: PEAL, name: 'Peal', icon: DEFAULT_ICON, owner });

/**
 * What a test message says, to one device alone.
 *
 * @throws Refusal naming `device_id` if the device is disabled: by Pushover's rule the others would get it
 */
export function testFields({ enabled, name, publicKey }: Device): MessageFields {
  if (!enabled) throw new Refusal({ field: 'device_id', reason: 'is disabled' });
  return {
    title: 'It works',
    message: publicKey
      ? `This message was sealed for ${name} alone.`
      : `This message was sent to ${name} alone.`,
    devices: [name],
    priority: 0,
    html: false,
    monospace: false,
    encrypted: false,
  };
}
