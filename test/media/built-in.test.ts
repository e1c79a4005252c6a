import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readIcon } from '../../lib/media/icon.ts';
import { readMp3 } from '../../lib/media/mp3.ts';
import { builtInSound, SOUNDS } from '../../lib/messages/sounds.ts';
import { drawBell, SIZE } from '../../scripts/icons/bell.ts';
import { encodePng } from '../../scripts/icons/png.ts';
import { encodeMp3 } from '../../scripts/sounds/mp3.ts';
import { RECIPES } from '../../scripts/sounds/recipes.ts';
import { finished, loudness, peak, RATE, type Samples } from '../../scripts/sounds/synth.ts';

const ASSETS = join(import.meta.dirname, '../../functions/media/assets');
const SILENT = ['vibrate', 'none'];

const asset = (name: string) => readFileSync(join(ASSETS, name));
const decibels = (level: number) => 20 * Math.log10(level);

/** Every sound as its recipe makes it now. */
const sounds = Object.entries(RECIPES).map(([key, recipe]): [string, Samples] => [key, finished(recipe())]);

test('there is a file for every built-in sound, and no other', () => {
  const files = readdirSync(join(ASSETS, 'sounds')).sort();

  assert.deepEqual(
    files,
    Object.keys(SOUNDS)
      .map((key) => `${key}.mp3`)
      .sort(),
  );
});

test('each file is what its recipe makes, to the byte', async () => {
  for (const [key, samples] of sounds) {
    assert.ok((await encodeMp3(samples)).equals(asset(`sounds/${key}.mp3`)), key);
  }
});

test('each is an MP3 file throughout, and as long as its name says', () => {
  for (const [key, samples] of sounds) {
    const file = asset(`sounds/${key}.mp3`);
    const read = readMp3(file);
    const [least, most] = SOUNDS[key]!.includes('(long)') ? [4, 8] : [0.4, 2.1];

    assert.equal(read?.audio.length, file.length, key);
    // The encoder adds up to three frames of 24 ms.
    assert.ok(read.seconds >= samples.length / RATE && read.seconds < samples.length / RATE + 0.1, key);
    assert.ok(read.seconds > least && read.seconds < most, key);
  }
});

test('no sound clips, none is much louder or softer than another, and the silent ones are', () => {
  for (const [key, samples] of sounds) {
    if (SILENT.includes(key)) assert.equal(peak(samples), 0);
    else {
      assert.ok(decibels(peak(samples)) <= -1.9, key);
      assert.ok(decibels(loudness(samples)) <= -14.9 && decibels(loudness(samples)) > -22, key);
    }
  }
});

test('all of them together are small', () => {
  const sizes = Object.keys(SOUNDS).map((key) => asset(`sounds/${key}.mp3`).length);

  assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 400_000);
});

test('each has a short name of two letters, of which Pushover’s default is po', () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const short = letters.flatMap((first) => letters.map((second) => first + second)).filter(builtInSound);

  assert.equal(builtInSound('po'), 'pushover');
  assert.deepEqual(short.map(builtInSound).sort(), Object.keys(SOUNDS).sort());
  assert.equal(builtInSound('constructor'), undefined);
});

test('the default icon is what is drawn', () => {
  const file = asset('icons/default.png');

  assert.ok(readIcon(file).png.equals(file));
  assert.ok(encodePng(SIZE, SIZE, drawBell()).equals(file));
});
