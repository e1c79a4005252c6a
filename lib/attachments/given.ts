/** The attachment of a message as its sender gives it: a file, base64, or the id of an upload. */
import { isKey } from '../accounts/keys.ts';
import type { Params } from '../http/params.ts';
import { imageType } from '../protocol/images.ts';
import { Refusal } from '../refusal.ts';
import type { Image } from './seal.ts';

/**
 * Largest image that comes with its message, bytes: 4.4 MiB. API Gateway hands a body to Lambda as base64, within the
 * 6 MiB of an invocation, and the other fields and headers need some room. What is larger than Lambda takes is answered
 * by API Gateway itself, with a 413 of its own.
 */
export const INLINE_BYTES = Math.floor(4.4 * 1024 * 1024);

/** What a sender gave. */
export type GivenAttachment = { image: Image } | { upload: string };

type Field = 'attachment' | 'attachment_base64';

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Reads the attachment of a message; undefined if it has none. `attachment_type` is not asked: senders say
 * `application/octet-stream`, or nothing, of what are images, and the bytes tell.
 *
 * @throws Refusal naming `attachment` or `attachment_base64`: 413 for what has to be uploaded, otherwise 400
 */
export function givenAttachment(params: Params): GivenAttachment | undefined {
  const base64 = params.has('attachment_base64');
  if (params.has('attachment') && base64) {
    throw new Refusal([
      { field: 'attachment', reason: 'cannot be given with attachment_base64' },
      { field: 'attachment_base64', reason: 'cannot be given with attachment', sentence: '' },
    ]);
  }
  if (base64) return { image: inline(decode(params.get('attachment_base64')), 'attachment_base64') };
  if (!params.has('attachment')) return undefined;
  const file = params.file('attachment');
  // Multipart senders give the id as a part like any other; no image is 30 letters and digits.
  const text = file ? shortText(file.bytes) : params.get('attachment');
  if (text !== undefined && isKey(text)) return { upload: text };
  if (!file) {
    throw new Refusal({ field: 'attachment', reason: 'must be an image file, or the id of an upload' });
  }
  return { image: inline(file.bytes, 'attachment') };
}

/**
 * An image, known by its bytes.
 *
 * @throws Refusal naming the field
 */
export function checkedImage(bytes: Uint8Array, field: Field): Image {
  const type = imageType(bytes);
  if (!type) throw new Refusal({ field, reason: 'is not an image (PNG, JPEG, GIF, WebP or HEIC)' });
  return { bytes, type };
}

function inline(bytes: Uint8Array, field: Field): Image {
  if (bytes.length > INLINE_BYTES) {
    const reason = `is too large (maximum is ${INLINE_BYTES} bytes), upload it with POST /1/attachments.json`;
    throw new Refusal({ field, reason }, 413);
  }
  return checkedImage(bytes, field);
}

/** Standard base64, in lines or in one. A space is refused: it is what a form makes of a `+` that was not escaped. */
function decode(text: string | undefined): Uint8Array {
  const digits = text?.replaceAll(/[\r\n]/g, '') ?? '';
  if (!BASE64.test(digits) || digits.replace(/=+$/, '').length % 4 === 1) {
    throw new Refusal({ field: 'attachment_base64', reason: 'is not valid base64' });
  }
  return Buffer.from(digits, 'base64');
}

function shortText(bytes: Uint8Array): string | undefined {
  return bytes.length > 64 ? undefined : Buffer.from(bytes).toString('latin1').trim();
}
