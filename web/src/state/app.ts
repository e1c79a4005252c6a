/** What the whole app stands on: opened once at the start, handed to nobody else. */
import { computed, signal } from '@preact/signals';
import { createApi, type Identity, type PealApi } from '../../../lib/device/index.ts';
import { type Connection, hear, tell } from '../platform/bus.ts';
import { type Config, loadConfig } from '../platform/config.ts';
import { registerWorker } from '../platform/worker.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { type BrowserStore, createDeviceStore } from '../store/device-store.ts';
import { DEFAULT_SETTINGS, readSettings, type Settings, writeSettings } from '../store/settings.ts';

/** Everything outside of the page that it works with. */
export interface App {
  config: Config;
  db: Database;
  store: BrowserStore;
  /** Without a session. */
  api: PealApi;
  /** Resolves to undefined where there are no service workers. */
  worker: Promise<ServiceWorkerRegistration | undefined>;
}

let opened: App | undefined;

/** The opened app. */
export function app(): App {
  if (!opened) throw new Error('the app is not open yet');
  return opened;
}

/** Who is logged in. */
export const identity = signal<Identity | undefined>(undefined);
/** The session was ended from elsewhere, and nobody has logged in since. */
export const ended = signal(false);
export const connection = signal<Connection>('connecting');
export const settings = signal<Settings>(DEFAULT_SETTINGS);
/** The API in the session of this browser. */
export const api = computed(() => app().api.withSecret(identity.value?.secret));

/** Why the app cannot start. */
export type StartFailure = 'config' | 'database';

/** Opens the database and reads where Peal is. @returns why it cannot */
export async function openApp(): Promise<StartFailure | undefined> {
  const worker = registerWorker().catch(() => undefined);
  let config: Config;
  try {
    config = await loadConfig();
  } catch {
    // No connection and nothing kept, or an address that is not Peal's: the app says so and can be tried again.
    return 'config';
  }
  try {
    const db = await openDatabase(() => location.reload());
    const onChange = (change: { changed: readonly number[]; removed: readonly number[] }) =>
      tell({ kind: 'messages', ...change });
    opened = {
      config,
      db,
      store: createDeviceStore(db, { onChange }),
      api: createApi({ url: config.api }),
      worker,
    };
    settings.value = await readSettings(db);
    identity.value = await opened.store.identity();
    ended.value = !identity.value && (await db.get('meta', 'ended')) === true;
  } catch {
    // No IndexedDB (some private windows), or it was damaged.
    return 'database';
  }
  hear(async (note) => {
    if (note.kind === 'connection') connection.value = note.connection;
    if (note.kind === 'settings') settings.value = await readSettings(app().db);
  });
  return undefined;
}

/** Changes settings, in all tabs. */
export async function changeSettings(change: Partial<Settings>): Promise<void> {
  settings.value = { ...settings.value, ...change };
  await writeSettings(app().db, settings.value);
  tell({ kind: 'settings' });
}
