/** What counts as an image: known by its bytes, whatever its sender or its name says. Server and device look alike. */

/** Types of image that a message may have, with the ending of a file's name. */
export const IMAGE_TYPES = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/heic': 'heic',
} as const;

/** A MIME type of `IMAGE_TYPES`. */
export type ImageType = keyof typeof IMAGE_TYPES;

/** Largest image, bytes: 5 MiB (Pushover's limit). */
export const MAX_IMAGE_BYTES = 5 * 1024 * 1024;

/** Brands of ISO base media files (ISO/IEC 23008-12 §10.2) that hold HEVC images. */
const HEIC_BRANDS: readonly string[] = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs'];
/** Brands of image files whose coding only the compatible brands tell: AVIF has them too. */
const IMAGE_FILE_BRANDS: readonly string[] = ['mif1', 'msf1'];
const WEBP_CHUNKS: readonly string[] = ['VP8 ', 'VP8L', 'VP8X'];

/**
 * Each format: its signature at the start of the file and the structure right behind it. Markup or script that begins
 * with a signature alone is none of them; nor is a header that was cut off.
 */
const FORMATS: Record<ImageType, (bytes: Uint8Array, view: DataView) => boolean> = {
  // PNG §5.2, §11.2.1: the signature, then the chunk IHDR of 13 bytes with a width and a height that are not 0.
  'image/png': (bytes, view) =>
    bytes.length >= 33 &&
    view.getUint32(0) === 0x89504e47 &&
    view.getUint32(4) === 0x0d0a1a0a &&
    view.getUint32(8) === 13 &&
    text(bytes, 12, 4) === 'IHDR' &&
    view.getUint32(16) > 0 &&
    view.getUint32(20) > 0,
  // ITU T.81 annex B: start of image, then the marker of a segment with its length, which holds itself.
  'image/jpeg': (bytes, view) =>
    bytes.length >= 6 &&
    view.getUint16(0) === 0xffd8 &&
    bytes[2] === 0xff &&
    bytes[3]! >= 0xc0 &&
    bytes[3]! <= 0xfe &&
    view.getUint16(4) >= 2 &&
    bytes.length >= 4 + view.getUint16(4),
  // GIF89a: the header, the screen descriptor, perhaps a colour table; then an extension or an image.
  'image/gif': (bytes) => {
    if (bytes.length < 14 || !['GIF87a', 'GIF89a'].includes(text(bytes, 0, 6))) return false;
    const flags = bytes[10]!;
    const colours = flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
    return [0x21, 0x2c].includes(bytes[13 + colours] ?? 0);
  },
  // RFC 9649 §2.4: a RIFF file as long as it says, of the form WEBP, whose first chunk is one of three.
  'image/webp': (bytes, view) =>
    bytes.length >= 20 &&
    text(bytes, 0, 4) === 'RIFF' &&
    view.getUint32(4, true) + 8 <= bytes.length &&
    text(bytes, 8, 4) === 'WEBP' &&
    WEBP_CHUNKS.includes(text(bytes, 12, 4)),
  // ISO/IEC 14496-12 §4.3: the box `ftyp` with a major brand, a version, and compatible brands.
  'image/heic': (bytes, view) => {
    if (bytes.length < 16 || text(bytes, 4, 4) !== 'ftyp') return false;
    const size = view.getUint32(0);
    if (size < 16 || size > bytes.length || size > 1024 || size % 4 !== 0) return false;
    const major = text(bytes, 8, 4);
    if (HEIC_BRANDS.includes(major)) return true;
    const compatible = Array.from({ length: (size - 16) / 4 }, (_, n) => text(bytes, 16 + 4 * n, 4));
    return IMAGE_FILE_BRANDS.includes(major) && compatible.some((brand) => HEIC_BRANDS.includes(brand));
  },
};

/**
 * The type of an image, from its first bytes; undefined if it is none.
 *
 * @example
 * imageType(new TextEncoder().encode('<svg>')); // undefined
 */
export function imageType(bytes: Uint8Array): ImageType | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [type, matches] of Object.entries(FORMATS)) if (matches(bytes, view)) return type as ImageType;
  return undefined;
}

function text(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}
