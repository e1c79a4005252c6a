/**
 * The first picture of a GIF (GIF89a). Our own, because the decoder that jimp brings goes round in a circle for ever
 * when a code names itself, which a file of sixty bytes can say.
 */

/** Pixels of an image, RGBA. */
export interface Bitmap {
  data: Buffer<ArrayBuffer>;
  width: number;
  height: number;
}

/** Most codes of GIF's LZW: twelve bits. */
const CODES = 4096;

/** A picture within the file: where it is on the screen, its colours, and its pixels' codes in one piece. */
interface Picture {
  screen: { width: number; height: number };
  left: number;
  top: number;
  width: number;
  height: number;
  interlaced: boolean;
  palette: Buffer;
  /** Index of the colour that is not shown. */
  transparent: number | undefined;
  bits: number;
  codes: Buffer;
}

/**
 * Decodes the first picture, on a transparent screen.
 *
 * @throws Error for a file that is broken
 */
export function decodeGif(bytes: Buffer): Bitmap {
  const picture = firstPicture(bytes);
  const { screen, left, top, width, height, palette, transparent } = picture;
  const data = Buffer.alloc(screen.width * screen.height * 4);
  const indices = unpack(picture.codes, picture.bits, width * height);
  const rows = picture.interlaced ? interlacedRows(height) : Array.from({ length: height }, (_, y) => y);
  for (const [n, y] of rows.entries()) {
    for (let x = 0; x < width; x++) {
      const index = indices[n * width + x]!;
      if (index === transparent || left + x >= screen.width || top + y >= screen.height) continue;
      const at = ((top + y) * screen.width + left + x) * 4;
      palette.copy(data, at, index * 3, index * 3 + 3);
      data[at + 3] = 255;
    }
  }
  return { data, ...screen };
}

/** §18 to §23: the screen, extensions (of which one may name a transparent colour), the picture. */
function firstPicture(bytes: Buffer): Picture {
  const screen = { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  let palette = bytes.subarray(13, 13 + paletteBytes(bytes.readUInt8(10)));
  let at = 13 + palette.length;
  let transparent: number | undefined;
  for (; bytes.readUInt8(at) === 0x21; at = blocks(bytes, at + 2).end) {
    if (bytes[at + 1] === 0xf9 && bytes.readUInt8(at + 3) & 1) transparent = bytes.readUInt8(at + 6);
  }
  if (bytes.readUInt8(at) !== 0x2c) throw new Error('no picture');
  const flags = bytes.readUInt8(at + 9);
  const [left, top, width, height] = [1, 3, 5, 7].map((offset) => bytes.readUInt16LE(at + offset));
  at += 10;
  if (flags & 0x80) palette = bytes.subarray(at, at + paletteBytes(flags));
  if (flags & 0x80) at += paletteBytes(flags);
  const bits = bytes.readUInt8(at);
  if (bits < 2 || bits > 8) throw new Error('no GIF has codes of this size');
  return {
    screen,
    left: left!,
    top: top!,
    width: width!,
    height: height!,
    interlaced: (flags & 0x40) !== 0,
    palette,
    transparent,
    bits,
    codes: blocks(bytes, at + 1).data,
  };
}

/** Bytes of the table of colours that flags announce. */
export const paletteBytes = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

/** §15: blocks, each with its length before it; one of length 0 ends them. */
function blocks(bytes: Buffer, start: number): { data: Buffer; end: number } {
  const parts: Buffer[] = [];
  let at = start;
  for (let length = bytes.readUInt8(at); length > 0; length = bytes.readUInt8(at)) {
    parts.push(bytes.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { data: Buffer.concat(parts), end: at + 1 };
}

/** Appendix E: rows in the order of the four passes. */
function interlacedRows(height: number): number[] {
  const rows: number[] = [];
  for (const [first, step] of [
    [0, 8],
    [4, 8],
    [2, 4],
    [1, 2],
  ] as const) {
    for (let y = first; y < height; y += step) rows.push(y);
  }
  return rows;
}

/**
 * Appendix F: LZW with codes that grow. A code stands for an earlier one and one index more; it is refused unless it was
 * defined before or is the very next, so each chain of codes gets shorter with every step and ends.
 *
 * @throws Error for codes that are not defined, and for fewer pixels than there must be
 */
function unpack(codes: Buffer, bits: number, pixels: number): Uint8Array {
  const out = new Uint8Array(pixels);
  const clear = 1 << bits;
  const prefix = new Uint16Array(CODES);
  const last = new Uint8Array(CODES);
  const length = new Uint16Array(CODES).fill(1, 0, clear);
  for (let n = 0; n < clear; n++) last[n] = n;
  let [next, size, previous] = [clear + 2, bits + 1, -1];
  let [buffer, held, at, filled] = [0, 0, 0, 0];
  while (filled < pixels) {
    for (; held < size; held += 8) {
      if (at >= codes.length) throw new Error('fewer pixels than there must be');
      buffer |= codes[at++]! << held;
    }
    const code = buffer & ((1 << size) - 1);
    buffer >>= size;
    held -= size;
    if (code === clear) [next, size, previous] = [clear + 2, bits + 1, -1];
    else if (previous === -1) {
      if (code > clear) throw new Error('a code that is not defined');
      out[filled++] = code;
      previous = code;
    } else {
      if (code === clear + 1 || code > next || (code === next && next === CODES)) {
        throw new Error('a code that is not defined');
      }
      // The very next code is the previous one and its own first index.
      const first = firstOf(code === next ? previous : code);
      if (next < CODES) {
        [prefix[next], last[next], length[next]] = [previous, first, length[previous]! + 1];
        next++;
        if (next === 1 << size && size < 12) size++;
      }
      const end = filled + length[code]!;
      for (let n = end - 1, from = code; n >= filled; n--, from = prefix[from]!) {
        if (n < pixels) out[n] = last[from]!;
      }
      filled = end;
      previous = code;
    }
  }
  return out;

  function firstOf(code: number): number {
    let from = code;
    while (from > clear) from = prefix[from]!;
    return from;
  }
}
