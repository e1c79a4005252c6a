/** A Chromium that a test drives. */
import { EventEmitter, on } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { listen, stop } from '../../local/network/listen.ts';
import type { Report } from './page.ts';

export const HOW_TO_GET_ONE =
  'no Chromium was found: install one (Debian: apt-get install chromium), or say where it is in CHROMIUM_PATH';

/** Milliseconds. */
const PATIENCE = 20_000;

/**
 * Features that are off: those that Playwright turns off, whose list this one replaces, and the two pages that Chromium
 * loads for the address bar of every new window, which cost a third of what a test's own page does.
 */
const FEATURES_OFF = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
];

/** Nothing of the browser's own goes over the network, and nothing of it stays. */
export const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${FEATURES_OFF.join(',')}`,
];

/** Path of the machine's Chromium, if it has one. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH } = process.env;
  const candidates = CHROMIUM_PATH
    ? [CHROMIUM_PATH]
    : ['chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`);
  return candidates.find(existsSync);
}

/** A page with the script in it. */
export interface Tab {
  page: Page;
  /** The first report, of those so far or still to come within 20 seconds, that fits and was not taken before. */
  next(fits: (report: Report) => boolean): Promise<Report>;
}

export interface Browser {
  /** Where the page is served from: not the API's origin. */
  origin: string;
  open(): Promise<Tab>;
  close(): Promise<void>;
}

/** Bundles the page's script, serves it, and starts a browser without a past. */
export async function startBrowser(executablePath: string): Promise<Browser> {
  const script = await bundleScript(join(import.meta.dirname, 'page.ts'));
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? script : '<!doctype html><title>Peal</title><script src="/page.js"></script>');
  });
  const port = await listen(server, 0);
  const profile = mkdtempSync(join(tmpdir(), 'peal-chromium-'));
  let context: BrowserContext | undefined;
  const tabs: Tab[] = [];
  const close = async () => {
    for (const { page } of tabs) await page.evaluate(() => window.leave());
    await context?.close();
    await stop(server);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const launched = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      chromiumSandbox: false,
      args: FLAGS,
    });
    context = launched;
    const origin = `http://127.0.0.1:${port}`;
    return {
      origin,
      close,
      async open() {
        const tab = await openTab(launched, origin);
        tabs.push(tab);
        return tab;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A script for a page, of one file and all that it imports. */
export async function bundleScript(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

async function openTab(context: BrowserContext, origin: string): Promise<Tab> {
  const page = await context.newPage();
  const events = new EventEmitter<{ report: [] }>();
  const reports: Report[] = [];
  const say = (report: Report) => {
    reports.push(report);
    events.emit('report');
  };
  page.on('pageerror', (error) => say({ kind: 'error', error: String(error) }));
  await page.exposeFunction('report', say);
  await page.goto(origin);
  const take = (fits: (report: Report) => boolean) => {
    const at = reports.findIndex(fits);
    return at < 0 ? undefined : reports.splice(at, 1)[0];
  };
  return {
    page,
    async next(fits) {
      const known = take(fits);
      if (known) return known;
      try {
        for await (const _ of on(events, 'report', { signal: AbortSignal.timeout(PATIENCE) })) {
          const report = take(fits);
          if (report) return report;
        }
      } catch (cause) {
        throw new Error(`the page only said ${JSON.stringify(reports)}`, { cause });
      }
      throw new Error('the page has ended');
    },
  };
}
