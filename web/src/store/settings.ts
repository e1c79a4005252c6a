/** What this browser does with messages, as its user set it. Read by the page and by the service worker. */
import type { Database } from './database.ts';

export interface Settings {
  /** The page plays sounds. */
  sounds: boolean;
  /** Notifications of normal priority are silent in between. */
  quiet: boolean;
  /** `HH:MM`, local time. */
  quietFrom: string;
  quietTo: string;
}

export const DEFAULT_SETTINGS: Settings = {
  sounds: true,
  quiet: false,
  quietFrom: '22:00',
  quietTo: '07:00',
};

export async function readSettings(db: Database): Promise<Settings> {
  return { ...DEFAULT_SETTINGS, ...((await db.get('meta', 'settings')) as Partial<Settings> | undefined) };
}

export async function writeSettings(db: Database, settings: Settings): Promise<void> {
  await db.put('meta', settings, 'settings');
}

/** Whether a time is within the quiet hours, which may go over midnight. */
export function isQuiet({ quiet, quietFrom, quietTo }: Settings, time: Date): boolean {
  if (!quiet) return false;
  const now = time.toTimeString().slice(0, 5);
  return quietFrom <= quietTo ? now >= quietFrom && now < quietTo : now >= quietFrom || now < quietTo;
}
