/**
 * Makes attachment.json from fixed inputs, with node:crypto alone:
 *
 *     node test/vectors/generate-attachment.ts > test/vectors/attachment.json
 */
import { createCipheriv, createHash } from 'node:crypto';
import { imageOf } from '../support/images.ts';

/** Bytes that follow from a label, and so are nobody's secret. */
const bytesFrom = (label: string, length: number) =>
  createHash('sha512').update(`peal vector: ${label}`).digest().subarray(0, length);

/** The content of attachment.json. */
export function makeVector() {
  const id = 'AttachmentIdOf30Characters0123';
  const key = bytesFrom('attachment key', 32);
  const nonce = bytesFrom('attachment nonce', 12);
  const image = imageOf('image/png', 64);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id));
  const ciphertext = Buffer.concat([cipher.update(image), cipher.final()]);
  const tag = cipher.getAuthTag();
  return {
    format: 'attachment: AES-256-GCM, nonce ‖ ciphertext ‖ tag',
    version: 1,
    envelope_attachment: { id, key: key.toString('base64'), type: 'image/png', size: image.length },
    additional_data_utf8: id,
    nonce: nonce.toString('hex'),
    tag: tag.toString('hex'),
    image: image.toString('hex'),
    object: Buffer.concat([nonce, ciphertext, tag]).toString('hex'),
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(makeVector(), null, 2)}\n`);
