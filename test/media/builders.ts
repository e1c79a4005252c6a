/** Files that tests upload. */
import { chunk, encodePng, SIGNATURE } from '../../scripts/icons/png.ts';

/** How every PNG ends. */
export const END = chunk('IEND', Buffer.alloc(0));

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

/** A PNG in one colour, red unless told, compressed at zlib's `level`. */
export function png(
  width: number,
  height: number,
  colour: readonly number[] = [255, 0, 0, 255],
  level?: number,
): Buffer {
  const pixels = new Uint8Array(width * height * 4);
  for (let at = 0; at < pixels.length; at += 4) pixels.set(colour, at);
  return encodePng(width, height, pixels, level);
}

/** A PNG of these chunks and an end. */
export function pngOf(...chunks: Buffer[]): Buffer {
  return Buffer.concat([SIGNATURE, ...chunks, END]);
}

/** Content of a PNG's IHDR: true colour with alpha unless told. */
export function header(
  width: number,
  height: number,
  { depth = 8, colour = 6, interlace = 0 }: { depth?: number; colour?: number; interlace?: number } = {},
): Buffer {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(width, 0);
  bytes.writeUInt32BE(height, 4);
  bytes.set([depth, colour, 0, 0, interlace], 8);
  return bytes;
}

/** Width and height that a PNG declares. */
export function sizeOfPng(file: Buffer): [width: number, height: number] {
  return [file.readUInt32BE(16), file.readUInt32BE(20)];
}

/** An icon of so many bytes, most of them a comment. */
export function padded(size: number): Buffer {
  const bytes = png(72, 72);
  const comment = chunk('tEXt', Buffer.alloc(size - bytes.length - 12, 0x41));
  return Buffer.concat([bytes.subarray(0, 33), comment, bytes.subarray(33)]);
}
