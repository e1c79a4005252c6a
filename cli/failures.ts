/** What the errors of `lib/device` mean to someone at a command line. */
import { CodeNeededError, NetworkError, PealError, ProtocolError, StoreError } from '../lib/device/errors.ts';
import { CliError, EXIT, RefusedError, TroubleError } from './errors.ts';

/**
 * An error as a message, advice and an exit code. What is answered without Peal's own shape by 408 or 429 comes
 * from a gateway that is busy: it may work when it is tried again, as 5xx may. Unknown errors are answered as
 * they are: they are faults of the program.
 */
export function explain(error: unknown, server: string): unknown {
  if (error instanceof PealError) return explainAnswer(error, server);
  if (error instanceof NetworkError) {
    return new TroubleError(
      `cannot reach ${server}: ${networkReason(error)}`,
      'Check the address and the network.',
    );
  }
  if (error instanceof ProtocolError) {
    return new TroubleError(
      `${server}: ${error.message}`,
      'Check that this is the address of a Peal server.',
    );
  }
  if (error instanceof StoreError) return new CliError(EXIT.trouble, error.message);
  return error;
}

function explainAnswer(error: PealError, server: string): CliError {
  const { status } = error;
  const fromPeal = error.errors.length > 0;
  if (status >= 500 || (!fromPeal && (status === 429 || status === 408))) {
    return new TroubleError(`${server} is in trouble (${status})`, 'Try again in a while.');
  }
  const fields = Object.keys(error.fields);
  if (fromPeal) return new RefusedError(error.message, fields, adviceFor(error, fields));
  return new RefusedError(
    `${server} refuses the request (${status})`,
    fields,
    'Check that this is the address of a Peal server.',
  );
}

function adviceFor(error: PealError, fields: readonly string[]): string | undefined {
  if (error.status === 429 && error.retryAfter !== undefined) {
    return `Wait ${error.retryAfter} s and try again.`;
  }
  if (error instanceof CodeNeededError)
    return 'Give a code of your authenticator app, or a recovery code: peal account login --twofa CODE';
  // The message of a throttle says for how long.
  if (error.status === 429 && error.retryAfter !== undefined) return undefined;
  if (error.status === 429) return 'The quota is spent: wait until it is renewed.';
  if (error.status === 401 || fields.includes('secret')) return 'Log in again: peal account login';
  if (fields.includes('token'))
    return "Give one of your apps' tokens: --token, PEAL_TOKEN, or peal app create NAME --save.";
  if (fields.includes('user')) return 'Give a user key: --user or PEAL_USER.';
  return undefined;
}

/** fetch's own message says "fetch failed"; why is at the end of the causes. */
function networkReason(error: NetworkError): string {
  if (error.timedOut) return 'no answer in time';
  let last: unknown = error.cause;
  while (last instanceof Error && last.cause !== undefined) last = last.cause;
  if (!(last instanceof Error)) return error.message;
  return ('code' in last && typeof last.code === 'string' && last.code) || last.message;
}
