/** Files that tests upload. */
import { deflateSync } from 'node:zlib';
import { chunk, encodePng, SIGNATURE } from '../../scripts/icons/png.ts';

const END = chunk('IEND', Buffer.alloc(0));

/** A frame of silence: MPEG-2, Layer III, 8 kbit/s, 24 kHz: 24 bytes, 24 ms. */
const FRAME = Buffer.concat([Buffer.from([0xff, 0xf3, 0x14, 0xc4]), Buffer.alloc(20)]);
/** A frame of another rate: MPEG-1, 32 kbit/s, 32 kHz: 144 bytes, 36 ms. */
export const OTHER_FRAME = Buffer.concat([Buffer.from([0xff, 0xfb, 0x18, 0xc4]), Buffer.alloc(140)]);

/** An MP3 file of so many frames of 24 ms; files of different marks differ. */
export function mp3(frames: number, mark = 0): Buffer {
  const all = Buffer.concat(Array.from({ length: frames }, () => FRAME));
  if (all.length > 0) all.writeUInt16BE(mark, 20);
  return all;
}

/** An ID3v2 tag with so many bytes in it. */
export function id3(size: number): Buffer {
  const length = [21, 14, 7, 0].map((shift) => (size >> shift) & 127);
  return Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, ...length]), Buffer.alloc(size, 0x41)]);
}

/** A PNG in one colour, red unless told. */
export function png(width: number, height: number, colour: readonly number[] = [255, 0, 0, 255]): Buffer {
  const pixels = new Uint8Array(width * height * 4);
  for (let at = 0; at < pixels.length; at += 4) pixels.set(colour, at);
  return encodePng(width, height, pixels);
}

/** A PNG of a few bytes that declares so many pixels. */
export function declaring(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6], 8);
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync('')), END]);
}

/** An interlaced PNG of 8 × 8 pixels that holds so many bytes of them, which pack a thousandfold. */
export function interlaced(size: number): Buffer {
  const header = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 6, 0, 0, 1]);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(size))),
    END,
  ]);
}

/** A PNG of so many bytes, most of them a comment. */
export function padded(size: number): Buffer {
  const bytes = png(20, 20);
  const comment = chunk('tEXt', Buffer.alloc(size - bytes.length - 12, 0x41));
  return Buffer.concat([bytes.subarray(0, 33), comment, bytes.subarray(33)]);
}
