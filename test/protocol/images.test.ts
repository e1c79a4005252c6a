import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IMAGE_TYPES, type ImageType, imageType } from '../../lib/protocol/images.ts';
import { HEADERS, imageOf } from '../support/images.ts';

const types = Object.keys(IMAGE_TYPES) as ImageType[];
const ascii = (text: string) => Buffer.from(text, 'latin1');

/** A file type box: its size, the major brand, a version, compatible brands. */
function ftyp(major: string, ...compatible: string[]): Buffer {
  const content = ascii(`ftyp${major}\0\0\0\0${compatible.join('')}`);
  return Buffer.concat([Buffer.from([0, 0, 0, content.length + 4]), content, Buffer.alloc(16)]);
}

test('an image is known by its header, whatever follows', () => {
  for (const type of types) {
    assert.equal(imageType(HEADERS[type]), type);
    assert.equal(imageType(imageOf(type, 5000)), type);
  }
});

test('it is found in the middle of a larger buffer', () => {
  for (const type of types) {
    const around = Buffer.concat([Buffer.alloc(7), HEADERS[type], Buffer.alloc(9)]);

    assert.equal(imageType(around.subarray(7)), type);
    assert.equal(imageType(around), undefined);
  }
});

test('a header that was cut off at any place is none', () => {
  for (const type of types) {
    for (let length = 0; length < HEADERS[type].length; length++) {
      assert.equal(imageType(HEADERS[type].subarray(0, length)), undefined, `${type}, ${length} bytes`);
    }
  }
});

test('HEIC is told from its relatives by its brands', () => {
  assert.equal(imageType(ftyp('heix')), 'image/heic');
  assert.equal(imageType(ftyp('mif1', 'miaf', 'heic')), 'image/heic');
  assert.equal(imageType(ftyp('mif1', 'miaf', 'avif')), undefined);
  assert.equal(imageType(ftyp('avif', 'mif1')), undefined);
  assert.equal(imageType(ftyp('isom', 'mp42', 'heic')), undefined);
});

test('GIF89a with a colour table of its own is an image; with script behind the signature it is none', () => {
  const table = Buffer.concat([
    ascii('GIF87a'),
    Buffer.from([1, 0, 1, 0, 0x80, 0, 0]),
    Buffer.alloc(6),
    ascii('!'),
  ]);

  assert.equal(imageType(table), 'image/gif');
  assert.equal(imageType(ascii('GIF89a/*<script>*/=1;alert(1)')), undefined);
});

test('text is never an image', () => {
  const markup = fc.constantFrom(
    '<svg ',
    '<?xml ',
    '<!DOCTYPE html>',
    '<html>',
    '\ufeff<svg',
    '  <svg',
    '%PDF',
    'BM',
  );

  fc.assert(
    fc.property(markup, fc.string(), fc.constantFrom(...types), (start, text, type) => {
      const bytes = Buffer.concat([Buffer.from(start), Buffer.from(text), HEADERS[type]]);

      assert.equal(imageType(bytes), undefined);
    }),
  );
});

test('any bytes have an answer, and what is an image begins with a signature', () => {
  const first = [0x89, 0xff, 0x47, 0x52, 0x00];

  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...types),
      fc.nat(40),
      (noise, type, keep) => {
        const bytes = Buffer.concat([HEADERS[type].subarray(0, keep), noise]);

        const found = imageType(bytes);

        if (found !== undefined) assert.ok(first.includes(bytes[0]!));
      },
    ),
  );
});
