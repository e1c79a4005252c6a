/** A picture from a stranger costs what its bytes cost: nothing decodes it, and nothing beside the picture is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { readIcon } from '../../lib/media/icon.ts';
import { Refusal } from '../../lib/refusal.ts';
import { chunk, SIGNATURE } from '../../scripts/icons/png.ts';
import { END, header, png, pngOf } from './builders.ts';

const refused = (file: Uint8Array): string => {
  try {
    readIcon(file);
  } catch (error) {
    if (error instanceof Refusal) return error.sentences[0]!;
    throw error;
  }
  return assert.fail('it was not refused');
};

const typesOf = (file: Buffer): string[] => {
  const types = [];
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at))
    types.push(file.toString('latin1', at + 4, at + 8));
  return types;
};

const size = (width: number, height = width) => chunk('IHDR', header(width, height));
const of = (depth: number, colour: number, interlace = 0) =>
  chunk('IHDR', header(72, 72, { depth, colour, interlace }));
const data = chunk('IDAT', deflateSync(Buffer.alloc(72 * 289)));
const palette = (entries: number) => chunk('PLTE', Buffer.alloc(entries * 3));
const transparency = (bytes: number) => chunk('tRNS', Buffer.alloc(bytes));

const SQUARE = 'icon must be square, of 72 to 256 pixels';
const CUT = 'icon cannot be read: it ends in the middle';

test('keeps a PNG of 72 to 256 pixels as it is', () => {
  for (const side of [72, 100, 256]) {
    const file = png(side, side);

    assert.deepEqual(readIcon(file).png, file);
  }
});

test('an icon’s name comes from its picture', () => {
  const [first, same, other] = [png(72, 72), png(72, 72), png(72, 72, [0, 0, 255, 255])].map(readIcon);

  assert.match(first!.name, /^[0-9a-f]{32}$/);
  assert.equal(same!.name, first!.name);
  assert.notEqual(other!.name, first!.name);
});

test('keeps the picture alone: no comments, times, profiles or frames, nothing behind the end', () => {
  const file = png(72, 72);
  const extras = ['tEXt', 'iTXt', 'eXIf', 'iCCP', 'gAMA', 'acTL', 'fcTL', 'tIME', 'sBIT'];
  const added = Buffer.concat([
    file.subarray(0, 33),
    ...extras.map((type) => chunk(type, Buffer.from('a secret'))),
    file.subarray(33, -12),
    chunk('fdAT', Buffer.from('a secret')),
    END,
    Buffer.from('a secret'),
  ]);

  const icon = readIcon(added);

  assert.deepEqual(icon, readIcon(file));
});

test('takes every kind of picture that PNG has, with its palette and transparency', () => {
  for (const [chunks, kept] of [
    [[of(1, 0), data], []],
    [[of(16, 0, 1), transparency(2), data], ['tRNS']],
    [
      [of(8, 2), palette(256), transparency(6), data],
      ['PLTE', 'tRNS'],
    ],
    [
      [of(4, 3), palette(16), transparency(3), data, data],
      ['PLTE', 'tRNS'],
    ],
    [[of(8, 4), data], []],
    [[of(16, 6), palette(1), data], ['PLTE']],
  ] as const) {
    const types = typesOf(readIcon(pngOf(...chunks)).png);

    assert.deepEqual(
      types.filter((type) => type !== 'IDAT'),
      ['IHDR', ...kept, 'IEND'],
    );
  }
});

for (const [what, file, sentence] of [
  ['nothing', Buffer.alloc(0), 'icon must be a PNG image'],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'icon must be a PNG image'],
  ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), 'icon must be a PNG image'],
  ['a signature alone', SIGNATURE, CUT],
  ['a PNG cut off in its header', png(72, 72).subarray(0, 20), CUT],
  ['a PNG cut off in its data', png(72, 72).subarray(0, 50), CUT],
  ['a PNG without its end', png(72, 72).subarray(0, -12), CUT],
  ['a chunk that says it is longer than the file', Buffer.concat([SIGNATURE, Buffer.alloc(12, 0xff)]), CUT],
  ['71 pixels', pngOf(size(71), data), SQUARE],
  ['257 pixels', pngOf(size(257), data), SQUARE],
  ['what is not square', pngOf(size(72, 73), data), SQUARE],
  ['no pixels', pngOf(size(0), data), SQUARE],
  ['very many pixels', pngOf(size(50_000), data), SQUARE],
  ['more than 64 KiB', png(256, 256, undefined, 0), 'icon is larger than 65536 bytes'],
  [
    'a short header',
    pngOf(chunk('IHDR', Buffer.alloc(12)), data),
    'icon cannot be read: IHDR has another length',
  ],
  [
    'a depth that the colour has not',
    pngOf(of(4, 2), data),
    'icon cannot be read: IHDR declares what there is not',
  ],
  ['another colour', pngOf(of(8, 5), data), 'icon cannot be read: IHDR declares what there is not'],
  ['another interlacing', pngOf(of(8, 6, 2), data), 'icon cannot be read: IHDR declares what there is not'],
  ['data before the header', pngOf(data, size(72)), 'icon cannot be read: IHDR is not its first chunk'],
  // The decoder of one library took the last header where a check had read the first.
  ['two headers', pngOf(size(72), size(50_000), data), 'icon cannot be read: IHDR is in a wrong place'],
  ['two equal headers', pngOf(size(72), size(72), data), 'icon cannot be read: IHDR is in a wrong place'],
  ['no data', pngOf(size(72)), 'icon cannot be read: IDAT is missing'],
  [
    'data in two runs',
    pngOf(size(72), data, chunk('tIME', Buffer.alloc(7)), data),
    'icon cannot be read: IDAT is in a wrong place',
  ],
  ['a palette picture without palette', pngOf(of(8, 3), data), 'icon cannot be read: PLTE is missing'],
  [
    'a palette behind the data',
    pngOf(of(8, 2), data, palette(2)),
    'icon cannot be read: PLTE is in a wrong place',
  ],
  [
    'two palettes',
    pngOf(of(8, 3), palette(2), palette(2), data),
    'icon cannot be read: PLTE is in a wrong place',
  ],
  [
    'a palette behind its transparency',
    pngOf(of(8, 2), transparency(6), palette(2), data),
    'icon cannot be read: PLTE is in a wrong place',
  ],
  ['a palette of grey', pngOf(of(8, 0), palette(2), data), 'icon cannot be read: PLTE does not fit'],
  [
    'a palette larger than its depth',
    pngOf(of(1, 3), palette(3), data),
    'icon cannot be read: PLTE does not fit',
  ],
  ['an empty palette', pngOf(of(8, 3), palette(0), data), 'icon cannot be read: PLTE does not fit'],
  [
    'a palette of parts',
    pngOf(of(8, 3), chunk('PLTE', Buffer.alloc(4)), data),
    'icon cannot be read: PLTE does not fit',
  ],
  [
    'transparency behind the data',
    pngOf(of(8, 2), data, transparency(6)),
    'icon cannot be read: tRNS is in a wrong place',
  ],
  [
    'two transparencies',
    pngOf(of(8, 2), transparency(6), transparency(6), data),
    'icon cannot be read: tRNS is in a wrong place',
  ],
  [
    'transparency beside alpha',
    pngOf(of(8, 6), transparency(6), data),
    'icon cannot be read: tRNS does not fit',
  ],
  [
    'more transparency than palette',
    pngOf(of(8, 3), palette(2), transparency(3), data),
    'icon cannot be read: tRNS does not fit',
  ],
  [
    'a critical chunk that nobody knows',
    pngOf(size(72), chunk('ABCD', Buffer.alloc(1)), data),
    'icon cannot be read: ABCD is unknown',
  ],
  [
    'a chunk without a name',
    pngOf(size(72), chunk('1234', Buffer.alloc(1)), data),
    'icon cannot be read: a chunk has no name',
  ],
  [
    'an end with something in it',
    Buffer.concat([SIGNATURE, size(72), data, chunk('IEND', Buffer.alloc(1))]),
    'icon cannot be read: IEND is not empty',
  ],
] as const) {
  test(`refuses ${what}`, () => {
    assert.equal(refused(file), sentence);
  });
}

test('any changed byte of the picture is found by a checksum', () => {
  const file = png(72, 72);

  fc.assert(
    fc.property(fc.integer({ min: 8, max: file.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Buffer.from(file);
      changed[at]! ^= by;

      refused(changed);
    }),
  );
});

test('a file that unpacks to very much is not unpacked', () => {
  const file = pngOf(of(8, 6, 1), chunk('IDAT', deflateSync(Buffer.alloc(60_000_000))));

  const { png: kept } = readIcon(file);

  assert.ok(kept.length < 64 * 1024);
  assert.ok(inflateSync(kept.subarray(41, -16)).length === 60_000_000);
});

test('whatever the chunks and bytes, they are an icon or are refused', () => {
  const types = fc.constantFrom('IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND', 'tEXt', 'ABCD');
  const any = fc
    .tuple(types, fc.uint8Array({ maxLength: 20 }))
    .map(([type, bytes]) => chunk(type, Buffer.from(bytes)));

  fc.assert(
    fc.property(fc.array(fc.oneof(any, fc.constantFrom(size(72), data, END)), { maxLength: 8 }), (chunks) => {
      const file = Buffer.concat([SIGNATURE, ...chunks]);
      try {
        const { png: kept } = readIcon(file);

        assert.deepEqual(readIcon(kept).png, kept);
      } catch (error) {
        assert.ok(error instanceof Refusal, String(error));
      }
    }),
  );
});
