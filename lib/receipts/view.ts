import * as v from 'valibot';
import { KEY } from '../accounts/keys.ts';
import { toldToSender } from '../groups/hidden.ts';
import type { Acknowledgement, DeliveredReceipt, Receipt } from './receipts.ts';

const bit = v.picklist([0, 1]);
const time = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('Unix seconds; 0: not yet'));

/** The key of a receipt, as answers and paths have it. */
export const RECEIPT_KEY = v.pipe(v.string(), v.regex(KEY), v.description('Key of the receipt, `r…`'));

/** What the sender of an emergency is told (Pushover's fields): integers, 0 where there is nothing to say. */
export const RECEIPT_ANSWER = v.object({
  acknowledged: bit,
  acknowledged_at: time,
  acknowledged_by: v.pipe(
    v.string(),
    v.description('User key; empty: nobody yet, or a member of another account’s group'),
  ),
  acknowledged_by_device: v.pipe(
    v.string(),
    v.description('Name of the device; empty: it did not say which, or `acknowledged_by` is not told'),
  ),
  last_delivered_at: time,
  expired: bit,
  expires_at: v.pipe(v.number(), v.integer(), v.description('Unix seconds')),
  called_back: bit,
  called_back_at: time,
});

/** What a recipient of an emergency is told of it. */
export const STATE_ANSWER = v.object({
  asking: v.pipe(bit, v.description('1: it is still repeated, and asks to be acknowledged')),
  acknowledged: v.pipe(
    bit,
    v.description(
      'Of one that asks no more and was not acknowledged, its time ended, or its sender cancelled it',
    ),
  ),
  acknowledged_at: time,
  acknowledged_by_device: v.pipe(
    v.string(),
    v.description('Name of the device, if it is one of the same account; else empty'),
  ),
});

/** What cancelling by a tag answers. */
export const CANCELED_ANSWER = v.object({
  canceled: v.pipe(v.number(), v.integer(), v.description('How many were still asking')),
});

/**
 * What a sender is told of who has acknowledged, wherever it asks or is told: see `groups/hidden.ts`.
 *
 * @returns empty texts where there is nothing to say, or nothing that the sender may know
 */
export function acknowledgedTo(acknowledged: Acknowledgement | undefined): { by: string; device: string } {
  const told = acknowledged && toldToSender(acknowledged, acknowledged);
  return { by: told?.by ?? '', device: told?.device ?? '' };
}

/** What its sender is told of a receipt. @param now Unix seconds */
export function receiptView(receipt: DeliveredReceipt, now: number): v.InferOutput<typeof RECEIPT_ANSWER> {
  const { acknowledged, deliveredAt, expiresAt, calledBackAt } = receipt;
  const { by, device } = acknowledgedTo(acknowledged);
  return {
    acknowledged: acknowledged ? 1 : 0,
    acknowledged_at: acknowledged?.at ?? 0,
    acknowledged_by: by,
    acknowledged_by_device: device,
    last_delivered_at: deliveredAt ?? 0,
    expired: expiresAt <= now ? 1 : 0,
    expires_at: expiresAt,
    called_back: calledBackAt === undefined ? 0 : 1,
    called_back_at: calledBackAt ?? 0,
  };
}

/**
 * What a recipient is told of a receipt: nothing of the others'.
 *
 * @param user who asks
 * @param asking whether it still asks
 */
export function stateView(
  { acknowledged }: Receipt,
  user: string,
  asking: boolean,
): v.InferOutput<typeof STATE_ANSWER> {
  return {
    asking: asking ? 1 : 0,
    acknowledged: acknowledged ? 1 : 0,
    acknowledged_at: acknowledged?.at ?? 0,
    acknowledged_by_device: acknowledged?.by === user ? acknowledged.device : '',
  };
}
