/** Emergencies that ask here, and how they end elsewhere: the tab that holds the socket rings them, and asks Peal first. */
import { effect } from '@preact/signals';
import { tell } from '../platform/bus.ts';
import { lookElsewhere } from '../store/acknowledgements.ts';
import type { ShownMessage } from '../store/e2ee.ts';
import { api, app } from './app.ts';
import { asks, emergencies } from './messages.ts';

/** Emergencies ring again after this, if their sender did not say. Seconds. */
const RING_AGAIN = 60;

/** A ring does not wait longer for an answer: who cannot be asked is not taken for a no. Milliseconds. */
const PATIENCE_MS = 3000;

/**
 * Asks Peal about an emergency: on another device or by another recipient it may have been acknowledged, or its sender
 * may have cancelled it. What has ended stops asking in all tabs, and its notification goes.
 *
 * @returns whether it has ended; what cannot be found out goes on asking
 */
async function hasEnded({ id, message }: ShownMessage & { kind: 'message' }): Promise<boolean> {
  try {
    if (!(await lookElsewhere(app().db, api.peek(), message, Math.floor(Date.now() / 1000)))) return false;
  } catch (error) {
    console.warn('an emergency could not be looked after', error);
    return false;
  }
  tell({ kind: 'acknowledged' });
  const shown = await (await app().worker)?.getNotifications({ tag: String(id) });
  for (const notification of shown ?? []) notification.close();
  return true;
}

/** Looks whether emergencies that ask here have ended elsewhere: for who comes back to a tab, or to the network. */
export async function lookAtEmergencies(): Promise<void> {
  await Promise.all(emergencies.peek().map((stored) => stored.kind === 'message' && hasEnded(stored)));
}

/**
 * Rings emergencies again, each in its sender's own rhythm, until they are acknowledged or end. Before each ring Peal is
 * asked whether it still has to be: one request a ring, and nobody is woken for what somebody else has dealt with.
 *
 * @param ring shows it again, with its sound
 * @returns ends it
 */
export function ringEmergencies(ring: (stored: ShownMessage) => Promise<void>): () => void {
  const timers = new Map<number, ReturnType<typeof setInterval>>();
  const endEffect = effect(() => {
    const asking = emergencies.value;
    const ids = new Set(asking.map(({ id }) => id));
    for (const [id, timer] of timers) {
      if (ids.has(id)) continue;
      clearInterval(timer);
      timers.delete(id);
    }
    for (const stored of asking) {
      if (timers.has(stored.id)) continue;
      const seconds = stored.message.retry ?? RING_AGAIN;
      const again = async () => {
        if (!asks(stored)) return;
        const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), PATIENCE_MS));
        const ended = await Promise.race([hasEnded(stored), late]);
        // It may have been acknowledged here while Peal was asked.
        if (!ended && asks(stored)) await ring(stored);
      };
      timers.set(
        stored.id,
        setInterval(() => void again(), seconds * 1000),
      );
    }
  });
  return () => {
    endEffect();
    for (const timer of timers.values()) clearInterval(timer);
  };
}
