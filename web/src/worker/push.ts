/**
 * A push while Peal is closed, or open in a tab: the message is opened, stored and shown here. It is not acknowledged:
 * that is the next sync's, which also brings what pushes missed. A message with an image has the sync follow at once.
 */
import {
  createApi,
  createInbox,
  type Identity,
  idOf,
  type StoredMessage,
} from '../../../lib/device/index.ts';
import { tell } from '../platform/bus.ts';
import type { Config } from '../platform/config.ts';
import { storeLock } from '../platform/leader.ts';
import { type NoticeContext, noticeOf, show, somethingCame } from '../platform/notices.ts';
import { subscribe } from '../platform/push.ts';
import { acknowledge, sendAcknowledgements } from '../store/acknowledgements.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { type BrowserStore, createDeviceStore } from '../store/device-store.ts';
import { openMessage, readKey } from '../store/e2ee.ts';
import { readSettings } from '../store/settings.ts';
import { scope } from './scope.ts';
import { readConfig } from './shell.ts';

/** What the worker works with; opened at its first event, since it may be stopped and started at any time. */
interface Surroundings {
  db: Database;
  store: BrowserStore;
  config: Config;
}

let opening: Promise<Surroundings> | undefined;

function surroundings(): Promise<Surroundings> {
  opening ??= open();
  // What failed is tried again at the next event.
  opening.catch(() => {
    opening = undefined;
  });
  return opening;
}

async function open(): Promise<Surroundings> {
  const forget = () => {
    opening = undefined;
  };
  const [db, config] = await Promise.all([openDatabase(forget), readConfig<Config>()]);
  const store = createDeviceStore(db, { onChange: (change) => tell({ kind: 'messages', ...change }) });
  return { db, store, config };
}

/** Takes a push. A browser that is shown nothing for a push takes the subscription away: something is always shown. */
export async function takePush(payload: unknown): Promise<void> {
  const shown = new Set<number>();
  const id = idOf((payload as { id?: unknown } | null)?.id);
  try {
    const { db, store, config } = await surroundings();
    const me = await store.identity();
    if (!me) return;
    const context: NoticeContext = { config, settings: await readSettings(db), now: new Date() };
    const key = await readKey(db);
    const onMessage = async (message: StoredMessage) => {
      await show(scope.registration, noticeOf(await openMessage(message, key), context));
      shown.add(message.id);
    };
    const inbox = createInbox({ store, lock: storeLock, onMessage });
    const result = await inbox.receivePush(payload);
    if (result === 'sync') await inbox.syncOnce(apiOf(config, me));
    else if (result === 'new' && id !== undefined)
      await fetchImage(store, id, () => inbox.syncOnce(apiOf(config, me)));
    const known = id === undefined || shown.has(id) ? undefined : await store.get(id);
    if (!known) return;
    // A repetition: of an emergency that nobody has acknowledged it rings, else it replaces what is there, silently.
    const receipt = known.kind === 'message' ? known.message.receipt : undefined;
    const rings = receipt !== undefined && !(await db.get('acknowledgements', known.id));
    const opened = await openMessage(known, key);
    await show(scope.registration, noticeOf(opened, { ...context, silent: !rings, again: rings }));
    shown.add(known.id);
  } finally {
    if (shown.size === 0) await show(scope.registration, somethingCame());
  }
}

const apiOf = ({ api }: Config, { secret }: Identity) => createApi({ url: api, secret });

/**
 * Peal keeps images for a few days only, and nobody may open the app for longer: a push whose message has one is a
 * reason to sync. An open tab does so by itself.
 */
async function fetchImage(store: BrowserStore, id: number, sync: () => Promise<void>): Promise<void> {
  const stored = await store.get(id);
  if (stored?.kind !== 'message' || !stored.message.attachment || stored.attachment) return;
  if ((await scope.clients.matchAll({ type: 'window' })).length > 0) return;
  await sync();
}

/** The browser has changed the subscription: Peal is told of the new one. */
export async function renewSubscription(): Promise<void> {
  const { db, store, config } = await surroundings();
  const me = await store.identity();
  if (me) await subscribe(db, scope.registration, apiOf(config, me), me.device);
}

/** Acknowledges an emergency from its notification. What cannot be told now, the next start tells. */
export async function acknowledgeFrom(id: number, receipt: string): Promise<void> {
  const { db, store, config } = await surroundings();
  await acknowledge(db, { id, receipt });
  try {
    const me = await store.identity();
    if (me) await sendAcknowledgements(db, apiOf(config, me), me.device);
  } finally {
    // An open tab shows it, and goes on telling if that has failed.
    tell({ kind: 'acknowledged' });
  }
}
