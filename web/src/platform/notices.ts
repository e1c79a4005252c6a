/** Notifications of messages: the same from the page and from the service worker. */
import { htmlToText } from '../../../lib/device/index.ts';
import type { ShownMessage } from '../store/e2ee.ts';
import { isQuiet, type Settings } from '../store/settings.ts';
import { text } from '../text.ts';
import { type Config, iconUrl } from './config.ts';
import { SHAKE, soundOf } from './sounds.ts';

/** What a notification brings back when it is clicked. */
export interface NoticeData {
  id?: number;
  receipt?: string;
}

/** More than the types of the DOM have. */
interface NoticeOptions extends NotificationOptions {
  actions?: { action: string; title: string }[];
  image?: string;
  renotify?: boolean;
  timestamp?: number;
  vibrate?: readonly number[];
  data: NoticeData;
}

export interface Notice {
  title: string;
  options: NoticeOptions;
}

const ICON = '/icons/peal-192.png';
const BADGE = '/icons/badge-96.png';

/** The action that acknowledges an emergency. */
export const ACKNOWLEDGE = 'acknowledge';

/** How a notification is shown. */
export interface NoticeContext {
  config: Config;
  settings: Settings;
  now: Date;
  /** The page plays the sound itself, or the same notification is shown again. */
  silent?: boolean;
  /** An emergency asks again. */
  again?: boolean;
  /** Address of the message's image, if it is here. */
  image?: string | undefined;
}

/**
 * The notification of a message. Its tag is the message's id: who shows it twice replaces it.
 *
 * By priority: −2 and −1 make no sound, nor does 0 in the quiet hours; 2 stays until it is dealt with.
 */
export function noticeOf(
  stored: ShownMessage,
  { config, settings, now, silent, again, image }: NoticeContext,
): Notice {
  const tag = String(stored.id);
  const common = { badge: BADGE, icon: ICON, tag, renotify: again === true };
  if (stored.kind === 'unreadable') {
    return { title: text.notice.unreadable, options: { ...common, silent: true, data: { id: stored.id } } };
  }
  const { message } = stored;
  const { app, date, html, icon, priority, receipt, sound } = message;
  const wanted = soundOf(sound, settings.sound);
  const mute =
    silent === true || priority < 0 || wanted === 'none' || (priority === 0 && isQuiet(settings, now));
  const content = html ? htmlToText(message.message) : message.message;
  return {
    title: message.title ?? app,
    options: {
      ...common,
      body: content === '' && stored.closed ? text.notice.encrypted : content,
      icon: iconUrl(config, icon) ?? ICON,
      timestamp: date * 1000,
      silent: mute,
      // A silent notification that shakes is an error.
      ...(wanted === 'vibrate' && !mute && { vibrate: SHAKE }),
      ...(image !== undefined && { image }),
      requireInteraction: priority === 2,
      ...(receipt !== undefined && { actions: [{ action: ACKNOWLEDGE, title: text.message.acknowledge }] }),
      data: { id: stored.id, ...(receipt !== undefined && { receipt }) },
    },
  };
}

/** Shown for a push whose message could not be fetched: a browser has to show something for every push. */
export const somethingCame = (): Notice => ({
  title: text.notice.something,
  options: { body: text.notice.openToRead, badge: BADGE, icon: ICON, tag: 'peal', silent: true, data: {} },
});

export function show(registration: ServiceWorkerRegistration, { title, options }: Notice): Promise<void> {
  return registration.showNotification(title, options);
}
