/** The time limit that an integration puts on a function, apart from the function's own. */
import type { InvokeResult, LocalFunction } from '../types.ts';

/** Invokes, but waits no longer than `limit` milliseconds. The invocation itself goes on, as it does on AWS. */
export async function invokeWithin(
  target: LocalFunction,
  event: unknown,
  limit: number,
): Promise<InvokeResult | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(resolve, limit, 'timeout');
  });
  try {
    return await Promise.race([target.invoke(event), late]);
  } finally {
    clearTimeout(timer);
  }
}
