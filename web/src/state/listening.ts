/** The tab that holds the socket: it listens, stores, shows, plays sounds, and tells the other tabs. */
import {
  createListener,
  createSyncLoop,
  type ListenerEnd,
  PealError,
  type StoredMessage,
  systemTimers,
} from '../../../lib/device/index.ts';
import { hear, tell } from '../platform/bus.ts';
import { lead, storeLock } from '../platform/leader.ts';
import { noticeOf, show } from '../platform/notices.ts';
import { playSound } from '../platform/sounds.ts';
import { sendAcknowledgements } from '../store/acknowledgements.ts';
import { openMessage } from '../store/e2ee.ts';
import { isQuiet } from '../store/settings.ts';
import { api, app, connection, identity, settings } from './app.ts';
import { lookAtEmergencies, ringEmergencies } from './emergencies.ts';
import { encryptionKey } from './encryption.ts';
import { sessionEnded } from './session.ts';
import { soundingOf } from './sounds.ts';

/** Who comes back to a tab after this long has it sync, whatever the socket says. */
const LOOK_AGAIN_MS = 60_000;

/** Waits for its turn to hold the socket, and listens from then on. @returns ends it */
export function startListening(): () => void {
  const stop = new AbortController();
  lead(() => listen(stop.signal), stop.signal).catch((error) => {
    // The database cannot be read: what is on the screen stays, and the user sees that nothing more comes.
    console.error('listening has ended', error);
    tell({ kind: 'connection', connection: 'stopped' });
  });
  // Another tab may hold the socket already.
  tell({ kind: 'ask' });
  const { signal } = stop;
  const wake = () => tell({ kind: 'wake' });
  const onVisible = () => {
    if (document.visibilityState === 'visible') wake();
  };
  addEventListener('online', wake, { signal });
  document.addEventListener('visibilitychange', onVisible, { signal });
  return () => stop.abort();
}

async function listen(signal: AbortSignal): Promise<void> {
  const { config, store, db } = app();
  const over = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => over.resolve());
  let replaced = false;
  /** Tells Peal of acknowledgements: at every occasion, and again until it has been told. */
  const telling = createSyncLoop({
    timers: systemTimers,
    sync: async () => {
      const me = identity.peek();
      if (me && (await sendAcknowledgements(db, api.peek(), me.device)) > 0) tell({ kind: 'acknowledged' });
    },
    onFailure: (error) => {
      if (error instanceof PealError) return error.signedOut ? 'stop' : (error.retryAfter ?? 0) * 1000;
      return 0;
    },
  });
  const say = (now: typeof connection.value) => tell({ kind: 'connection', connection: now });
  const listener = createListener({
    api: app().api,
    socket: config.socket,
    store,
    lock: storeLock,
    onMessage: (message) => announce(message),
    // It has been seen and heard; now its image is here too.
    onAttachment: (message) => announce(message, { late: true }),
    onState: ({ state }) => {
      if (replaced) return;
      say(state);
      if (state !== 'connected') return;
      telling.request();
      void lookAtEmergencies();
    },
    onEnd: (end: ListenerEnd) => {
      if (end === 'replaced') {
        replaced = true;
        say('replaced');
      } else void sessionEnded();
    },
  });
  let lookedAt = Date.now();
  const wake = () => {
    listener.nudge();
    telling.request();
    void lookAtEmergencies();
    // A session or device that was ended elsewhere is told so by the next sync only.
    if (Date.now() - lookedAt < LOOK_AGAIN_MS) return;
    lookedAt = Date.now();
    listener.sync();
  };
  const endHearing = hear((note) => {
    if (note.kind === 'ask') say(connection.peek());
    if (note.kind === 'acknowledged') telling.request();
    if (note.kind === 'wake') wake();
    if (note.kind === 'reconnect' && replaced) {
      replaced = false;
      listener.start().catch(over.reject);
    }
  });
  const endRinging = ringEmergencies((stored) => announce(stored, { again: true }));
  try {
    await listener.start();
    await over.promise;
  } finally {
    endRinging();
    endHearing();
    await Promise.all([listener.stop(), telling.stop()]);
  }
}

/**
 * Shows a new message, with its sound. A browser that refuses either (a permission taken back, no audio device) does not
 * hold up the message: it is stored, and in the list.
 */
async function announce(
  stored: StoredMessage,
  { again = false, late = false }: { again?: boolean; late?: boolean } = {},
): Promise<void> {
  let image: string | undefined;
  try {
    const heard = late || (await sound(stored));
    if (!('Notification' in window) || Notification.permission !== 'granted') return;
    const registration = await app().worker;
    if (!registration) return;
    // Whoever has put the notification away is not to see it again.
    if (late && (await registration.getNotifications({ tag: String(stored.id) })).length === 0) return;
    const shown = await openMessage(stored, encryptionKey.peek());
    image = await imageOf(stored);
    const context = { config: app().config, settings: settings.peek(), now: new Date(), again, image };
    await show(registration, noticeOf(shown, { ...context, silent: heard }));
  } catch (error) {
    console.warn('a message could not be announced', error);
  } finally {
    // The browser has loaded it by the time that the notification is there.
    if (image !== undefined) URL.revokeObjectURL(image);
  }
}

/** An address for the image of a message, to be revoked; undefined if it has none here. */
async function imageOf(stored: StoredMessage): Promise<string | undefined> {
  if (stored.kind !== 'message' || stored.attachment !== 'stored') return undefined;
  const bytes = await app().store.attachment(stored.id);
  const type = stored.message.attachment?.type ?? '';
  return bytes && URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
}

/** @returns whether the page saw to the sound */
async function sound(stored: StoredMessage): Promise<boolean> {
  if (!settings.peek().sounds) return true;
  if (stored.kind !== 'message') return false;
  const { priority, sound: name } = stored.message;
  if (priority < 0 || (priority === 0 && isQuiet(settings.peek(), new Date()))) return true;
  return playSound(soundingOf(name, priority));
}
