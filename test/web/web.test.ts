import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import fc from 'fast-check';
import type { Page } from 'playwright-core';
import { e2eeKey, type NewMessage, sealE2ee } from '../../lib/device/index.ts';
import { runClient } from '../clients/client-process.ts';
import { mp3, png } from '../media/builders.ts';
import { listObjects } from '../support/bucket.ts';
import { imageOf } from '../support/images.ts';
import { get, post, request } from '../support/peal.ts';
import type { Step, View } from './store-page.ts';
import { describeWeb, type Web } from './use-web.ts';
import {
  type Account,
  connected,
  kill,
  newPerson,
  pushService,
  rowOf,
  type Shown,
  seriousIssues,
  toList,
} from './visit.ts';

/** Compressed JavaScript that the first page may load. Bytes. */
const BUDGET = 120_000;

describeWeb('the web app', theWebApp);

const titled = (title: string) => (shown: Shown) => shown.title === title;

function theWebApp({ peal, visit, ready, sender }: Web): void {
  /** Posts a file as the account, or as one of its apps. */
  const upload = async (path: string, name: string, file: Buffer, fields: Record<string, string>) => {
    const body = new FormData();
    for (const [field, value] of Object.entries(fields)) body.set(field, value);
    body.set(name, new Blob([new Uint8Array(file)]), 'file');
    const answer = await request(peal(), path, { method: 'POST', body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };

  const withImage = ({ token, user }: Account, message: string, image: Buffer) =>
    upload('messages.json', 'attachment', image, { token, user, message });

  const connections = () => peal().cloud.socket!.connections();

  /** Ids of what still waits for the browser's device at the server. */
  async function waiting({ api }: Account): Promise<unknown[]> {
    const [device] = await api.listDevices();
    return (await api.sync(device!.id)).messages;
  }

  const acknowledged = (page: Page) =>
    page.waitForResponse(
      (response) =>
        response.url().includes('/update_highest_message') && response.request().method() === 'POST',
    );

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

  test('of two tabs one holds the socket, both show what comes, and the other takes over', async (t) => {
    const { at, page, send } = await ready(t);
    const second = await at.open();
    await connected(second);
    const together = at.sockets();

    const answered = acknowledged(page);
    await send('for both');
    await Promise.all([rowOf(page, 'for both').waitFor(), rowOf(second, 'for both').waitFor()]);
    // A tab that is closed before may leave it to the other, which shows it once more under the same tag.
    await answered;
    await page.close();
    await send('for the one that is left');
    await rowOf(second, 'for the one that is left').waitFor();
    await at.notice((shown) => shown.body === 'for the one that is left');

    assert.equal(together, 1);
    assert.equal(at.sockets(), 1);
    assert.deepEqual(
      at.shown.map(({ body }) => body),
      ['for both', 'for the one that is left'],
    );
  });

  test('offline it opens with what it has, and gets the rest when it is back', async (t) => {
    const { at, page, send, person } = await ready(t);
    const answered = acknowledged(page);
    await send('kept here');
    await rowOf(page, 'kept here').waitFor();
    await answered;

    await at.context.setOffline(true);
    await page.reload();
    await rowOf(page, 'kept here').waitFor();
    await send('came meanwhile');
    const missing = await rowOf(page, 'came meanwhile').count();
    await at.context.setOffline(false);
    const later = acknowledged(page);
    await rowOf(page, 'came meanwhile').waitFor();
    await later;

    assert.equal(missing, 0);
    assert.deepEqual(await waiting(person), []);
  });

  test('a push wakes the worker while every tab is closed: opened, shown, kept; the next start acknowledges', async (t) => {
    const { at, page, send, person } = await ready(t);
    const [device] = await person.api.listDevices();
    const subscriber = peal().carriers.subscribe();
    await person.api.updateDevice(device!.id, { push: subscriber.target });
    const service = await pushService(at, peal());
    const [worker] = at.context.serviceWorkers();
    await page.close();
    const { length } = peal().carriers.journal.received;

    await send('while it was closed', { title: 'Knock' });
    await peal().carriers.journal.waitFor(length + 1, 20_000);
    const [payload] = subscriber.wake();
    const notices: unknown[] = [];
    // A push may come twice.
    for (const _ of ['first', 'again']) {
      await worker!.evaluate(listenForNotice);
      await service.deliver(payload);
      notices.push(
        await worker!.evaluate(() => (globalThis as unknown as { notice: Promise<unknown> }).notice),
      );
    }
    const visible = await worker!.evaluate(shownNow);
    const left = await waiting(person);
    const again = await at.open();
    await rowOf(again, 'while it was closed').waitFor();
    await acknowledged(again);

    const notice = { title: 'Knock', body: 'while it was closed', tag: String(payload!.id) };
    assert.deepEqual(notices, [
      { ...notice, silent: false },
      { ...notice, silent: true },
    ]);
    assert.deepEqual(visible, [notice.tag]);
    assert.equal(left.length, 1);
    assert.deepEqual(at.shown, []);
    assert.deepEqual(await waiting(person), []);
  });

  for (const [moment, url] of [
    ['the sync was answered', '/1/messages.json'],
    ['it was to be acknowledged', '/update_highest_message.json'],
  ] as const) {
    test(`a tab that is killed when ${moment} loses nothing, and shows nothing twice`, async (t) => {
      const { at, page, send, person } = await ready(t);
      const reached = Promise.withResolvers<void>();
      await page.route(`**${url}*`, async (route) => {
        // Peal answers the sync, and the tab dies before it has the answer; the acknowledgement never leaves.
        if (url.includes('messages.json')) await route.fetch();
        reached.resolve();
      });

      await send('exactly once');
      if (url.includes('update')) await at.notice((shown) => shown.body === 'exactly once');
      await reached.promise;
      if (url.includes('update')) await page.evaluate(allShown);
      await kill(at, page);
      const left = await waiting(person);
      const again = await at.open();
      const answered = acknowledged(again);
      await rowOf(again, 'exactly once').waitFor();
      await answered;
      await again.evaluate(allShown);

      assert.equal(left.length, 1);
      assert.equal(await rowOf(again, 'exactly once').count(), 1);
      assert.deepEqual(
        at.shown.map(({ body }) => body),
        ['exactly once'],
      );
      assert.deepEqual(await waiting(person), []);
    });
  }

  test('an emergency stays on top and rings again until it is acknowledged here, which its sender sees', async (t) => {
    const { at, page, send, person } = await ready(t);
    const [device] = await person.api.listDevices();
    const rings = () => at.shown.filter(({ body }) => body === 'the house is on fire').length;
    await page.clock.install();

    const { receipt } = await send('the house is on fire', { priority: '2', retry: '30', expire: '600' });
    await send('something later');
    await rowOf(page, 'something later').waitFor();
    const first = await page.locator('.message').first().textContent();
    const before = rings();
    await page.clock.runFor(31_000);
    await at.notice((shown) => shown.body === 'the house is on fire' && rings() > before);
    const told = page.waitForResponse((response) => response.url().includes('/acknowledge'));
    await page.locator('.urgent').getByRole('button', { name: 'Acknowledge' }).click();
    await told;
    await page.locator('.urgent').waitFor({ state: 'detached' });
    const after = rings();
    await page.clock.runFor(120_000);
    const { body } = await get(peal(), `receipts/${receipt}.json`, { token: person.token });

    assert.match(first!, /the house is on fire/);
    assert.equal(rings(), after);
    assert.equal(body.acknowledged, 1);
    assert.equal(body.acknowledged_by, person.user);
    assert.equal(body.acknowledged_by_device, device!.name);
  });

  test('an emergency that is acknowledged elsewhere is not rung again here, and says by what', async (t) => {
    const { at, page, send, person } = await ready(t);
    const phone = await person.api.registerDevice({ name: 'phone', platform: 'open' });
    const rings = () => at.shown.filter(({ body }) => body === 'the house is on fire').length;
    await page.clock.install();
    const { receipt } = await send('the house is on fire', { priority: '2', retry: '30', expire: '600' });
    await at.notice((shown) => shown.body === 'the house is on fire');
    await page.locator('.urgent').waitFor();

    await person.api.acknowledgeReceipt(String(receipt), phone);
    const asked = page.waitForResponse((response) => response.url().includes('/state.json'));
    await page.clock.runFor(31_000);
    const question = (await asked).request();
    await page.locator('.urgent').waitFor({ state: 'detached' });
    await page.clock.runFor(120_000);
    await rowOf(page, 'the house is on fire').locator('a.open').click();
    await page.getByText('Acknowledged on phone').waitFor();
    await page.reload();
    await page.getByText('Acknowledged on phone').waitFor();

    assert.equal(rings(), 1);
    assert.ok(!question.url().includes(person.secret));
    assert.equal(await page.locator('.emergency').count(), 0);
  });

  test('an emergency that its sender cancels stops asking when somebody comes back; without an answer it rings on', async (t) => {
    const { at, page, send, person } = await ready(t, /could not be looked after|status of 500/);
    const rings = () => at.shown.filter(({ body }) => body === 'fire').length;
    await page.clock.install();
    await page.route('**/state.json', (route) => route.fulfill({ status: 500, body: '' }));
    const { receipt } = await send('fire', { priority: '2', retry: '30', expire: '600' });
    await at.notice((shown) => shown.body === 'fire');
    const before = rings();
    await page.clock.runFor(31_000);
    await at.notice((shown) => shown.body === 'fire' && rings() > before);

    await post(peal(), `receipts/${receipt}/cancel.json`, { token: person.token });
    await page.unroute('**/state.json');
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.locator('.urgent').waitFor({ state: 'detached' });
    await rowOf(page, 'fire').locator('a.open').click();

    await page.getByText('Its sender has cancelled it').waitFor();
  });

  test('an emergency that is acknowledged offline is told to Peal when it is back', async (t) => {
    const { at, page, send, person } = await ready(t);
    const { receipt } = await send('fire', { priority: '2', retry: '30', expire: '600' });
    await page.locator('.urgent a.open').click();

    await at.context.setOffline(true);
    await page.locator('.emergency').getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('The sender is told as soon as Peal can be reached.').waitFor();
    const told = page.waitForResponse((response) => response.url().includes('/acknowledge') && response.ok());
    await at.context.setOffline(false);
    await told;
    await page.locator('article').getByText('Acknowledged', { exact: true }).waitFor();
    const { body } = await get(peal(), `receipts/${receipt}.json`, { token: person.token });

    assert.equal(body.acknowledged, 1);
  });

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

  test('the store in IndexedDB does what the store in memory does', async (t) => {
    // The browser asks for an icon of a page that names none.
    const at = await visit(t, /status of 403/);
    const page = await at.open('/config.json');
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, 'store-page.ts')],
      bundle: true,
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
      write: false,
      logLevel: 'error',
    });
    await page.evaluate(outputFiles[0]!.text);
    const compare = (steps: Step[]) =>
      page.evaluate((all) => (window as unknown as StorePage).compare(all), steps);

    const identities = await page.evaluate(() => (window as unknown as StorePage).identities());
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { maxLength: 12 }), async (steps) => {
        const [inMemory, inBrowser] = await compare(steps);
        assert.deepEqual(inBrowser, inMemory);
      }),
      { numRuns: 60 },
    );

    assert.deepEqual(identities, ['s', undefined, 'd', true, true]);
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

  test('a device that is removed elsewhere is logged out here, and its messages stay until they are deleted', async (t) => {
    const { page, send, person } = await ready(t);
    const answered = acknowledged(page);
    await send('still here');
    await rowOf(page, 'still here').waitFor();
    await answered;

    const [device] = await person.api.listDevices();
    await person.api.deleteDevice(device!.id);
    peal().cloud.socket!.drop(connections().at(-1)!.connectionId);
    await page.getByText('You were logged out').waitFor();
    const kept = await page.getByText('1 message is kept in this browser.').count();
    await page.getByRole('button', { name: 'Delete them' }).click();
    await page.getByText('1 message is kept in this browser.').waitFor({ state: 'detached' });
    const names = await page.evaluate(countStored);

    assert.equal(kept, 1);
    assert.equal(names, 0);
  });

  test('who logs out and keeps the messages is the same device after the next login, and gets what came meanwhile', async (t) => {
    // What was under way when the session ended is refused.
    const { at, page, send, person } = await ready(t, /status of 400/);
    const [device] = await person.api.listDevices();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Log out, keep the messages here' }).click();
    await page.getByRole('button', { name: 'Log in' }).last().waitFor();

    await send('meanwhile');
    await page.close();
    const again = await at.enter(person);
    await toList(again);
    await rowOf(again, 'meanwhile').waitFor();
    const devices = await person.api.listDevices();

    assert.deepEqual(
      devices.map(({ id }) => id),
      [device!.id],
    );
  });

  test('another account may log in where messages are kept only once they are deleted', async (t) => {
    // What was under way when the session ended is refused.
    const { at, page, send } = await ready(t, /status of 400/);
    await send('of the first account');
    await rowOf(page, 'of the first account').waitFor();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Log out, keep the messages here' }).click();
    const other = await newPerson(peal());

    await page.getByLabel('Email').fill(other.email);
    await page.getByLabel('Password').fill(other.password);
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Delete them and log in' }).click();
    await connected(page);
    await toList(page);
    await sender(other)('of the second account');
    await rowOf(page, 'of the second account').waitFor();
    const rows = await page.locator('.message').count();

    assert.equal(rows, 1);
    assert.ok(at.shown.some(({ body }) => body === 'of the second account'));
  });

  test('an image that Pushover’s client sends is seen in the list, the message and the notification, and gone from the bucket', async (t) => {
    const { at, page, person } = await ready(t);
    const ca = join(mkdtempSync(join(tmpdir(), 'peal-web-')), 'ca.pem');
    t.after(() => rmSync(dirname(ca), { recursive: true }));
    writeFileSync(ca, peal().cloud.authority.pem);
    const [answered, reported] = [
      acknowledged(page),
      page.waitForResponse((response) => response.url().includes('/attachment/downloaded')),
    ];

    const sent = await runClient(
      { hosts: { 'api.pushover.net:443': peal().cloud.api!.httpsPort }, ca, deny: true },
      `const Pushover = require('pushover-notifications');
       const file = { name: 'red.png', type: 'image/png', data: Buffer.from(input.image, 'base64') };
       new Pushover({ user: input.user, token: input.token, onerror: fail }).send(
         { title: 'Look', message: 'at this', file },
         (error, result) => (error ? fail(error) : succeed(result)),
       );`,
      { user: person.user, token: person.token, image: png(64, 48).toString('base64') },
    );
    const notice = await at.notice((shown) => shown.body === 'at this');
    await rowOf(page, 'at this').getByRole('img', { name: 'Has an image' }).waitFor();
    await rowOf(page, 'at this').locator('a.open').click();
    const image = page.getByRole('img', { name: 'Image of “Look”' });
    await image.waitFor();
    const size = await image.evaluate(async (element: HTMLImageElement) => {
      await element.decode();
      return [element.naturalWidth, element.naturalHeight];
    });
    const saved = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save the image' }).click();
    const name = (await saved).suggestedFilename();
    await Promise.all([answered, reported]);

    assert.ok('succeeded' in sent, JSON.stringify(sent));
    assert.deepEqual(size, [64, 48]);
    assert.match(notice.image!, /^blob:/);
    assert.match(name, /^image-\d+\.png$/);
    assert.deepEqual(await listObjects(peal(), 'attachments/'), []);
  });

  test('an image that this browser cannot show is offered to be saved; one that is gone is said to be', async (t) => {
    const { at, page, person } = await ready(t, /status of 410/);
    await withImage(person, 'from a phone', imageOf('image/heic', 400));
    await rowOf(page, 'from a phone').locator('a.open').click();
    await page.getByText('This browser cannot show an image of this type.').waitFor();
    const save = await page.getByRole('link', { name: 'Save the image' }).getAttribute('download');
    await at.context.route('**/attachment.json*', (route) =>
      route.fulfill({ status: 410, headers: { 'Access-Control-Allow-Origin': '*' }, json: { status: 0 } }),
    );
    const answered = acknowledged(page);

    await withImage(person, 'too late', png(8, 8));
    await rowOf(page, 'too late').locator('a.open').click();
    await page.getByText('The image is gone').waitFor();
    await answered;

    assert.match(save!, /\.heic$/);
    assert.equal(await page.locator('article img').count(), 0);
  });

  test('a message does not wait long for its image, which its notification gets when it has come', async (t) => {
    const { at, page, person } = await ready(t);
    await page.clock.install();
    const [asked, arrival] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await page.route('**/attachment.json*', async (route) => {
      asked.resolve();
      await arrival.promise;
      await route.continue();
    });

    await withImage(person, 'slow', png(8, 8));
    await asked.promise;
    await page.clock.runFor(6000);
    const first = await at.notice((shown) => shown.body === 'slow');
    await rowOf(page, 'slow').locator('a.open').click();
    await page.getByText('The image is still being fetched.').waitFor();
    arrival.resolve();
    const second = await at.notice((shown) => shown.body === 'slow' && shown.image !== undefined);
    await page.getByRole('img', { name: /^Image of/ }).waitFor();

    assert.equal(first.image, undefined);
    assert.deepEqual([second.tag, second.silent], [first.tag, true]);
  });

  test('a push whose message has an image has the worker fetch it while every tab is closed', async (t) => {
    const { at, page, person } = await ready(t);
    const [device] = await person.api.listDevices();
    const subscriber = peal().carriers.subscribe();
    await person.api.updateDevice(device!.id, { push: subscriber.target });
    const service = await pushService(at, peal());
    const [worker] = at.context.serviceWorkers();
    await page.close();
    const { length } = peal().carriers.journal.received;
    await worker!.evaluate(listenForImage);

    await withImage(person, 'seen later', png(8, 8));
    await peal().carriers.journal.waitFor(length + 1, 20_000);
    await service.deliver(subscriber.wake()[0]);
    await worker!.evaluate(() => (globalThis as unknown as { stored: Promise<unknown> }).stored);
    await at.context.setOffline(true);
    const again = await at.open();
    await rowOf(again, 'seen later').locator('a.open').click();

    await again.getByRole('img', { name: /^Image of/ }).waitFor();
  });

  test('an app’s icon is shown beside its messages; its letter, where there is none to be had', async (t) => {
    const { page, send, person } = await ready(t);
    const [app] = await person.api.listApps();
    const { secret } = person;
    await upload(`apps/${app!.id}/icon.json`, 'icon', png(72, 72), { secret });
    await page.route('**/icons/*.png', (route) => route.abort());

    const failed = page.waitForEvent('requestfailed', (made) => made.url().includes('/icons/'));
    await send('with an icon');
    const row = rowOf(page, 'with an icon');
    await Promise.all([row.waitFor(), failed]);
    const letter = await row.locator('.avatar').textContent();
    await page.unroute('**/icons/*.png');
    await page.reload();
    const icon = row.locator('img.avatar');
    await icon.waitFor();

    assert.equal(letter, 'T');
    assert.match((await icon.getAttribute('src'))!, /\/icons\/[0-9a-f]{32}\.png$/);
    assert.equal(await icon.evaluate((image: HTMLImageElement) => image.naturalWidth), 72);
  });

  test('a message sounds as its sender or the device’s owner chose, and not when it is not to be heard', async (t) => {
    const { at, page, send, person } = await ready(t, /status of 404|ERR_FAILED/);
    await page.evaluate(listenToSounds);
    const { secret } = person;
    const sound = await upload('sounds.json', 'sound', mp3(40), { secret, name: 'mine' });
    const files: string[] = [];
    page.on('request', (made) => {
      const [, name] = /\/sounds\/(\w+)\.mp3$/.exec(made.url()) ?? [];
      if (name) files.push(name);
    });
    const heard = async (message: string, more: Record<string, string>) => {
      await page.evaluate(() => {
        (window as unknown as Listening).heard = [];
      });
      await send(message, more);
      const { silent } = await at.notice((shown) => shown.body === message);
      const played = await page.evaluate(() => (window as unknown as Listening).heard);
      return [...played, ...(silent ? [] : ['notification'])];
    };

    const named = await heard('named', { sound: 'magic' });
    const own = await heard('own', { sound: 'mine' });
    const unknown = await heard('unknown', { sound: 'nobodys' });
    const none = await heard('none', { sound: 'none' });
    const shaken = await heard('shaken', { sound: 'vibrate' });
    const low = await heard('low', { sound: 'magic', priority: '-1' });
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByLabel('For messages that name no sound').first().selectOption('bike');
    await page.getByRole('button', { name: 'Play' }).click();
    await page.waitForFunction(() => (window as unknown as Listening).heard.length > 0);
    const standard = await heard('standard', {});
    await page.getByRole('switch', { name: 'Silence messages of normal priority' }).check();
    await page.getByLabel('From').fill('00:00');
    await page.getByLabel('To', { exact: true }).fill('23:59');
    const quiet = await heard('quiet', {});
    const urgent = await heard('urgent', { priority: '1' });
    await page.route('**/sounds/*.mp3', (route) => route.abort());
    await page.getByLabel('For messages that name no sound').first().selectOption('tugboat');
    const notes = await heard('no file', { sound: 'siren', priority: '1' });

    assert.deepEqual([named, own, unknown, standard, urgent], Array(5).fill(['file']));
    assert.deepEqual([none, low, quiet], [[], [], []]);
    assert.deepEqual(shaken, ['vibrate']);
    assert.deepEqual(notes, ['note', 'note']);
    assert.deepEqual(files, ['magic', sound.id, 'nobodys', 'pushover', 'bike', 'siren', 'tugboat']);
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
    await withImage(person, 'with an image', png(64, 48));
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

interface StorePage {
  compare(steps: Step[]): Promise<[View, View]>;
  identities(): Promise<unknown[]>;
}

const ID = fc.integer({ min: 1, max: 5 });

/** Messages of few ids, so that they meet: readable ones, some of which expire, and unreadable ones. */
const MESSAGE: fc.Arbitrary<NewMessage> = ID.chain((id) =>
  fc.oneof(
    fc.record({ expires: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }) }).map(
      ({ expires }): NewMessage => ({
        kind: 'message',
        id,
        message: {
          id,
          umid: id,
          app: 'App',
          aid: 1,
          icon: 'default',
          date: 1,
          message: `${expires}`,
          priority: 0,
          ...(expires !== undefined && { expires }),
        },
      }),
    ),
    fc.constant<NewMessage>({ kind: 'unreadable', id, reason: 'version', kept: { sealed: 'AA==' } }),
  ),
);

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.array(MESSAGE, { maxLength: 4 }).map((messages): Step => ({ op: 'add', messages })),
  fc.array(ID, { minLength: 1, maxLength: 3 }).map((ids): Step => ({ op: 'remove', ids })),
  fc.array(ID, { maxLength: 3 }).map((ids): Step => ({ op: 'shown', ids })),
  fc
    .record({
      id: ID,
      attachment: fc.oneof(
        fc.array(fc.nat(255), { maxLength: 4 }),
        fc.constantFrom('gone' as const, 'damaged' as const),
      ),
    })
    .map((given): Step => ({ op: 'attachment', ...given })),
);

const ATTACKS = [
  '<script>window.pwned = 1</script>',
  '<img src=x onerror="window.pwned = 1">',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s>',
  '<a href="javascript:alert(1)">x</a>',
  '"><iframe srcdoc="<script>parent.pwned=1</script>">',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  '<form action="https://evil.example"><button>go</button></form>',
];

/** Runs in the page: elements within the message that no message may have, and links that lead where none may. */
function foreign(): string[] {
  const allowed = ['A', 'B', 'BR', 'FONT', 'I', 'P', 'U'];
  const body = document.querySelector('article .body');
  return [body!, ...body!.querySelectorAll('*')]
    .filter(
      (element) =>
        !allowed.includes(element.tagName) ||
        [...element.attributes].some(({ name }) => name.startsWith('on') || name === 'style') ||
        /^(?!https?:|mailto:|tel:|sms:)/.test(element.getAttribute('href') ?? 'https:'),
    )
    .map((element) => element.outerHTML);
}

/** Runs in the page: whether the key of the vault can be taken out, and whether a secret lies open in the database. */
async function storedSecrets(): Promise<{ extractable: boolean; mentions: boolean }> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const all = await new Promise<unknown[]>((resolve) => {
    const reading = db.transaction('meta').objectStore('meta').getAll();
    reading.onsuccess = () => resolve(reading.result);
  });
  db.close();
  const key = all.find((value) => value instanceof CryptoKey);
  const identity = all.find(
    (value) => typeof value === 'object' && value !== null && 'secrets' in value,
  ) as Record<string, unknown>;
  const strings = Object.keys(identity).filter((name) => !['device', 'secrets', 'user'].includes(name));
  return { extractable: key?.extractable ?? true, mentions: strings.length > 0 };
}

/** Runs in the page: resolves when every message that it has stored is noted as shown. */
async function allShown(): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const unshown = () =>
    new Promise<number>((resolve) => {
      const counting = db.transaction('messages').objectStore('messages').index('unshown').count();
      counting.onsuccess = () => resolve(counting.result);
    });
  while ((await unshown()) > 0);
  db.close();
}

/** Runs in the page: puts messages into its database. */
async function storeMany(count: number): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const change = db.transaction('messages', 'readwrite');
  for (let id = 1; id <= count; id++) {
    const message = { id, umid: id, app: 'App', aid: 1, icon: 'default', date: id * 600, priority: 0 };
    const stored = { kind: 'message', id, shown: true, message: { ...message, message: `number ${id}.` } };
    change.objectStore('messages').put({ id, stored });
  }
  await new Promise((resolve) => {
    change.oncomplete = resolve;
  });
  db.close();
}

/** Runs in the page: how many things its database has. */
async function countStored(): Promise<number> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const names = [...db.objectStoreNames];
  const look = db.transaction(names);
  const counts = await Promise.all(
    names.map(
      (name) =>
        new Promise<number>((resolve) => {
          const counting = look.objectStore(name).count();
          counting.onsuccess = () => resolve(counting.result);
        }),
    ),
  );
  db.close();
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Runs in the service worker: `notice` becomes the next notification that it shows. */
function listenForNotice(): void {
  const { promise, resolve } = Promise.withResolvers();
  Object.assign(globalThis, { notice: promise });
  const { prototype } = ServiceWorkerRegistration;
  const show = prototype.showNotification;
  prototype.showNotification = async function (title, options = {}) {
    await show.call(this, title, options);
    resolve({ title, body: options.body, tag: options.tag, silent: options.silent });
  };
}

/** Runs in the service worker: the tags of the notifications that are there. */
async function shownNow(): Promise<string[]> {
  const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
  return (await registration.getNotifications()).map(({ tag }) => tag);
}

interface Listening {
  heard: string[];
}

/** Runs in the page: notes what is heard or felt. */
function listenToSounds(): void {
  const listening = window as unknown as Listening;
  listening.heard = [];
  for (const [prototype, what] of [
    [AudioBufferSourceNode.prototype, 'file'],
    [OscillatorNode.prototype, 'note'],
  ] as const) {
    const start = prototype.start;
    prototype.start = function (...when: [number?]) {
      listening.heard.push(what);
      start.apply(this, when);
    };
  }
  navigator.vibrate = () => {
    listening.heard.push('vibrate');
    return true;
  };
}

/** Runs in the page: all that its database has, as text. Keys that are not given out are `{}`. */
async function everythingStored(): Promise<string> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const look = db.transaction([...db.objectStoreNames]);
  const all = await Promise.all(
    [...db.objectStoreNames].map(
      (name) =>
        new Promise<unknown[]>((resolve) => {
          const reading = look.objectStore(name).getAll();
          reading.onsuccess = () => resolve(reading.result);
        }),
    ),
  );
  db.close();
  return JSON.stringify(all);
}

/** Runs in the service worker: `stored` resolves when a message that is stored already has got its image. */
function listenForImage(): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen = new Set<number>();
  const channel = new BroadcastChannel('peal');
  channel.onmessage = ({ data }) => {
    if (data.kind !== 'messages') return;
    for (const id of data.changed) seen.has(id) ? resolve() : seen.add(id);
  };
  Object.assign(globalThis, { stored: promise, channel });
}
