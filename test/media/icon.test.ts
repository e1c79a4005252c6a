import assert from 'node:assert/strict';
import { test } from 'node:test';
import gif from '@jimp/js-gif';
import jpeg from '@jimp/js-jpeg';
import pngFormat from '@jimp/js-png';
import fc from 'fast-check';
import { makeIcon } from '../../lib/media/icon.ts';
import { readImageHeader } from '../../lib/media/image-header.ts';
import { Refusal } from '../../lib/refusal.ts';
import { declaring, interlaced, png } from './builders.ts';

const bitmap = (width: number, height: number) => ({
  width,
  height,
  data: Buffer.alloc(width * height * 4, Buffer.from([255, 0, 0, 255])),
});
const jpegOf = async (width: number, height: number) => jpeg().encode(bitmap(width, height));
const gifOf = (width: number, height: number) => gif().encode(bitmap(width, height));

/** RGBA of a pixel of an icon. */
async function pixel(file: Uint8Array, x: number, y: number): Promise<number[]> {
  const { data, width, height } = pngFormat().decode((await makeIcon(file)).png);
  assert.deepEqual([width, height], [72, 72]);
  return [...data.subarray((y * 72 + x) * 4, (y * 72 + x) * 4 + 4)];
}

const refused = async (file: Uint8Array) =>
  makeIcon(file).then(
    () => assert.fail('it was not refused'),
    (error: unknown) => (error instanceof Refusal ? error.sentences[0] : assert.fail(error as Error)),
  );

const BROKEN = 'icon cannot be read: the image is broken';
const TOO_MANY = 'icon has too many pixels (maximum is 2048 × 2048)';

test('makes 72 × 72 of each format, with nothing cut off', async () => {
  for (const file of [png(100, 50), await jpegOf(100, 50), await gifOf(100, 50)]) {
    const [red, green, blue, opacity] = await pixel(file, 36, 36);

    assert.ok(red! > 250 && green! < 5 && blue! < 5 && opacity === 255);
    assert.equal((await pixel(file, 36, 5))[3], 0);
    assert.equal((await pixel(file, 1, 36))[3], 255);
  }
});

test('makes one of a picture of any proportions', async () => {
  for (const [width, height] of [
    [1, 1],
    [72, 72],
    [2048, 1],
    [1, 2048],
    [2048, 2048],
  ] as const) {
    const { data } = pngFormat().decode((await makeIcon(png(width, height))).png);
    const opaque = data.filter((value, n) => n % 4 === 3 && value > 200).length;

    assert.ok(width === height ? opaque === 72 * 72 : opaque > 50 && opaque <= 72, `${opaque}`);
  }
});

test('an icon’s name comes from its content', async () => {
  const [first, again, other] = await Promise.all([
    makeIcon(png(10, 10)),
    makeIcon(png(10, 10)),
    makeIcon(png(10, 10, [0, 0, 255, 255])),
  ]);

  assert.match(first.name, /^[0-9a-f]{32}$/);
  assert.equal(again.name, first.name);
  assert.notEqual(other.name, first.name);
});

test('refuses too many pixels from the header, before anything is decoded', async () => {
  const [wide, high] = [await jpegOf(2049, 1), await gifOf(1, 2049)];
  const declared = gifDeclaring(50_000);

  for (const file of [declaring(50_000, 50_000), png(2049, 1), png(1, 2049), wide, high, declared]) {
    assert.equal(await refused(file), TOO_MANY);
  }
});

test('refuses an interlaced PNG that unpacks to more than it declares', async () => {
  // Four bytes a pixel, and a byte before each row of each pass.
  const enough = 8 * 8 * 4 + 15;

  await assert.doesNotReject(makeIcon(interlaced(enough)));
  assert.equal(await refused(interlaced(200_000_000)), BROKEN);
});

test('refuses a JPEG that goes over its pixels very often', async () => {
  const file = await jpegOf(16, 16);
  const scans = (count: number) =>
    Buffer.concat([file.subarray(0, -2), ...Array(count - 1).fill(Buffer.from([0xff, 0xda, 0, 2]))]);

  assert.equal(readImageHeader(scans(32))?.scans, 32);
  assert.equal(await refused(scans(33)), BROKEN);
});

for (const [what, file, sentence] of [
  ['nothing', Buffer.alloc(0), 'icon must be a PNG, JPEG or GIF image'],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'icon must be a PNG, JPEG or GIF image'],
  ['a BMP', Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]), 'icon must be a PNG, JPEG or GIF image'],
  ['a PNG cut off in its header', png(9, 9).subarray(0, 20), 'icon must be a PNG, JPEG or GIF image'],
  ['a PNG cut off in its data', png(9, 9).subarray(0, 50), BROKEN],
  ['a PNG without pixels', declaring(0, 10), BROKEN],
] as const) {
  test(`refuses ${what}`, async () => {
    assert.equal(await refused(file), sentence);
  });
}

test('a GIF whose codes name themselves ends', async () => {
  const file = await gifOf(12, 7);
  const codes = Buffer.from('0208' + '84bca9cbed0f5501' + '003b', 'hex');

  assert.equal(await refused(Buffer.concat([file.subarray(0, file.indexOf(0x2c) + 10), codes])), BROKEN);
});

test('whatever the bytes, they are an icon or are refused', async () => {
  const files = [png(12, 7), interlaced(300), await jpegOf(12, 7), await gifOf(12, 7)];
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });

  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), damage, fc.nat(), async (file, changes, cut) => {
      const bytes = Buffer.from(file);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const end = cut % 3 === 0 ? cut % bytes.length : bytes.length;

      const icon = await makeIcon(bytes.subarray(0, end)).catch((error) =>
        assert.ok(error instanceof Refusal),
      );

      assert.ok(icon === undefined || icon.png.length > 0);
    }),
    { numRuns: 150 },
  );
});

/** A GIF whose screen is small and whose picture says that it is not. */
function gifDeclaring(size: number): Buffer {
  const screen = Buffer.from([...Buffer.from('GIF89a'), 1, 0, 1, 0, 0, 0, 0]);
  const extension = Buffer.from([0x21, 0xf9, 4, 0, 0, 0, 0, 0]);
  const picture = Buffer.from([
    0x2c,
    0,
    0,
    0,
    0,
    size & 255,
    size >> 8,
    size & 255,
    size >> 8,
    0,
    2,
    0,
    0x3b,
  ]);
  return Buffer.concat([screen, extension, picture]);
}
