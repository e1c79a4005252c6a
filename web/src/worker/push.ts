/**
 * A push while Peal is closed, or open in a tab: the message is opened, stored and shown here. It is not acknowledged:
 * that is the next sync's, which also brings what pushes missed.
 */
import { createApi, createInbox, idOf, type StoredMessage } from '../../../lib/device/index.ts';
import { tell } from '../platform/bus.ts';
import type { Config } from '../platform/config.ts';
import { storeLock } from '../platform/leader.ts';
import { type NoticeContext, noticeOf, show, somethingCame } from '../platform/notices.ts';
import { subscribe } from '../platform/push.ts';
import { acknowledge, sendAcknowledgements } from '../store/acknowledgements.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { type BrowserStore, createDeviceStore } from '../store/device-store.ts';
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
    const onMessage = async (message: StoredMessage) => {
      await show(scope.registration, noticeOf(message, context));
      shown.add(message.id);
    };
    const inbox = createInbox({ store, lock: storeLock, onMessage });
    const result = await inbox.receivePush(payload);
    if (result === 'sync') await inbox.syncOnce(createApi({ url: config.api, secret: me.secret }));
    const known = id === undefined || shown.has(id) ? undefined : await store.get(id);
    if (!known) return;
    // A repetition: of an emergency that nobody has acknowledged it rings, else it replaces what is there, silently.
    const receipt = known.kind === 'message' ? known.message.receipt : undefined;
    const rings = receipt !== undefined && !(await db.get('acknowledgements', known.id));
    await show(scope.registration, noticeOf(known, { ...context, silent: !rings, again: rings }));
    shown.add(known.id);
  } finally {
    if (shown.size === 0) await show(scope.registration, somethingCame());
  }
}

/** The browser has changed the subscription: Peal is told of the new one. */
export async function renewSubscription(): Promise<void> {
  const { db, store, config } = await surroundings();
  const me = await store.identity();
  if (me)
    await subscribe(db, scope.registration, createApi({ url: config.api, secret: me.secret }), me.device);
}

/** Acknowledges an emergency from its notification. What cannot be told now, the next start tells. */
export async function acknowledgeFrom(id: number, receipt: string): Promise<void> {
  const { db, store, config } = await surroundings();
  await acknowledge(db, { id, receipt });
  try {
    const me = await store.identity();
    if (me) await sendAcknowledgements(db, createApi({ url: config.api, secret: me.secret }), me.device);
  } finally {
    // An open tab shows it, and goes on telling if that has failed.
    tell({ kind: 'acknowledged' });
  }
}
