/** Small images of each type that counts as one, made by hand. */
import { createHash } from 'node:crypto';
import type { ImageType } from '../../lib/protocol/images.ts';

const ascii = (text: string) => Buffer.from(text, 'latin1');
const uint32 = (value: number) =>
  Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);

/** The smallest header of each type that is recognized. */
export const HEADERS: Record<ImageType, Buffer> = {
  'image/png': Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    uint32(13),
    ascii('IHDR'),
    uint32(1),
    uint32(1),
    Buffer.from([8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde]),
  ]),
  'image/jpeg': Buffer.concat([
    Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]),
    ascii('JFIF\0'),
    Buffer.from([1, 1, 0, 0, 1, 0, 1, 0, 0]),
  ]),
  'image/gif': Buffer.concat([ascii('GIF89a'), Buffer.from([1, 0, 1, 0, 0, 0, 0, 0x2c])]),
  'image/webp': Buffer.concat([ascii('RIFF'), Buffer.from([12, 0, 0, 0]), ascii('WEBPVP8L'), uint32(0)]),
  'image/heic': Buffer.concat([uint32(24), ascii('ftypheic'), uint32(0), ascii('mif1heic')]),
};

/** The header of a type and so many bytes more, which are the same for the same label. */
export function imageOf(type: ImageType, size: number, label = 'image'): Buffer {
  const header = HEADERS[type];
  const rest = createHash('shake256', { outputLength: Math.max(1, size - header.length) });
  return Buffer.concat([header, rest.update(label).digest()]).subarray(0, size);
}
