import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { usePeal } from '../support/peal.ts';
import { type Browser, findChromium, HOW_TO_GET_ONE, startBrowser } from './chromium.ts';

const executable = findChromium();

if (executable === undefined) {
  test('a browser shows the documentation', (t) => {
    assert.notEqual(process.env.CI, 'true', HOW_TO_GET_ONE);
    t.diagnostic(HOW_TO_GET_ONE);
  });
} else {
  describe('the documentation in a browser', () => inChromium(executable));
}

function inChromium(path: string): void {
  let browser: Browser;
  after(() => browser?.close());
  const peal = usePeal();
  before(async () => {
    browser = await startBrowser(path);
  });

  /** The page in a window of some width, and what the browser complained of. */
  async function open(
    width: number,
    colorScheme: 'dark' | 'light',
  ): Promise<{ page: Page; complaints: string[] }> {
    const { page: other } = await browser.open();
    const page = await other.context().newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme });
    await page.goto(`${peal().api}/docs`);
    return { page, complaints };
  }

  for (const [width, scheme] of [
    [390, 'dark'],
    [1280, 'light'],
  ] as const) {
    test(`it is styled under its own policy, ${scheme}, and fits a window of ${width} pixels`, async () => {
      const { page, complaints } = await open(width, scheme);

      const [overflow, ground] = await page.evaluate(() => [
        document.documentElement.scrollWidth - document.documentElement.clientWidth,
        getComputedStyle(document.body).backgroundColor,
      ]);

      // Browsers ask for an icon by themselves; the policy forbids it.
      assert.deepEqual(
        complaints.filter((text) => !text.includes('favicon')),
        [],
      );
      assert.equal(overflow, 0);
      assert.equal(ground, scheme === 'dark' ? 'rgb(19, 20, 22)' : 'rgb(251, 251, 250)');
    });
  }

  test('every link leads somewhere on it, or to the document', async () => {
    const { page } = await open(1280, 'light');

    const lost = await page.evaluate(() =>
      [...document.querySelectorAll('a')]
        .map((link) => link.getAttribute('href') ?? '')
        .filter((href) => href !== '/1/openapi.json' && !document.querySelector(href)),
    );
    await page.click('a[href="/1/openapi.json"]');

    assert.deepEqual(lost, []);
    assert.equal(new URL(page.url()).pathname, '/1/openapi.json');
  });
}
