import type { Clock } from '../storage/table.ts';
import type { Carrier, Outcome, Push } from './carrier.ts';

/** How fast one execution environment may hand over. */
export interface Pace {
  /** Hand-offs a second, over all devices. */
  perSecond: number;
  /** Hand-offs a minute to one device. */
  perDeviceMinute: number;
}

/** Devices whose minute is remembered; more than any environment reaches within one. */
const DEVICES = 100_000;
const MINUTE = 60_000;

/**
 * Keeps a carrier's pace: what comes faster is not handed over now, but goes back to the queue.
 *
 * A device that was pushed to has been woken, syncs and acknowledges; when the held-back messages come round again
 * they are gone from its mailbox and are dropped. So the limit for one device costs nothing but pushes that would have
 * woken it once more.
 *
 * The limits hold for one environment: with a ceiling of n environments, give each an n-th of the carrier's limit.
 */
export function paced(carrier: Carrier, pace: Pace, clock: Clock): Carrier {
  let allowance = pace.perSecond;
  let filledAt = clock();
  let minute = 0;
  let inMinute = new Map<string, number>();

  /** Seconds to wait, 0 to go ahead. */
  function wait(device: string): number {
    const now = clock();
    if (Math.floor(now / MINUTE) !== minute || inMinute.size >= DEVICES) {
      minute = Math.floor(now / MINUTE);
      inMinute = new Map();
    }
    const before = inMinute.get(device) ?? 0;
    if (before >= pace.perDeviceMinute) return Math.ceil(((minute + 1) * MINUTE - now) / 1000);
    allowance = Math.min(pace.perSecond, allowance + ((now - filledAt) / 1000) * pace.perSecond);
    filledAt = now;
    if (allowance < 1) return 1;
    allowance -= 1;
    inMinute.set(device, before + 1);
    return 0;
  }

  return {
    async send(push: Push): Promise<Outcome> {
      const retryAfter = wait(push.device);
      return retryAfter > 0
        ? { kind: 'failed', reason: 'held back for pace', retryAfter }
        : carrier.send(push);
    },
    close: () => carrier.close(),
  };
}
