import type { SQSEvent } from 'aws-lambda';
import type { Lane } from '../lib/net/lanes.ts';
import { variable } from './variables.ts';

/** The lane that a batch comes from: a batch is of one queue, which its records name. */
export function laneOf({ Records: [first] }: Pick<SQSEvent, 'Records'>): Lane {
  const [slow] = variable('SLOW_QUEUE_URL').split('/').slice(-1);
  return first?.eventSourceARN.endsWith(`:${slow}`) ? 'slow' : 'fast';
}
