import type { OperatorQueue } from '../storage/operator-queue.ts';
import { settleAll } from '../storage/settle.ts';

/** How a queue and what works on it are. */
export interface QueueStatus {
  name: string;
  /** Whether the operator has given the carrier credentials; absent where none are needed. */
  credentials?: 'off' | 'on';
  /** Records that wait or are delayed, about. */
  waiting: number;
  /** The same in its slow lane; absent where there is none. */
  slow?: number;
  /** Records that were given up, about. */
  deadLetters: number;
}

/** What is looked at for one status. */
export interface Watched {
  name: string;
  queue: OperatorQueue;
  slow?: OperatorQueue;
  deadLetters: OperatorQueue;
  /** Reads whether there are credentials. */
  credentials?: () => Promise<boolean>;
}

/** Looks at all queues at once. */
export function statusOf(watched: Watched[]): Promise<QueueStatus[]> {
  return settleAll(
    watched.map(async ({ name, queue, slow, deadLetters, credentials }): Promise<QueueStatus> => {
      const [waiting, slowly, dead, on] = await Promise.all([
        queue.count(),
        slow?.count(),
        deadLetters.count(),
        credentials?.(),
      ]);
      return {
        name,
        ...(on !== undefined && { credentials: on ? 'on' : 'off' }),
        waiting,
        ...(slowly !== undefined && { slow: slowly }),
        deadLetters: dead,
      };
    }),
  );
}
