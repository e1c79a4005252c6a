/** Writes the built-in sounds: `node scripts/sounds/generate.ts`. They are committed; run it after changing a recipe. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeMp3 } from './mp3.ts';
import { RECIPES } from './recipes.ts';
import { finished, loudness, peak, RATE } from './synth.ts';

const FOLDER = join(import.meta.dirname, '../../functions/media/assets/sounds');

const decibels = (x: number) => (x === 0 ? '−∞' : (20 * Math.log10(x)).toFixed(1));

mkdirSync(FOLDER, { recursive: true });
let total = 0;
for (const [key, recipe] of Object.entries(RECIPES)) {
  const samples = finished(recipe());
  const mp3 = await encodeMp3(samples);
  writeFileSync(join(FOLDER, `${key}.mp3`), mp3);
  total += mp3.length;
  const seconds = (samples.length / RATE).toFixed(2);
  console.log(
    `${key}: ${seconds} s, ${mp3.length} bytes, peak ${decibels(peak(samples))} dBFS, loudest ${decibels(loudness(samples))} dBFS`,
  );
}
console.log(`${total} bytes`);
