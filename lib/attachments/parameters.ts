import * as v from 'valibot';
import { formOf } from '../protocol/characters.ts';

/** Characters of an upload's id, as many as a key has: 173 bits. */
export const UPLOAD_ID_LENGTH = 30;

/** Which device asks. */
export const DEVICE = v.object({
  device_id: v.pipe(v.string(), v.description('Id of the device that asks')),
});

/** Which message, in a path. */
export const MESSAGE_ID = v.pipe(v.string(), v.regex(/^\d{1,16}$/), v.description('Id of the message'));

/** An upload that was prepared. */
export const UPLOAD_ANSWER = v.object({
  id: v.pipe(
    v.string(),
    v.regex(formOf(UPLOAD_ID_LENGTH)),
    v.description('What a message names it by, in `attachment`'),
  ),
  upload: v.pipe(
    v.object({ url: v.pipe(v.string(), v.url()), fields: v.record(v.string(), v.string()) }),
    v.description('A form to post to: these fields, and then the image as `file`'),
  ),
  expires: v.pipe(v.number(), v.integer(), v.description('Until when the form can be posted, Unix seconds')),
  max_size: v.pipe(v.number(), v.integer(), v.description('Bytes')),
});

/** Where an attachment is. */
export const FETCH_ANSWER = v.object({
  url: v.pipe(v.string(), v.url()),
  expires: v.pipe(v.number(), v.integer(), v.description('Until when it works, Unix seconds')),
  sealed: v.pipe(v.boolean(), v.description('Whether it is encrypted, with the key in the sealed message')),
});
