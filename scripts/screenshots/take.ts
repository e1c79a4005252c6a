/**
 * `npm run screenshots`: takes pictures of the browser client, in the local cloud with a demonstration account, on a
 * desktop and a phone, light and dark; and writes the page that shows them. Needs Chromium (CHROMIUM_PATH).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { currentAssembly } from '../../local/assembly.ts';
import { startPeal } from '../../local/peal.ts';
import type { CloudLog } from '../../local/types.ts';
import { findChromium, HOW_TO_GET_ONE } from '../../test/browser/chromium.ts';
import { type Demo, makeDemo } from './demo.ts';
import { documentOf, FOLDER, fileOf, SCHEMES, SCREENS } from './document.ts';
import { SHOTS, type Shot } from './pages.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
];

/** Of WebP: what shows no artefacts in text. */
const QUALITY = 82;

/** What is shown in the place of this machine's address. */
const ADDRESS = 'https://peal.example.com';

/** Hour of the day in the pictures, whenever they are taken: some of today's messages are hours old. */
const HOUR = 13;

const executablePath = findChromium();
if (executablePath === undefined) throw new Error(HOW_TO_GET_ONE);

const closers: (() => Promise<unknown>)[] = [];
try {
  const bytes = await takeAll(executablePath);
  writeFileSync(join(DOCS, 'screenshots.md'), documentOf(SHOTS));
  const count = SHOTS.length * SCREENS.length * SCHEMES.length;
  console.log(`${count} pictures, ${Math.round(bytes / 1024)} KiB`);
} finally {
  for (const close of closers.reverse()) await close();
}

/** @returns bytes of all pictures */
async function takeAll(path: string): Promise<number> {
  const log: CloudLog = (level, message, fields) => {
    if (level === 'error') console.error(message, fields);
  };
  const peal = await startPeal({ assembly: await currentAssembly(), log });
  closers.push(() => peal.close());
  const browser = await chromium.launch({ executablePath: path, chromiumSandbox: false, args: FLAGS });
  closers.push(() => browser.close());
  const demo = await makeDemo(peal, browser);
  rmSync(join(DOCS, FOLDER), { recursive: true, force: true });
  mkdirSync(join(DOCS, FOLDER));

  const context = await browser.newContext({
    timezoneId: timezone(),
    locale: 'en-GB',
    permissions: ['notifications'],
  });
  // A browser that never leaves this machine has no push service.
  await context.addInitScript(subscribeTo, peal.carriers.subscribe().target);
  const page = await context.newPage();
  await page.goto(peal.web);
  let bytes = 0;
  for (const shot of SHOTS.filter(({ place }) => place === undefined))
    bytes += await take(page, shot, peal.api);
  await logIn(page, demo);
  await demo.send();
  await page.locator('.message', { hasText: 'shop.example.com is down' }).waitFor();
  await demo.age();
  for (const shot of SHOTS.filter(({ place }) => place !== undefined))
    bytes += await take(page, shot, peal.api);
  return bytes;
}

async function logIn(page: Page, { email, password }: Demo): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('Name of this browser').fill('Laptop');
  await page.locator('button[type=submit]').click();
  await page.locator('.status.connected').waitFor();
  await goTo(page, '#/');
}

function goTo(page: Page, hash: string): Promise<void> {
  return page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

/** Takes one page on each screen, light and dark. @returns bytes */
async function take(page: Page, shot: Shot, api: string): Promise<number> {
  const { place, ready, prepare } = shot;
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  for (const screen of SCREENS) {
    const { width, height, scale } = screen;
    await page.setViewportSize({ width, height });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      if (place !== undefined) {
        // From the messages, so that every page begins at its top.
        for (const hash of ['#/', `#/${place}`]) await goTo(page, hash);
      }
      await page.locator(ready).first().waitFor();
      await prepare?.(page);
      await page.mouse.move(0, 0);
      await page.evaluate(settle);
      await page.evaluate(showElsewhere, { from: api, to: ADDRESS });
      const { data } = await session.send('Page.captureScreenshot', {
        format: 'webp',
        quality: QUALITY,
        clip: { x: 0, y: await page.evaluate(() => scrollY), width, height, scale },
      });
      const image = Buffer.from(data, 'base64');
      writeFileSync(join(DOCS, FOLDER, fileOf(shot, screen, colorScheme)), image);
      bytes += image.length;
    }
  }
  await session.detach();
  return bytes;
}

/** In the page: a subscription that cannot be had offline. */
function subscribeTo({ endpoint, p256dh, auth }: { endpoint: string; p256dh: string; auth: string }): void {
  if (!('PushManager' in window)) return;
  const subscription = { toJSON: () => ({ endpoint, keys: { p256dh, auth } }) };
  PushManager.prototype.subscribe = async () => subscription as unknown as PushSubscription;
}

/** In the page: waits until its images are there, and takes the focus away, whose ring belongs to keyboards. */
async function settle(): Promise<void> {
  (document.activeElement as HTMLElement | null)?.blur();
  await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** In the page: shows another address in the place of this machine's. */
function showElsewhere({ from, to }: { from: string; to: string }): void {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    if (node.nodeValue?.includes(from)) node.nodeValue = node.nodeValue.replaceAll(from, to);
  }
}

/** A zone in which it is early afternoon now. */
function timezone(): string {
  const ahead = HOUR - new Date().getUTCHours();
  const offset = ahead > 12 ? ahead - 24 : ahead < -12 ? ahead + 24 : ahead;
  // The names of these zones have the sign the other way round.
  return offset === 0 ? 'Etc/GMT' : `Etc/GMT${offset > 0 ? '-' : '+'}${Math.abs(offset)}`;
}
