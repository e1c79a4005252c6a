/**
 * Icons of apps. The server decodes no picture: a file of 93 bytes can make a decoder work for half a minute and take
 * gigabytes. The client makes the icon, as a small PNG; here its structure alone is checked, in one pass over at
 * most 64 KiB, and what is kept of it is its picture without anything beside it.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Refusal } from '../refusal.ts';

/** Narrowest icon, in pixels (Pushover's own are 72 × 72). */
export const MIN_ICON_PIXELS = 72;
/** Widest icon, in pixels. */
export const MAX_ICON_PIXELS = 256;
/** Largest icon, in bytes. */
export const MAX_ICON_BYTES = 64 * 1024;

/** An icon as it is stored. */
export interface Icon {
  /** Derived from its content: the same picture has the same name, and a name never shows another picture. */
  name: string;
  png: Buffer;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Length, type and checksum of a chunk, in bytes (W3C PNG, §5.3). */
const FRAME = 12;

/** Bit depths that each colour type may have (W3C PNG, table 12). */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const GREYSCALE = 0;
const TRUECOLOUR = 2;
const PALETTE = 3;

interface Chunk {
  type: string;
  data: Buffer;
  /** The chunk with its frame. */
  whole: Buffer;
}

/** What a PNG's header says of it. */
interface Header {
  depth: number;
  colour: number;
}

/**
 * Takes an icon: a square PNG of 72 to 256 pixels and at most 64 KiB. Its chunks must be those of the PNG standard, in its
 * order and number, with correct checksums. Ancillary chunks but transparency are left out: comments, profiles, times,
 * further frames of an animation, whatever stands behind the end. The compressed pixels are kept as they are and are
 * not unpacked; a viewer takes of them the rows that the header declares.
 *
 * @throws Refusal naming `icon`
 */
export function readIcon(file: Uint8Array): Icon {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length > MAX_ICON_BYTES) throw bad(`is larger than ${MAX_ICON_BYTES} bytes`);
  if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw bad('must be a PNG image');
  const png = Buffer.concat([SIGNATURE, ...keep(chunksOf(bytes)).map(({ whole }) => whole)]);
  const name = createHash('sha256').update(png).digest('hex').slice(0, 32);
  return { name, png };
}

/** The chunks up to the end, each complete and with its checksum. */
function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; ; ) {
    if (at + FRAME > bytes.length) throw broken('it ends in the middle');
    const end = at + FRAME + bytes.readUInt32BE(at);
    if (end > bytes.length) throw broken('it ends in the middle');
    const content = bytes.subarray(at + 4, end - 4);
    const type = content.toString('latin1', 0, 4);
    if (!/^[A-Za-z]{4}$/.test(type)) throw broken('a chunk has no name');
    if (crc32(content) !== bytes.readUInt32BE(end - 4)) throw broken(`the checksum of ${type} is wrong`);
    chunks.push({ type, data: content.subarray(4), whole: bytes.subarray(at, end) });
    if (type === 'IEND') return chunks;
    at = end;
  }
}

/** Those that make the picture (W3C PNG, §5.6): IHDR, PLTE, tRNS, IDAT without a gap, IEND. */
function keep(chunks: Chunk[]): Chunk[] {
  const [first, ...rest] = chunks;
  if (first?.type !== 'IHDR') throw broken('IHDR is not its first chunk');
  const header = readHeader(first.data);
  const kept = [first];
  const at = (type: string) => kept.findIndex((chunk) => chunk.type === type);
  /** The chunk before, kept or not: the data of the picture is in one run. */
  let before = first.type;
  for (const chunk of rest) {
    const { type, data } = chunk;
    switch (type) {
      case 'PLTE':
        if (at('PLTE') !== -1 || at('tRNS') !== -1 || at('IDAT') !== -1) throw misplaced(type);
        checkPalette(data, header);
        kept.push(chunk);
        break;
      case 'tRNS':
        if (at('tRNS') !== -1 || at('IDAT') !== -1) throw misplaced(type);
        checkTransparency(data, header, kept[at('PLTE')]?.data);
        kept.push(chunk);
        break;
      case 'IDAT':
        if (at('IDAT') !== -1 && before !== 'IDAT') throw misplaced(type);
        if (header.colour === PALETTE && at('PLTE') === -1) throw broken('PLTE is missing');
        kept.push(chunk);
        break;
      case 'IEND':
        if (data.length > 0) throw broken('IEND is not empty');
        if (at('IDAT') === -1) throw broken('IDAT is missing');
        kept.push(chunk);
        break;
      default:
        // A capital first letter: the picture cannot be shown without it (§5.4). There are no others.
        if (/^[A-Z]/.test(type)) throw type === 'IHDR' ? misplaced(type) : broken(`${type} is unknown`);
    }
    before = type;
  }
  return kept;
}

/** W3C PNG, §11.2.1. */
function readHeader(data: Buffer): Header {
  if (data.length !== 13) throw broken('IHDR has another length');
  const [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)];
  if (width !== height || width < MIN_ICON_PIXELS || width > MAX_ICON_PIXELS) {
    throw bad(`must be square, of ${MIN_ICON_PIXELS} to ${MAX_ICON_PIXELS} pixels`);
  }
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = data.subarray(8);
  if (!DEPTHS[colour]?.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1) {
    throw broken('IHDR declares what there is not');
  }
  return { depth, colour };
}

/** W3C PNG, §11.2.2. */
function checkPalette(data: Buffer, { depth, colour }: Header): void {
  const most = colour === PALETTE ? 2 ** depth : 256;
  const entries = data.length / 3;
  const allowed = colour === PALETTE || (colour & TRUECOLOUR) !== 0;
  if (!allowed || !Number.isInteger(entries) || entries < 1 || entries > most)
    throw broken('PLTE does not fit');
}

/** W3C PNG, §11.3.1.1. */
function checkTransparency(data: Buffer, { colour }: Header, palette: Buffer | undefined): void {
  const fits =
    (colour === GREYSCALE && data.length === 2) ||
    (colour === TRUECOLOUR && data.length === 6) ||
    (colour === PALETTE && data.length > 0 && data.length <= (palette?.length ?? 0) / 3);
  if (!fits) throw broken('tRNS does not fit');
}

const bad = (reason: string) => new Refusal({ field: 'icon', reason });
const broken = (how: string) => bad(`cannot be read: ${how}`);
const misplaced = (type: string) => broken(`${type} is in a wrong place`);
