import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { e2eeKey, sealE2ee } from '../../lib/device/index.ts';
import { runClient } from '../clients/client-process.ts';
import { png } from '../media/builders.ts';
import { emergencies } from './emergencies.ts';
import { images } from './images.ts';
import { storedSecrets } from './in-page.ts';
import { leaving } from './leaving.ts';
import { reading } from './reading.ts';
import { receiving } from './receiving.ts';
import { sounds } from './sounds.ts';
import { store } from './store.ts';
import { describeWeb, type Web } from './use-web.ts';
import { connected, newPerson, rowOf, type Shown, seriousIssues, toList, withImage } from './visit.ts';

/** Compressed JavaScript that the first page may load. Bytes. */
const BUDGET = 120_000;

describeWeb('the web app', (web) => {
  theWebApp(web);
  receiving(web);
  emergencies(web);
  reading(web);
  leaving(web);
  images(web);
  sounds(web);
  store(web);
});

const titled = (title: string) => (shown: Shown) => shown.title === title;

function theWebApp({ peal, sender, visit }: Web): void {
  test('the first minute: sign up, a device, a test message, the line to send with, a message from elsewhere', async (t) => {
    const at = await visit(t);
    const page = await at.open();
    const folder = mkdtempSync(join(tmpdir(), 'peal-web-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, peal().cloud.authority.pem);

    await page.getByRole('button', { name: 'Sign up' }).first().click();
    await page.getByLabel('Email').fill('first@example.org');
    await page.getByLabel('Password').fill('correct horse');
    await page.locator('button[type=submit]').click();
    await connected(page);
    await page.getByRole('button', { name: 'Send a test message' }).click();
    const test = await at.notice(titled('It works'));
    await page.getByRole('button', { name: 'Make an app for it' }).click();
    await page.getByText('The token in it is shown now').waitFor();
    const [user, curl] = await page.locator('.copyable pre').allTextContents();
    const token = /token=(\w+)/.exec(curl!)?.[1];
    const report = await runClient(
      { hosts: { 'api.pushover.net:443': peal().cloud.api!.httpsPort }, ca, deny: true },
      `const { Pushover } = require('pushover-js');
       new Pushover(input.user, input.token).send('Grüße', 'from pushover-js').then(succeed, fail);`,
      { user, token },
    );
    const notice = await at.notice(titled('Grüße'));
    await toList(page);
    await rowOf(page, 'from pushover-js').waitFor();

    assert.match(user!, /^u[A-Za-z0-9]{29}$/);
    assert.match(curl!, new RegExp(`^curl ${peal().api}/1/messages.json .*user=${user} `, 's'));
    assert.ok('succeeded' in report, JSON.stringify(report));
    assert.equal(test.body, 'This message was sealed for Chrome-Linux alone.');
    assert.deepEqual([notice.body, notice.tag.length > 10], ['from pushover-js', true]);
    const kept = await page.evaluate(storedSecrets);
    assert.deepEqual(kept, { extractable: false, mentions: false });
  });

  test('axe finds nothing serious on any screen, light and dark, wide and narrow', async (t) => {
    const at = await visit(t);
    const person = await newPerson(peal());
    const outside = await at.open();
    const issues = [await seriousIssues(outside)];
    await outside.close();
    const page = await at.enter(person);
    const send = sender(person);
    await send('<a href="https://example.org">link</a>', { title: 'High', priority: '1', html: '1' });
    await send('low', { priority: '-1' });
    await send('fire', { priority: '2', retry: '30', expire: '600' });
    const sealed = await sealE2ee({ message: 'nobody sees this' }, await e2eeKey('ab12'.repeat(16)));
    await send(sealed.message, { encrypted: '1' });
    await withImage(peal(), person, 'with an image', png(64, 48));
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('switch', { name: 'Silence messages of normal priority' }).check();

    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 1280, height: 800 });
      for (const place of ['start', 'settings', '']) {
        await page.evaluate((name) => {
          location.hash = `#/${name}`;
        }, place);
        await page.locator(place === '' ? '.urgent' : 'h1').waitFor();
        issues.push(await seriousIssues(page));
      }
      await page.locator('.urgent a.open').click();
      await page.locator('.emergency').waitFor();
      issues.push(await seriousIssues(page));
      for (const [row, part] of [
        ['Encrypted', 'article .note'],
        ['with an image', 'article img'],
      ] as const) {
        await toList(page);
        await rowOf(page, row).locator('a.open').click();
        await page.locator(part).waitFor();
        issues.push(await seriousIssues(page));
      }
      await page.setViewportSize({ width: 390, height: 780 });
      issues.push(await seriousIssues(page));
    }

    assert.deepEqual(issues.flat(), []);
  });

  test(`the first page loads less than ${BUDGET / 1000} KB of compressed JavaScript, all of it ours`, async (t) => {
    const html = await (await fetch(peal().web)).text();
    const scripts = [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map(([, src]) => src!);

    const sizes = await Promise.all(
      scripts.map(async (src) => gzipSync(await (await fetch(`${peal().web}${src}`)).bytes()).length),
    );

    const total = sizes.reduce((sum, size) => sum + size, 0);
    t.diagnostic(`${total} bytes`);
    assert.ok(scripts.length > 0 && scripts.every((src) => src.startsWith('/assets/')), html);
    assert.ok(total > 10_000 && total < BUDGET, `${total} bytes`);
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|\son\w+=|<style|\sstyle=/);
  });
}
