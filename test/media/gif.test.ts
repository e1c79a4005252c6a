import assert from 'node:assert/strict';
import { test } from 'node:test';
import gif from '@jimp/js-gif';
import fc from 'fast-check';
import { decodeGif } from '../../lib/media/gif.ts';

const { encode, decode } = gif();

test('decodes what another decoder does, whatever the picture', async () => {
  const side = fc.integer({ min: 1, max: 90 });
  // Few and many colours, long runs and none: codes of every size, and tables that overflow.
  const pictures = fc.tuple(side, side, fc.integer({ min: 1, max: 300 }), fc.integer());

  await fc.assert(
    fc.asyncProperty(pictures, async ([width, height, colours, seed]) => {
      const data = Buffer.alloc(width * height * 4, 255);
      let state = seed;
      for (let at = 0; at < data.length; at += 4) {
        state = Math.imul(state, 1_664_525) + 1_013_904_223;
        const colour = (state >>> 16) % colours;
        data.set([colour & 255, (colour * 7) & 255, (colour >> 8) * 99], at);
      }
      const file = await encode({ data, width, height });

      const mine = decodeGif(file);

      assert.deepEqual([mine.width, mine.height], [width, height]);
      assert.ok(mine.data.equals(decode(file).data));
    }),
    { numRuns: 60 },
  );
});

/** A GIF of 1 × `height` pixels, each of another of four colours; interlaced, with the last colour transparent. */
function interlacedGif(height: number): Buffer {
  const palette = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
  const screen = [...Buffer.from('GIF89a'), 2, 0, height, 0, 0x81, 0, 0, ...palette];
  const transparent = [0x21, 0xf9, 4, 1, 0, 0, 3, 0];
  const picture = [0x2c, 1, 0, 0, 0, 1, 0, height, 0, 0x40];
  // A clear code before each index: all codes have three bits.
  const codes = Array.from({ length: height }, (_, n) => [4, n % 4]).flat();
  const bits = codes
    .map((code) => code.toString(2).padStart(3, '0'))
    .reverse()
    .join('');
  const bytes = bits
    .padStart(Math.ceil(bits.length / 8) * 8, '0')
    .match(/.{8}/g)!
    .reverse();
  return Buffer.from([
    ...screen,
    ...transparent,
    ...picture,
    2,
    bytes.length,
    ...bytes.map((b) => Number.parseInt(b, 2)),
    0,
    0x3b,
  ]);
}

test('puts interlaced rows where they belong, and leaves transparent and uncovered pixels out', () => {
  const { data, width, height } = decodeGif(interlacedGif(9));

  // Rows in the file: 0, 8, 4, 2, 6, 1, 3, 5, 7.
  const colours = [0, 1, 3, 2, 2, 3, 0, 0, 1];
  assert.deepEqual([width, height], [2, 9]);
  for (const [y, colour] of colours.entries()) {
    const pixel = colour === 3 ? [0, 0, 0, 0] : [colour, colour, colour, 255];
    assert.deepEqual([...data.subarray(y * 8, y * 8 + 8)], [0, 0, 0, 0, ...pixel], `row ${y}`);
  }
});
