/** The service worker: keeps the app for offline, takes pushes, answers clicks on notifications. */
import { tell } from '../platform/bus.ts';
import { ACKNOWLEDGE, type NoticeData } from '../platform/notices.ts';
import { acknowledgeFrom, renewSubscription, takePush } from './push.ts';
import { type PushEvent, scope } from './scope.ts';
import { answer, takeOver } from './shell.ts';

takeOver();

scope.addEventListener('fetch', answer);

scope.addEventListener('push', (event) => event.waitUntil(takePush(payloadOf(event))));

scope.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renewSubscription()));

scope.addEventListener('notificationclick', (event) => {
  const { id, receipt } = (event.notification.data ?? {}) as NoticeData;
  event.notification.close();
  if (event.action === ACKNOWLEDGE && id !== undefined && receipt !== undefined) {
    event.waitUntil(acknowledgeFrom(id, receipt));
  } else event.waitUntil(openApp(id));
});

/** Brings a tab to the front, or opens one, at the message. */
async function openApp(id: number | undefined): Promise<void> {
  const [first] = await scope.clients.matchAll({ type: 'window' });
  if (first) {
    await first.focus();
    if (id !== undefined) tell({ kind: 'open', id });
  } else await scope.clients.openWindow(id === undefined ? '/' : `/#/message/${id}`);
}

function payloadOf({ data }: PushEvent): unknown {
  try {
    return data?.json();
  } catch {
    // Not JSON, so not Peal's: there may be something to sync all the same.
    return undefined;
  }
}
