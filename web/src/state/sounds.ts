/** What messages sound like in this browser. */
import { createAccountApi, type SoundInfo } from '../../../lib/device/account-api.ts';
import { playSound, type Sounding } from '../platform/sounds.ts';
import { app, identity, settings } from './app.ts';

/** How long the list is not asked for again. Milliseconds. */
const FRESH_MS = 60_000;

/** What takes longer does not come. Milliseconds. */
const PATIENCE_MS = 10_000;

let asked: { at: number; secret: string; sounds: Promise<SoundInfo[]> } | undefined;

/** The sounds that the account has uploaded. @throws if Peal cannot be reached */
export function ownSounds(): Promise<SoundInfo[]> {
  const secret = identity.peek()?.secret ?? '';
  if (!asked || asked.secret !== secret || Date.now() - asked.at > FRESH_MS) {
    asked = { at: Date.now(), secret, sounds: listOwn(secret) };
    asked.sounds.catch(() => {
      asked = undefined;
    });
  }
  return asked.sounds;
}

const listOwn = (secret: string) =>
  createAccountApi({ url: app().config.api, secret, timeoutMs: PATIENCE_MS }).listSounds();

/** What is needed to play a sound of that name here. */
export function soundingOf(name: string | undefined, priority: number): Sounding {
  return {
    config: app().config,
    name,
    standard: settings.peek().sound,
    priority,
    own: async () => new Map((await ownSounds()).map((one) => [one.name, one.id])),
  };
}

/** Plays the device's default, for somebody who chooses it. */
export const playDefault = (): Promise<boolean> => playSound(soundingOf(undefined, 0));
