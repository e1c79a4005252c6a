/** What this browser does with messages, as its user set it. Read by the page and by the service worker. */
import type { Database } from './database.ts';

export interface Settings {
  /** The page plays sounds. */
  sounds: boolean;
  /** What a message sounds like whose sender did not say: the name of a built-in sound, or the id of one's own. */
  sound: string;
  /** Notifications of normal priority are silent in between. */
  quiet: boolean;
  /** `HH:MM`, local time. */
  quietFrom: string;
  quietTo: string;
  /** The days on which they begin: 0 is Sunday. */
  quietDays: readonly number[];
}

export const DEFAULT_SETTINGS: Settings = {
  sounds: true,
  sound: 'pushover',
  quiet: false,
  quietFrom: '22:00',
  quietTo: '07:00',
  quietDays: [0, 1, 2, 3, 4, 5, 6],
};

export async function readSettings(db: Database): Promise<Settings> {
  return { ...DEFAULT_SETTINGS, ...((await db.get('meta', 'settings')) as Partial<Settings> | undefined) };
}

export async function writeSettings(db: Database, settings: Settings): Promise<void> {
  await db.put('meta', settings, 'settings');
}

/** Whether a time is within the quiet hours. Those that go over midnight belong to the day on which they begin. */
export function isQuiet({ quiet, quietFrom, quietTo, quietDays }: Settings, time: Date): boolean {
  if (!quiet) return false;
  const now = time.toTimeString().slice(0, 5);
  const [today, yesterday] = [time.getDay(), (time.getDay() + 6) % 7];
  if (quietFrom <= quietTo) return now >= quietFrom && now < quietTo && quietDays.includes(today);
  return now >= quietFrom ? quietDays.includes(today) : now < quietTo && quietDays.includes(yesterday);
}
