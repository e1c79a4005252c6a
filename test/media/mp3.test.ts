import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readMp3 } from '../../lib/media/mp3.ts';
import { id3, mp3, OTHER_FRAME } from './builders.ts';

test('says how long the frames play', () => {
  assert.equal(readMp3(mp3(1250))?.seconds, 30);
  assert.equal(readMp3(Buffer.concat([OTHER_FRAME, OTHER_FRAME]))?.seconds, 0.072);
});

test('keeps the frames alone: no tags before or behind them', () => {
  const audio = mp3(10);
  const id3v1 = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125, 0x41)]);

  for (const [before, behind] of [
    [Buffer.alloc(0), Buffer.alloc(0)],
    [id3(0), Buffer.alloc(0)],
    [id3(300), id3v1],
    [Buffer.concat([id3(5), id3(200), Buffer.alloc(64)]), Buffer.alloc(32)],
    [Buffer.alloc(0), Buffer.from('APETAGEX and its fields')],
    [Buffer.alloc(0), mp3(1).subarray(0, 23)],
  ] as const) {
    const read = readMp3(Buffer.concat([before, audio, behind]));

    assert.deepEqual(read, { audio, seconds: 0.24 });
  }
});

for (const [what, file] of [
  ['nothing', Buffer.alloc(0)],
  ['one frame', mp3(1)],
  ['a frame that is cut off', mp3(2).subarray(0, 47)],
  ['text', Buffer.from('<!doctype html><script>alert(1)</script>')],
  ['a tag alone', id3(100)],
  ['a tag that says it is longer than the file', id3(100).subarray(0, 50)],
  ['something before the frames', Buffer.concat([Buffer.from('<html>'), mp3(10)])],
  ['something between the frames', Buffer.concat([mp3(10), Buffer.from('<html>'), mp3(10)])],
  ['something behind the frames', Buffer.concat([mp3(10), Buffer.from('<html>')])],
  ['frames of another rate among them', Buffer.concat([mp3(10), OTHER_FRAME, mp3(10)])],
  ['Layer II', Buffer.concat([Buffer.from([0xff, 0xf5, 0x14, 0xc4]), Buffer.alloc(2000)])],
  ['a free format', Buffer.concat([Buffer.from([0xff, 0xf3, 0x04, 0xc4]), Buffer.alloc(2000)])],
  ['a bad bitrate', Buffer.concat([Buffer.from([0xff, 0xf3, 0xf4, 0xc4]), Buffer.alloc(2000)])],
  ['a bad rate of samples', Buffer.concat([Buffer.from([0xff, 0xf3, 0x1c, 0xc4]), Buffer.alloc(2000)])],
  ['a reserved version', Buffer.concat([Buffer.from([0xff, 0xeb, 0x14, 0xc4]), Buffer.alloc(2000)])],
  ['a WAV file', Buffer.concat([Buffer.from('RIFF\x24\x08\0\0WAVEfmt '), Buffer.alloc(2000)])],
] as const) {
  test(`${what}: no MP3 file`, () => {
    assert.equal(readMp3(file), undefined);
  });
}

test('whatever the bytes, it ends, and what it keeps is part of the file', () => {
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.integer({ min: 0, max: 4 }).map((frames) => mp3(frames)),
    fc.constant(OTHER_FRAME),
    fc.integer({ min: 0, max: 200 }).map(id3),
  );

  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 6 }), (parts) => {
      const file = Buffer.concat(parts);

      const read = readMp3(file);

      assert.ok(read === undefined || (read.seconds > 0 && file.includes(Buffer.from(read.audio))));
    }),
  );
});
