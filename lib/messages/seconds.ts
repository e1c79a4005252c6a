import * as v from 'valibot';

/** Whole seconds in a parameter. Some senders give them with a fraction (`time.time()`); it is dropped. */
export const wholeSeconds = (reason: string, least: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,15}(\.\d{1,20})?$/, reason),
    v.transform((value) => Math.floor(Number(value))),
    v.minValue(least, reason),
  );
