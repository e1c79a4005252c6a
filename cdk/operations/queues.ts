import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { DispatchStack } from '../dispatch-stack.ts';

/** A queue that a function works on, with its dead letters. */
export interface WatchedQueue {
  /** As `peal admin` calls it. */
  name: string;
  /** What its construct is called. */
  id: string;
  queue: Queue;
  /** The queue of its slow lane, if it has one. */
  slow?: Queue;
  deadLetters: Queue;
  /** What it means when it has dead letters. */
  lost: string;
}

const UNPUSHED = 'could not be handed over. They wait for sync; the reasons are in the records.';

/** All queues of Peal. */
export function queuesOf({ carriers, fanOut, receipts }: DispatchStack): WatchedQueue[] {
  const { fcm, apns, webpush, desktop } = carriers;
  return [
    { name: 'fcm', id: 'Fcm', ...parts(fcm), lost: `Messages for FCM ${UNPUSHED}` },
    { name: 'apns', id: 'Apns', ...parts(apns), lost: `Messages for APNs ${UNPUSHED}` },
    { name: 'webpush', id: 'Webpush', ...parts(webpush), lost: `Messages for browsers ${UNPUSHED}` },
    { name: 'desktop', id: 'Desktop', ...parts(desktop), lost: `Signals to desktops ${UNPUSHED}` },
    {
      name: 'fan-out',
      id: 'FanOut',
      ...parts(fanOut),
      lost: 'Recipients of large messages for whom no copy could be stored: they have not got it.',
    },
    {
      name: 'repeat',
      id: 'Repeat',
      ...parts(receipts.repeats),
      lost: 'Emergency messages that are not repeated any more although nobody has acknowledged them.',
    },
    {
      name: 'callback',
      id: 'Callback',
      ...parts(receipts.callbacks),
      lost: 'Senders’ servers that could not be told of an acknowledgement. The reasons are in the records.',
    },
  ];
}

const parts = ({ queue, slow, deadLetters }: Pick<WatchedQueue, 'deadLetters' | 'queue' | 'slow'>) => ({
  queue,
  deadLetters,
  ...(slow && { slow }),
});
