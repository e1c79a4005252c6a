/** Tests of the list and of what a message is shown as, in the browser and the Peal of `web.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { e2eeKey, sealE2ee } from '../../lib/device/index.ts';
import { everythingStored, foreign, storeMany } from './in-page.ts';
import type { Web } from './use-web.ts';
import { rowOf, toList } from './visit.ts';

export function reading({ peal, ready, sender }: Web): void {
  test('what is sent as script is shown as text, in every field, and nothing of it runs', async (t) => {
    // The sanitizer parses what it takes out in a document that runs nothing, of which the browser says that it does not.
    const { person, at, page } = await ready(t, /Content Security Policy/);
    const { api, user } = person;
    const { token } = await api.createApp('<b>App</b>');
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => dialogs.push(dialog.message()));
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    const send = sender({ ...person, token, user });

    for (const [n, attack] of ATTACKS.entries()) {
      const plain = { title: `${n} ${attack}`, url: 'javascript:alert(1)', url_title: attack };
      await send(attack, plain);
      await send(`<b>${n}</b> ${attack}`, { ...plain, title: `html ${n}`, html: '1' });
    }
    for (const [n, attack] of ATTACKS.entries()) {
      await rowOf(page, `${n} ${attack}`).first().locator('a.open').click();
      await page.locator('article h1', { hasText: `${n} ${attack}` }).waitFor();
      const body = await page.locator('article .body').textContent();
      const links = await page.locator('article .link').textContent();
      assert.equal(body, attack);
      assert.ok(links!.startsWith(attack.trim()), links!);
      await rowOf(page, `html ${n}`).first().locator('a.open').click();
      await page.locator('article h1', { hasText: `html ${n}` }).waitFor();
      assert.deepEqual(await page.evaluate(foreign), []);
    }

    assert.equal(await page.evaluate(() => 'pwned' in window), false);
    assert.deepEqual(dialogs, []);
    const own = [peal().web, peal().api, peal().socket];
    assert.deepEqual(
      requests.filter((url) => !own.some((origin) => url.startsWith(origin))),
      [],
    );
    assert.equal(await page.locator('option', { hasText: '<b>App</b>' }).count(), 1);
    assert.ok(at.shown.length >= ATTACKS.length);
  });

  test('Pushover’s HTML and the addresses in a text are shown as what they are', async (t) => {
    const { page, send } = await ready(t);
    const html =
      '<b>b</b> <i>i</i> <u>u</u> <font color="#0000ff">f</font> <a href="https://example.org/a">a</a>';
    await send(html, { html: '1', title: 'marked up' });
    await send('see https://example.org/b?c=d, or not', { title: 'plain', url: 'https://example.org/e' });

    await rowOf(page, 'marked up').locator('a.open').click();
    await page.locator('article .body a').waitFor();
    const marked = await page.locator('article .body').innerHTML();
    await rowOf(page, 'plain').locator('a.open').click();
    await page.locator('article .link a').waitFor();
    const links = await page
      .locator('article a[target=_blank]')
      .evaluateAll((all) => all.map((link) => [link.getAttribute('href'), link.getAttribute('rel')]));

    const there = ' target="_blank" rel="noopener noreferrer"';
    assert.equal(marked, html.replace('/a">', `/a"${there}>`));
    assert.deepEqual(links, [
      ['https://example.org/b?c=d', 'noopener noreferrer'],
      ['https://example.org/e', 'noopener noreferrer'],
    ]);
  });

  test('search and filters find in everything that is stored; Delete removes what is in focus', async (t) => {
    const { page, send } = await ready(t);
    await send('a needle in the text', { priority: '1' });
    await send('hay', { title: 'Hay and straw' });
    await rowOf(page, 'Hay and straw').waitFor();

    await page.getByRole('searchbox').fill('NEEDLE');
    await page.getByText('1 of 2 messages').waitFor();
    const found = await page.locator('.message').allTextContents();
    await page.getByRole('searchbox').fill('');
    await page.getByLabel('Priority').selectOption('1');
    await page.getByText('1 of 2 messages').waitFor();
    const high = await page.locator('.message').count();
    await page.getByLabel('Priority').selectOption('');
    await page.locator('a.open').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Delete');
    await page.getByText('1 message', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('1 message', { exact: true }).waitFor();

    assert.equal(found.length, 1);
    assert.match(found[0]!, /needle/);
    assert.equal(high, 1);
    assert.equal(await rowOf(page, 'Hay and straw').count(), 1);
  });

  test('what a sender encrypted is read with the account’s key alone, found by search, and stays encrypted in the database', async (t) => {
    const { at, page, send } = await ready(t);
    const digits = 'ab12'.repeat(16);
    const encrypted = async (message: string, key = digits) => {
      const { encrypted: mark, ...fields } = await sealE2ee(
        { message, title: `About ${message}` },
        await e2eeKey(key),
      );
      await send(fields.message, { title: fields.title, encrypted: String(mark) });
    };

    await encrypted('the launch code');
    const closed = await at.notice(({ body }) => body === 'Encrypted message');
    await page.locator('a.open').click();
    await page.getByText('enter your encryption key').waitFor();
    await page.getByRole('link', { name: 'Go to the settings' }).click();
    await page.getByLabel('64 hexadecimal digits').fill('ab12');
    await page.getByRole('button', { name: 'Keep the key' }).click();
    await page.getByText('A key is 64 digits').waitFor();
    await page.getByLabel('64 hexadecimal digits').fill(digits.toUpperCase());
    await page.getByRole('button', { name: 'Keep the key' }).click();
    await page.getByText('A key is kept in this browser.').waitFor();
    await encrypted('another', 'f'.repeat(64));
    await encrypted('a third');
    const opened = await at.notice(({ body }) => body === 'a third');
    await toList(page);
    await page.reload();
    await rowOf(page, 'the launch code').waitFor();
    await rowOf(page, 'Encrypted').locator('a.open').click();
    await page.getByText('encrypted with another key').waitFor();
    await page.getByRole('searchbox').fill('launch');
    await page.getByText('1 of 3 messages').waitFor();
    const kept = await page.evaluate(everythingStored);
    await page.getByRole('link', { name: 'Settings', exact: true }).click();
    await page.getByRole('button', { name: 'Remove the key' }).click();
    await page.getByRole('button', { name: 'Keep the key' }).waitFor();
    const removed = await page.evaluate(everythingStored);
    await toList(page);
    await page.getByText('0 of 3 messages').waitFor();

    assert.equal(closed.title, 'Tests');
    assert.equal(opened.title, 'About a third');
    assert.match(kept, /"encrypted":1/);
    assert.match(kept, /"aes"/);
    assert.doesNotMatch(kept, /launch|ab12ab12/i);
    assert.doesNotMatch(removed, /"aes"/);
  });

  test('of thousands of messages only those near the window are made', async (t) => {
    const { page } = await ready(t);
    await page.evaluate(storeMany, 5000);

    await page.reload();
    await page.getByText('5000 messages').waitFor();
    const made = await page.locator('.message').count();
    await page.getByRole('searchbox').fill('number 4321');
    await page.getByText('1 of 5000 messages').waitFor();

    assert.ok(made >= 20 && made <= 240, `${made} rows`);
    assert.equal(await page.locator('.message').count(), 1);
  });
}

const ATTACKS = [
  '<script>window.pwned = 1</script>',
  '<img src=x onerror="window.pwned = 1">',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s>',
  '<a href="javascript:alert(1)">x</a>',
  '"><iframe srcdoc="<script>parent.pwned=1</script>">',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  '<form action="https://evil.example"><button>go</button></form>',
];
