/**
 * Draws the PNG icons of `public/icons/` from `peal.svg`, in Chromium: `node web/icons.ts`. They are kept in the
 * repository, since they change only with the drawing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FOLDER = join(import.meta.dirname, 'public', 'icons');
const drawing = readFileSync(join(FOLDER, 'peal.svg'), 'utf8');

/** For a mask that the system cuts out: the ground goes to the edges, the bell stays within the middle 80 %. */
const maskable = drawing.replace('rx="11"', 'rx="0"').replace('scale(.74)', 'scale(.6)');
/** For a status bar, which takes the shape alone. */
const badge = drawing.replace(/<rect[^>]*>/, '').replace('scale(.74)', 'scale(1)');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  chromiumSandbox: false,
});
for (const [name, svg, size] of [
  ['peal-180', maskable, 180],
  ['peal-192', drawing, 192],
  ['peal-512', drawing, 512],
  ['peal-maskable-512', maskable, 512],
  ['badge-96', badge, 96],
] as const) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:${size}px}</style>${svg}`);
  writeFileSync(join(FOLDER, `${name}.png`), await page.screenshot({ omitBackground: true }));
  await page.close();
}
await browser.close();
