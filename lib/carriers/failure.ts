import type { Outcome } from './carrier.ts';
import { CredentialsError } from './credentials-error.ts';
import { RequestError } from './http2/errors.ts';

/**
 * The outcome of a hand-off that threw. Only a {@link CredentialsError} is the operator's to mend. Anything that nobody
 * thought of is tried again: it may be gone with the next release, and until its budget is used up no push is lost by it.
 *
 * @param carrier as the operator knows it, for the reason
 * @param host which was asked
 */
export function failure(error: unknown, carrier: string, host: string): Outcome {
  if (error instanceof CredentialsError) return { kind: 'fault', reason: error.message };
  if (!(error instanceof RequestError))
    return { kind: 'failed', reason: `${carrier} unexpected ${String(error)}` };
  const reason = `${carrier} ${error.code}: ${error.message}`;
  return error.code === 'timeout' ? { kind: 'failed', reason, silent: host } : { kind: 'failed', reason };
}
