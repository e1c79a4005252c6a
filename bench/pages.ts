/**
 * Measures what messages use in the local cloud, and writes `docs/cost.md`, `docs/scale.md` and a figure of the README
 * of it.
 *
 *     node bench/pages.ts            # measures (a minute or two), keeps the readings, writes the pages
 *     node bench/pages.ts --render   # writes the pages of the readings that are kept
 *
 * The words are in `bench/pages/*.md`. The same sources give the same readings: nothing in them is a time.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { costPage, readmeOf } from './lib/cost-page.ts';
import { keptReadings, READINGS, type Readings, takeReadings } from './lib/readings.ts';
import { openPeal } from './lib/receiver.ts';
import { scalePage } from './lib/scale-page.ts';

const ROOT = join(import.meta.dirname, '..');

const { values } = parseArgs({ options: { render: { type: 'boolean', default: false } } });
const readings = values.render ? keptReadings() : await measured();
writeFileSync(join(ROOT, 'docs', 'cost.md'), costPage(readings));
writeFileSync(join(ROOT, 'docs', 'scale.md'), scalePage(readings));
const readme = join(ROOT, 'README.md');
writeFileSync(readme, readmeOf(readFileSync(readme, 'utf8'), readings));
console.log('docs/cost.md and docs/scale.md are written');

async function measured(): Promise<Readings> {
  const peal = await openPeal();
  try {
    const taken = await takeReadings(peal, (name) => console.log(`measuring: ${name}`));
    if (process.exitCode) throw new Error('something went wrong while measuring: nothing is written');
    writeFileSync(READINGS, `${JSON.stringify(taken, null, 2)}\n`);
    return taken;
  } finally {
    await peal.close();
  }
}
