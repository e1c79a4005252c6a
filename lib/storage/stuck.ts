/** Records that a worker cannot do, or not even read. */
import type { Log } from '../log.ts';
import type { Queue } from './queue.ts';

/**
 * Deliveries after which a record that cannot be read is a dead letter. At one a minute that is a quarter of an hour, in
 * which a deployment ends: until then it may be a record of the next release, which another function can read. SQS itself
 * would give it up only after 1,000 (`cdk/work-queue.ts`).
 */
const DELIVERIES = 15;

/**
 * Deliveries of a record that cannot be tried after which somebody is told. Its age would not tell: CloudWatch leaves
 * records out of the age of the oldest that were delivered more than three times.
 */
export const STUCK_AFTER = 5;

/**
 * Gives a record up that cannot be read, unless it may still be that it can be.
 *
 * @param receives how often it was delivered, this time included
 * @returns whether it is a dead letter now; if not, it is to be delivered again
 */
export async function giveUpUnreadable(
  { id, body, receives }: { id: string; body: string; receives: number },
  { deadLetters, log }: { deadLetters: Queue; log: Log },
): Promise<boolean> {
  if (receives < DELIVERIES) return false;
  try {
    await deadLetters.sendText(body);
  } catch (error) {
    log('error', 'an unreadable record could not be given up', { record: id, error: String(error) });
    return false;
  }
  log('error', 'given up, nobody can read it', { record: id });
  return true;
}
