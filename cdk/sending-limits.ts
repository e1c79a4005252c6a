/** How much may be sent; 0: no limit. */
export interface SendingLimits {
  /** Users that an account's messages may reach in a month. */
  quota: number;
  /** Messages that an app may send in a minute. */
  burst: number;
}

/** No quota, since who deploys Peal pays for it; and a burst that no app means to send, but one in a loop does. */
const DEFAULTS: SendingLimits = { quota: 0, burst: 1200 };

/** What clients read the numbers of `X-Limit-…` into. */
const MOST = 2 ** 31 - 1;

/**
 * Reads the limits from the context: `-c quota=10000 -c burst=300`, or numbers in `cdk.json`. What is not given keeps
 * its default.
 *
 * @param context the value of a name in the context
 * @throws Error that names what is wrong and what is allowed
 */
export function sendingLimits(context: (name: keyof SendingLimits) => unknown): SendingLimits {
  const read = (name: keyof SendingLimits): number => {
    const given = context(name) ?? DEFAULTS[name];
    const number = typeof given === 'string' && /^\d{1,10}$/.test(given) ? Number(given) : given;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > MOST) {
      const what = `must be a whole number from 0 (no limit) to ${MOST}, not ${JSON.stringify(given)}`;
      throw new Error(`the context value ${name} ${what}`);
    }
    return number;
  };
  return { quota: read('quota'), burst: read('burst') };
}
