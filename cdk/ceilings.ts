import type { CarrierName } from '../lib/carriers/carrier.ts';

/** Most invocations at once of each function that works on a queue. */
export type Ceilings = Record<CarrierName | 'callback' | 'fanOut' | 'repeat', number>;

/**
 * Enough for thousands of messages a second, and few enough that APNs sees a handful of connections and that a backlog
 * does not starve the API of the account's Lambda concurrency.
 */
const DEFAULTS: Ceilings = {
  fcm: 10,
  apns: 10,
  webpush: 10,
  desktop: 10,
  fanOut: 10,
  repeat: 10,
  callback: 5,
};

/** AWS's bounds for an event source mapping's maximum concurrency. */
const [LEAST, MOST] = [2, 1000];

/**
 * Reads ceilings from the context: `-c ceilings='{"apns": 4}'` or an object in `cdk.json`. What is not given keeps its
 * default.
 *
 * @throws Error that names what is wrong and what is allowed
 */
export function ceilings(context: unknown): Ceilings {
  const given = typeof context === 'string' ? parse(context) : (context ?? {});
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrong('must be an object');
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULTS, name))
      throw wrong(`has no ${name}, only ${Object.keys(DEFAULTS).join(', ')}`);
    if (!Number.isInteger(value) || value < LEAST || value > MOST) {
      throw wrong(`must have whole numbers from ${LEAST} to ${MOST}; ${name} is ${JSON.stringify(value)}`);
    }
  }
  return { ...DEFAULTS, ...given };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong('must be JSON');
  }
}

function wrong(what: string): Error {
  return new Error(`the context value ceilings ${what}`);
}
