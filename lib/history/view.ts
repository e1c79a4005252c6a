/** What is answered about the history and the usage of an account. */
import * as v from 'valibot';
import { KEY } from '../accounts/keys.ts';
import { CARRIERS } from '../carriers/carrier.ts';
import { LIMITS_ANSWER } from '../messages/limits.ts';
import { RECEIPT_ANSWER } from '../receipts/view.ts';

const count = (about: string) => v.pipe(v.number(), v.integer(), v.minValue(0), v.description(about));
const time = (about = 'Unix seconds') => v.pipe(v.number(), v.integer(), v.description(about));

/** What may be said of a message on one of its devices. */
export const STATES = ['waiting', 'delivered', 'acknowledged', 'expired'] as const;
export type State = (typeof STATES)[number];

const COUNTS = v.object({
  waiting: count('For these it is stored, and no carrier has taken it'),
  delivered: count('A carrier took it to these'),
  acknowledged: count('These have stored it'),
  expired: count('These have not stored it, and it is over'),
});

const SENT = v.object({
  id: v.pipe(v.string(), v.description('By which the history knows it')),
  app: v.object({ id: v.string(), name: v.pipe(v.string(), v.description('As it was then')) }),
  priority: v.pipe(v.number(), v.integer(), v.minValue(-2), v.maxValue(2)),
  received_at: time(),
  expires_at: time(),
  users: count('How many users it was for'),
  devices: v.exactOptional(count('How many devices it was for; absent: so many that nobody counted')),
  counts: v.exactOptional(v.pipe(COUNTS, v.description('Of its devices, where there are 20 at most'))),
  receipt: v.exactOptional(
    v.pipe(
      RECEIPT_ANSWER,
      v.description('Of an emergency, for a week: whether somebody has acknowledged it'),
    ),
  ),
});

/** What an account has sent, the newest first. */
export const HISTORY_ANSWER = v.object({
  messages: v.array(SENT),
  after: v.exactOptional(v.pipe(v.string(), v.description('There may be more: where the list goes on'))),
});

const SENT_DEVICE = v.object({
  state: v.picklist(STATES),
  user: v.exactOptional(v.pipe(v.string(), v.regex(KEY))),
  device: v.exactOptional(v.pipe(v.nullable(v.string()), v.description('Its name; null: it was removed'))),
  delivered: v.exactOptional(
    v.pipe(
      v.array(v.object({ carrier: v.picklist(CARRIERS), at: time() })),
      v.description('Which carriers took it, and when'),
    ),
  ),
  acknowledged_at: v.exactOptional(time()),
});

/** A message that an account has sent, and its devices, or a page of them. */
export const SENT_ANSWER = v.object({
  message: SENT,
  devices: v.pipe(
    v.array(SENT_DEVICE),
    v.description('Of members of another account’s group there is only the state'),
  ),
  after: v.exactOptional(v.pipe(v.string(), v.description('There are more: where the list goes on'))),
});

/** How many users an account’s messages have reached. */
export const USAGE_ANSWER = v.object({
  days: v.pipe(
    v.array(v.object({ date: v.pipe(v.string(), v.description('UTC')), users: count('Reached that day') })),
    v.description('The last thirty, today at the end'),
  ),
  used: count('Users reached this month'),
  reset: LIMITS_ANSWER.entries.reset,
  limit: v.exactOptional(count('Of the month; absent: there is no quota')),
  remaining: v.exactOptional(count('What is left of it')),
});

export type SentView = v.InferOutput<typeof SENT>;
export type SentDeviceView = v.InferOutput<typeof SENT_DEVICE>;
