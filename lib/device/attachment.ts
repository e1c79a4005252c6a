/** Opens an attachment, and makes sure that it is what its message says. */
import { ATTACHMENT_NONCE, ATTACHMENT_TAG } from '../protocol/envelope.ts';
import { imageType, MAX_IMAGE_BYTES } from '../protocol/images.ts';
import type { FetchedAttachment } from './api.ts';
import type { MessageAttachment } from './envelope.ts';
import { fromBase64 } from './keys.ts';

/** Most bytes that the attachment of a message can be, encrypted or not. */
export const MAX_ATTACHMENT_BYTES = MAX_IMAGE_BYTES + ATTACHMENT_NONCE + ATTACHMENT_TAG;

/**
 * Opens an attachment: AES-256-GCM over `nonce ‖ ciphertext ‖ tag`, with its id as additional data, by WebCrypto. Never
 * rejects.
 *
 * @param attachment as the message has it
 * @returns the image; undefined if it is another's, was changed, or is not of the size and type that the message says
 * @example
 * const image = await openAttachment(message.attachment, await api.fetchAttachment(device, id, MAX_ATTACHMENT_BYTES));
 */
export async function openAttachment(
  attachment: MessageAttachment,
  { bytes, sealed }: FetchedAttachment,
): Promise<Uint8Array | undefined> {
  // A message that has a key takes nothing that was not encrypted with it, whatever the server says.
  if (!bytes || sealed !== (attachment.key !== undefined)) return undefined;
  const image = sealed ? await decrypt(attachment, bytes) : bytes;
  const fits = image?.length === attachment.size && imageType(image) === attachment.type;
  return fits ? image : undefined;
}

async function decrypt({ id = '', key = '' }: MessageAttachment, bytes: Uint8Array) {
  const raw = fromBase64(key);
  if (raw?.length !== 32 || bytes.length < ATTACHMENT_NONCE + ATTACHMENT_TAG) return undefined;
  const { subtle } = globalThis.crypto;
  const imported = await subtle.importKey('raw', new Uint8Array(raw), 'AES-GCM', false, ['decrypt']);
  const algorithm = {
    name: 'AES-GCM',
    iv: new Uint8Array(bytes.subarray(0, ATTACHMENT_NONCE)),
    additionalData: new TextEncoder().encode(id),
  };
  try {
    return new Uint8Array(
      await subtle.decrypt(algorithm, imported, new Uint8Array(bytes.subarray(ATTACHMENT_NONCE))),
    );
  } catch {
    // WebCrypto has one reason to fail here: the tag does not fit.
    return undefined;
  }
}
