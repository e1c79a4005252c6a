/** Tests of images and icons, in the browser and the Peal of `web.test.ts`. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runClient } from '../clients/client-process.ts';
import { png } from '../media/builders.ts';
import { listObjects } from '../support/bucket.ts';
import { imageOf } from '../support/images.ts';
import { listenForImage } from './in-page.ts';
import type { Web } from './use-web.ts';
import { acknowledged, pushService, rowOf, upload, withImage } from './visit.ts';

export function images({ peal, ready }: Web): void {
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
    await withImage(peal(), person, 'from a phone', imageOf('image/heic', 400));
    await rowOf(page, 'from a phone').locator('a.open').click();
    await page.getByText('This browser cannot show an image of this type.').waitFor();
    const save = await page.getByRole('link', { name: 'Save the image' }).getAttribute('download');
    await at.context.route('**/attachment.json*', (route) =>
      route.fulfill({ status: 410, headers: { 'Access-Control-Allow-Origin': '*' }, json: { status: 0 } }),
    );
    const answered = acknowledged(page);

    await withImage(peal(), person, 'too late', png(8, 8));
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

    await withImage(peal(), person, 'slow', png(8, 8));
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

    await withImage(peal(), person, 'seen later', png(8, 8));
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
    await upload(peal(), `apps/${app!.id}/icon.json`, 'icon', png(72, 72), { secret });
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
}
