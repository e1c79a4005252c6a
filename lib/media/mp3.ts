/** MP3 files, as far as one must know them to say that a file is one and how long it plays (ISO/IEC 11172-3, 13818-3). */

/** What plays of an MP3 file. */
export interface Mp3 {
  /** Its frames, without the tags before and behind them. */
  audio: Uint8Array;
  seconds: number;
}

/** Kilobits a second by the header's index, Layer III: MPEG-1, and MPEG-2 with 2.5. 0 has no fixed rate, 15 is bad. */
const BITRATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const BITRATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** Samples a second of MPEG-1; MPEG-2 has half of them, MPEG-2.5 a quarter. */
const RATES = [44_100, 48_000, 32_000];

/** Divisor of the rate by the header's version bits: 2.5, reserved, 2, 1. */
const DIVISORS = [4, undefined, 2, 1];

/** Whole frames that a file must have: what looks like one may be an accident, two in a row are none. */
const LEAST_FRAMES = 2;

/** What may stand behind the frames: ID3v1, APE and Lyrics3 tags. */
const TRAILERS = ['TAG', 'APETAGEX', 'LYRICSBEGIN'];

interface Frame {
  bytes: number;
  samples: number;
  rate: number;
}

/**
 * Reads an MP3 file from its first frame to its last. Every byte must belong to a frame or a tag, so that nothing else
 * passes under the name; the last frame may be cut off, as it often is, and is left out then.
 *
 * @returns undefined if it is none
 */
export function readMp3(file: Uint8Array): Mp3 | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const start = endOfLeadingTags(bytes);
  const first = frameAt(bytes, start);
  let [at, frames, samples] = [start, 0, 0];
  for (;;) {
    const frame = frameAt(bytes, at);
    if (!first || !frame || frame.rate !== first.rate) break;
    if (at + frame.bytes > bytes.length) return finish();
    at += frame.bytes;
    samples += frame.samples;
    frames++;
  }
  return isTrailer(bytes.subarray(at)) ? finish() : undefined;

  function finish(): Mp3 | undefined {
    if (!first || frames < LEAST_FRAMES) return undefined;
    return { audio: bytes.subarray(start, at), seconds: samples / first.rate };
  }
}

/** The frame whose header is at an offset, if there is one of Layer III with a bitrate. */
function frameAt(bytes: Buffer, at: number): Frame | undefined {
  if (at + 4 > bytes.length) return undefined;
  const header = bytes.readUInt32BE(at);
  // Eleven bits of synchronisation, and Layer III.
  if (header >>> 21 !== 0x7ff || ((header >>> 17) & 3) !== 1) return undefined;
  const divisor = DIVISORS[(header >>> 19) & 3];
  const base = RATES[(header >>> 10) & 3];
  if (divisor === undefined || base === undefined) return undefined;
  const kilobits = (divisor === 1 ? BITRATES_1 : BITRATES_2)[(header >>> 12) & 15];
  if (!kilobits) return undefined;
  const samples = divisor === 1 ? 1152 : 576;
  const rate = base / divisor;
  const padding = (header >>> 9) & 1;
  return { bytes: Math.floor((samples * 125 * kilobits) / rate) + padding, samples, rate };
}

/** Where ID3v2 tags, and the zeros that some writers put behind them, end. */
function endOfLeadingTags(bytes: Buffer): number {
  let at = 0;
  while (bytes.toString('latin1', at, at + 3) === 'ID3' && at + 10 <= bytes.length) {
    // Four bytes of seven bits; a footer, if there is one, has ten bytes more.
    const size = bytes.subarray(at + 6, at + 10).reduce((sum, byte) => sum * 128 + (byte & 127), 0);
    at += 10 + size + (bytes[at + 5]! & 0x10 ? 10 : 0);
  }
  if (at > 0) while (bytes[at] === 0) at++;
  return at;
}

function isTrailer(rest: Buffer): boolean {
  return (
    TRAILERS.some((tag) => rest.toString('latin1', 0, tag.length) === tag) || rest.every((byte) => byte === 0)
  );
}
