/** What an image says of itself before anything of it is decoded. */
import { paletteBytes } from './gif.ts';

export interface ImageHeader {
  type: 'image/gif' | 'image/jpeg' | 'image/png';
  width: number;
  height: number;
  /** Passes over the picture: scans of a JPEG; 1 for the others. Each costs a decoder time, however few bytes it has. */
  scans: number;
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * Reads type and size of a PNG, JPEG or GIF from its bytes; names and declared types are not asked.
 *
 * @returns undefined for anything else
 */
export function readImageHeader(file: Uint8Array): ImageHeader | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.subarray(0, 8).equals(PNG)) return png(bytes);
  if (/^GIF8[79]a$/.test(bytes.toString('latin1', 0, 6))) return gif(bytes);
  if (bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return jpeg(bytes);
  return undefined;
}

/** W3C PNG, §11.2.1: the header is the first chunk. */
function png(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 29 || bytes.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  return { type: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), scans: 1 };
}

/**
 * GIF89a, §18 and §20. The first picture need not fit the screen, and is decoded all the same: the larger of both
 * counts.
 */
function gif(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 13) return undefined;
  const screen = { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  let at = 13 + paletteBytes(bytes[10]!);
  while (bytes[at] === 0x21) {
    at += 2;
    // An extension is blocks, each with its length before it; one of length 0 ends it.
    while (bytes[at]) at += bytes[at]! + 1;
    at++;
  }
  if (bytes[at] !== 0x2c || at + 10 > bytes.length) return undefined;
  const width = Math.max(screen.width, bytes.readUInt16LE(at + 1) + bytes.readUInt16LE(at + 5));
  const height = Math.max(screen.height, bytes.readUInt16LE(at + 3) + bytes.readUInt16LE(at + 7));
  return { type: 'image/gif', width, height, scans: 1 };
}

/** ITU T.81, annex B: segments, each with its length, up to the first frame's. */
function jpeg(bytes: Buffer): ImageHeader | undefined {
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    // Baseline, extended, progressive: what decoders know.
    if (marker >= 0xc0 && marker <= 0xc2) {
      const [height, width] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7)];
      return { type: 'image/jpeg', width, height, scans: scansOf(bytes) };
    }
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

/** Markers that start a scan; in compressed data 0xff is never followed by one. Segments may add a few by chance. */
function scansOf(bytes: Buffer): number {
  const start = Buffer.from([0xff, 0xda]);
  let count = 0;
  for (let at = bytes.indexOf(start); at !== -1; at = bytes.indexOf(start, at + 2)) count++;
  return count;
}
