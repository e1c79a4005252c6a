/** Encrypting an image under a key of its own, which travels inside the sealed message. */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { derivedCharacters } from '../protocol/characters.ts';
import { ATTACHMENT_NONCE, ATTACHMENT_TAG, type EnvelopeAttachment } from '../protocol/envelope.ts';
import type { ImageType } from '../protocol/images.ts';

const CIPHER = 'aes-256-gcm';

/** Characters of an attachment's id: 173 bits. */
const ID_LENGTH = 30;

/** An image that was checked. */
export interface Image {
  bytes: Uint8Array;
  type: ImageType;
}

/** An image as it is stored, and what its recipients are told. */
export interface SealedImage {
  ref: EnvelopeAttachment;
  object: Uint8Array;
}

/**
 * What id, key and nonce of an image follow from. Random, unless the message may be accepted again under its request:
 * then the same request with the same image gives the same object. The image is in it because no key may ever
 * encrypt two: an upload could be another image when it is read again. The app's token, which no table has, keeps it
 * secret.
 */
export function seedOf({ bytes }: Image, again?: { token: string; request: string }): Buffer {
  if (!again) return randomBytes(32);
  const digest = createHash('sha256').update(bytes).digest();
  return createHmac('sha256', again.token).update(`attachment ${again.request} `).update(digest).digest();
}

/**
 * Encrypts an image: AES-256-GCM, `nonce ‖ ciphertext ‖ tag`, with the id as additional data, so that no object passes
 * for another's.
 *
 * @param seed 32 bytes that belong to this image alone (see {@link seedOf})
 * @example
 * const { ref, object } = sealImage(image, seedOf(image));
 */
export function sealImage({ bytes, type }: Image, seed: Uint8Array): SealedImage {
  const derive = (what: string) => createHmac('sha512', seed).update(what).digest();
  const id = derivedCharacters(derive('id'), ID_LENGTH);
  const key = derive('key').subarray(0, 32);
  const nonce = derive('nonce').subarray(0, ATTACHMENT_NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(id));
  const object = Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  return { ref: { id, key: key.toString('base64'), type, size: bytes.length }, object };
}

/**
 * Opens what `sealImage` made: for devices without a key, which cannot do it themselves.
 *
 * @throws Error if it is another's, or was changed
 */
export function openImage({ id, key }: Pick<EnvelopeAttachment, 'id' | 'key'>, object: Uint8Array): Buffer {
  const nonce = object.subarray(0, ATTACHMENT_NONCE);
  const decipher = createDecipheriv(CIPHER, Buffer.from(key, 'base64'), nonce, {
    authTagLength: ATTACHMENT_TAG,
  });
  decipher.setAAD(Buffer.from(id)).setAuthTag(object.subarray(-ATTACHMENT_TAG));
  return Buffer.concat([
    decipher.update(object.subarray(ATTACHMENT_NONCE, -ATTACHMENT_TAG)),
    decipher.final(),
  ]);
}
