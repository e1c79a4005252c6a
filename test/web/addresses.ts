/** A test of every request that the app makes, in the browser and the Peal of `pages.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageOf } from '../support/images.ts';
import { post } from '../support/peal.ts';
import { goTo, press } from './managing.ts';
import type { Web } from './use-web.ts';
import { connected, newPerson, rowOf, toList } from './visit.ts';

const PAGES = ['apps', 'groups', 'devices', 'sounds', 'security', 'settings', 'start'];

export function addresses({ peal, visit }: Web): void {
  test('no address that any page asks for has a secret in it, and none is of another party', async (t) => {
    const person = await newPerson(peal());
    const at = await visit(t);
    const asked: string[] = [];
    const sent: string[] = [];
    const referrers: string[] = [];
    at.context.on('request', (one) => {
      asked.push(one.url());
      const { referer } = one.headers();
      if (referer !== undefined) referrers.push(referer);
    });
    at.context.on('page', (page) => {
      page.on('websocket', (socket) => {
        asked.push(socket.url());
        socket.on('framesent', ({ payload }) => sent.push(String(payload)));
      });
    });
    const page = await at.enter(person);
    const image = imageOf('image/png', 400).toString('base64');
    const fields = { token: person.token, user: person.user, message: 'look', attachment_base64: image };

    await toList(page);
    await post(peal(), 'messages.json', { ...fields, sound: 'magic' });
    await rowOf(page, 'look').locator('a.open').click();
    await page.locator('.picture a[download]').waitFor();
    for (const place of PAGES) {
      await page.evaluate((name) => {
        location.hash = `#/${name}`;
      }, place);
      await page.locator('main h1').waitFor();
    }
    await press(page, 'Send a test message');
    await at.notice(({ title }) => title === 'It works');
    await goTo(page, 'apps');
    await page.getByLabel('Name').fill('Door bell');
    await press(page, 'Create app');
    const token = await page.locator('.fresh pre').textContent();
    await page.reload();
    await connected(page);

    const own = [peal().web, peal().api, peal().socket, 'blob:'];
    const images = asked.filter((url) => /X-Amz-Signature/.test(url));
    const foreign = asked.filter((url) => !own.some((origin) => url.startsWith(origin)));
    const [sample] = sent.filter((frame) => frame.startsWith('login:'));
    const secret = sample?.trim().split(':')[2];
    assert.match(secret!, /^[A-Za-z0-9]{60}$/);
    for (const hidden of [secret!, person.secret, person.token, token!, person.password]) {
      assert.deepEqual(
        [...asked, ...referrers].filter((url) => url.includes(hidden)),
        [],
      );
    }
    // The image comes from the bucket, by an address that is good for minutes.
    assert.equal(images.length, 1);
    assert.deepEqual(foreign, images);
    const csp = (await fetch(peal().web)).headers.get('content-security-policy')!;
    assert.match(csp, /default-src 'none'/);
    assert.doesNotMatch(csp, /unsafe|\*/);
  });
}
