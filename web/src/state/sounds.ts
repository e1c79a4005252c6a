/** What messages sound like in this browser. */
import { playSound, type Sounding } from '../platform/sounds.ts';
import { app, identity, settings } from './app.ts';

/** A sound of the account's own. */
export interface OwnSound {
  id: string;
  name: string;
  description: string;
}

/** How long the list is not asked for again. Milliseconds. */
const FRESH_MS = 60_000;

/** What takes longer does not come. Milliseconds. */
const PATIENCE_MS = 10_000;

let asked: { at: number; secret: string; sounds: Promise<OwnSound[]> } | undefined;

/** The sounds that the account has uploaded. @throws if Peal cannot be reached */
export function ownSounds(): Promise<OwnSound[]> {
  const secret = identity.peek()?.secret ?? '';
  if (!asked || asked.secret !== secret || Date.now() - asked.at > FRESH_MS) {
    asked = { at: Date.now(), secret, sounds: fetchOwn(secret) };
    asked.sounds.catch(() => {
      asked = undefined;
    });
  }
  return asked.sounds;
}

async function fetchOwn(secret: string): Promise<OwnSound[]> {
  const response = await fetch(`${app().config.api}/1/account/sounds.json`, {
    headers: { Authorization: `Bearer ${secret}` },
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok) throw new Error(`sounds: status ${response.status}`);
  const { sounds } = (await response.json()) as { sounds: OwnSound[] };
  return sounds;
}

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
