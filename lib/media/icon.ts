import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { createJimp } from '@jimp/core';
import jpeg from '@jimp/js-jpeg';
import png from '@jimp/js-png';
import * as contain from '@jimp/plugin-contain';
import { Refusal } from '../refusal.ts';
import { decodeGif } from './gif.ts';
import { ICON_PIXELS, MAX_PIXELS } from './icon-limits.ts';
import { type ImageHeader, readImageHeader } from './image-header.ts';

/** Only what is needed: the whole of jimp is twice as large. */
const Jimp = createJimp({ formats: [png, jpeg], plugins: [contain.methods] });

/** An ordinary progressive JPEG has ten. */
const MAX_SCANS = 32;

/** Bytes a pixel of the largest PNG: four channels of sixteen bits. */
const PNG_PIXEL_BYTES = 8;

/** An icon as it is stored. */
export interface Icon {
  /** Derived from its content: the same picture has the same name, and a name never shows another picture. */
  name: string;
  png: Buffer;
}

/**
 * Makes an icon of a picture: 72 × 72, nothing of it cut off, transparent where it does not reach, as PNG. Only its
 * pixels survive: no metadata, and nothing that hides behind them.
 *
 * What decoding may cost is known from the file's header before it begins. A picture of few bytes can declare very many
 * pixels, or have its decoder go over them very often.
 *
 * @throws Refusal naming `icon`
 */
export async function makeIcon(file: Uint8Array): Promise<Icon> {
  const header = readImageHeader(file);
  if (!header) throw bad('must be a PNG, JPEG or GIF image');
  if (Math.max(header.width, header.height) > MAX_PIXELS) {
    throw bad(`has too many pixels (maximum is ${MAX_PIXELS} × ${MAX_PIXELS})`);
  }
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (Math.min(header.width, header.height) === 0 || header.scans > MAX_SCANS || isBomb(bytes, header)) {
    throw unreadable();
  }
  const image = await decode(bytes, header);
  image.contain({ w: ICON_PIXELS, h: ICON_PIXELS });
  const content = await image.getBuffer('image/png');
  const name = createHash('sha256').update(content).digest('hex').slice(0, 32);
  return { name, png: content };
}

async function decode(bytes: Buffer, { type }: ImageHeader) {
  try {
    // Its pixels must be all of their buffer, as `Buffer.alloc` gives it.
    if (type === 'image/gif') return Jimp.fromBitmap(decodeGif(bytes));
    // The JPEG decoder's own bounds, for what a header does not say.
    return await Jimp.fromBuffer(bytes, {
      'image/jpeg': { maxResolutionInMP: 4.2, maxMemoryUsageInMB: 256 },
    });
  } catch {
    // Decoders throw whatever they trip over; all of it says that the file is broken.
    throw unreadable();
  }
}

/** Whether an interlaced PNG unpacks to more than its pixels: the decoder bounds that only for others. */
function isBomb(bytes: Buffer, { type, width, height }: ImageHeader): boolean {
  if (type !== 'image/png' || bytes[28] === 0) return false;
  const data: Buffer[] = [];
  for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const isData = bytes.toString('latin1', at + 4, at + 8) === 'IDAT';
    if (isData) data.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  // Seven passes; in each, a byte before each row.
  const maxOutputLength = width * height * PNG_PIXEL_BYTES + 7 * height + 7;
  try {
    inflateSync(Buffer.concat(data), { maxOutputLength });
    return false;
  } catch {
    return true;
  }
}

const bad = (reason: string) => new Refusal({ field: 'icon', reason });
const unreadable = () => bad('cannot be read: the image is broken');
