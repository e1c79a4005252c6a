import * as v from 'valibot';

/** Which device asks. */
export const DEVICE = v.object({ device_id: v.optional(v.string()) });

/** An upload that was prepared. */
export const UPLOAD_ANSWER = v.object({
  /** What a message names it by, in `attachment`. */
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{30}$/)),
  /** A form to post to: these fields, and then the image as `file`. */
  upload: v.object({ url: v.pipe(v.string(), v.url()), fields: v.record(v.string(), v.string()) }),
  /** Until when the form can be posted, Unix seconds. */
  expires: v.pipe(v.number(), v.integer()),
  /** Bytes. */
  max_size: v.pipe(v.number(), v.integer()),
});

/** Where an attachment is. */
export const FETCH_ANSWER = v.object({
  url: v.pipe(v.string(), v.url()),
  /** Until when it works, Unix seconds. */
  expires: v.pipe(v.number(), v.integer()),
  /** Whether it is encrypted, with the key in the sealed message. */
  sealed: v.boolean(),
});
