/** The `Retry-After` field (RFC 9110, section 10.2.3): seconds, or a date. */

/**
 * @param field value of the header
 * @param now Unix milliseconds
 * @returns seconds to wait, rounded up and never negative; undefined if absent or not understood
 */
export function retryAfterSeconds(field: string | string[] | undefined, now: number): number | undefined {
  const value = (Array.isArray(field) ? field[0] : field)?.trim();
  if (!value) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);

  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}
