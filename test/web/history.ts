/** Tests of the history and the usage, in the browser and the Peal of `pages.test.ts`. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Page } from 'playwright-core';
import { quotaKey } from '../../lib/accounts/directory.ts';
import { randomKey } from '../../lib/accounts/keys.ts';
import { monthOf } from '../../lib/messages/limits.ts';
import { crowd } from '../support/crowd.ts';
import { fcmTarget, newDevice } from '../support/devices.ts';
import { tableOf } from '../support/directory.ts';
import { newAccount, post } from '../support/peal.ts';
import type { Web } from './use-web.ts';
import { type Account, rowOf, seriousIssues } from './visit.ts';

const DAY_MS = 86_400_000;
const ACROSS = { 'access-control-allow-origin': '*' };

export function history(shared: Web): void {
  describe('the history', { concurrency: 2 }, () => pages(shared));
}

function pages({ peal, ready }: Web): void {
  const send = async ({ token, user }: Account, more: Record<string, string> = {}) => {
    const answer = await post(peal(), 'messages.json', { token, user, message: 'a secret word', ...more });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };

  const pushed = () => peal().cloud.poller('FcmPush').drained();

  test('what was sent is listed, older ones when they are asked for; a message says what became of it on each device', async (t) => {
    const { person, page } = await ready(t);
    await newDevice(person, { name: 'phone', platform: 'android', push: fcmTarget() });
    await newDevice(person, { name: 'drawer', platform: 'open' });
    for (let n = 0; n < 26; n++) await send(person);
    const { token } = await person.api.createApp('Backup');
    await send(person, { token, priority: '1', message: 'the last' });
    await pushed();
    const acknowledged = rowOf(page, 'the last');
    await acknowledged.waitFor();

    await goTo(page, 'history');
    const rows = page.locator('.sent .message');
    await rows.nth(24).waitFor();
    const first = await rows.count();
    await page.getByRole('button', { name: 'Show older' }).click();
    await rows.nth(26).waitFor();
    const focused = await rows
      .nth(25)
      .locator('a')
      .evaluate((link) => link === document.activeElement);
    const buttons = await page.getByRole('button', { name: 'Show older' }).count();
    await page.getByLabel('Application').selectOption('Backup');
    await rows.nth(1).waitFor({ state: 'detached' });
    const row = await rows.first().textContent();
    await rows.first().locator('a').click();
    await page.locator('h1:focus').waitFor();
    const things = page.locator('.things li');
    await things.nth(2).waitFor();
    const devices = await things.allTextContents();
    const whole = await page.locator('main').textContent();
    await page.getByRole('link', { name: 'Back to the history' }).click();
    await rows.nth(24).waitFor();

    assert.equal(first, 25);
    assert.ok(focused);
    assert.equal(buttons, 0);
    assert.match(row!, /Backup.*High.*1 user, 3 devices.*1 delivered, .*1 waiting/);
    assert.match(devices.join('\n'), /drawer.*Waiting.*No carrier/);
    assert.match(devices.join('\n'), /phone.*Delivered.*Google \(FCM\)/);
    assert.match(devices.join('\n'), /Stored.*Socket.*stored by the device/);
    assert.doesNotMatch(whole!, /secret|the last/);
  });

  test('an emergency says who acknowledged it; it, markup in names, and what is hidden look right to axe, wide and narrow', async (t) => {
    const { person, page } = await ready(t);
    const markup = '<img onerror=x()>';
    const { token } = await person.api.createApp(markup);
    const phone = await newDevice(person, { name: 'phone', platform: 'open' });
    const group = randomKey('g');
    const directory = tableOf(peal(), 'Directory');
    await crowd(directory, { key: group, owner: randomKey('u') }, 3);
    const large = randomKey('g');
    await crowd(directory, { key: large, owner: person.user }, 101);
    const { receipt } = await send(person, { priority: '2', retry: '600', expire: '1800' });
    const fields = { secret: person.secret, device_id: phone.id };
    await post(peal(), `receipts/${receipt}/acknowledge.json`, fields);
    await send(person, { token, user: `${person.user},${group}` });
    await send(person, { user: large });
    await peal().cloud.poller('FanOutWorker').drained();
    const issues: string[] = [];
    const widths: number[] = [];
    const said: string[] = [];
    const look = async () => {
      issues.push(...(await seriousIssues(page)));
      widths.push(await page.evaluate(() => document.documentElement.scrollWidth));
      said.push((await page.locator('main').textContent())!);
    };

    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 390],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await goTo(page, 'history');
      const rows = page.locator('.sent .message a');
      await rows.nth(2).waitFor();
      await page.locator('.chart').waitFor();
      await page.getByText('As a table').click();
      await look();
      const hrefs = await Promise.all([0, 1, 2].map((n) => rows.nth(n).getAttribute('href')));
      for (const href of hrefs) {
        await goTo(page, href!.slice(2));
        await page.locator('.things, .hidden-members').first().waitFor();
        await look();
      }
      await goTo(page, 'start');
    }
    await goTo(page, 'history');
    await page.locator('.sent .message a').first().click();
    const more = page.getByRole('button', { name: 'Show more devices' });
    const items = page.locator('.things li');
    await items.first().waitFor();
    while ((await more.count()) > 0) {
      const before = await items.count();
      await more.click();
      await items.nth(before).waitFor();
    }
    const devices = await items.count();

    assert.deepEqual(issues, []);
    assert.deepEqual(widths, [...Array(4).fill(1280), ...Array(4).fill(390)]);
    const [list, fannedOut, foreign, emergency] = said;
    assert.match(list!, /101 users/);
    assert.match(list!, /Acknowledged by you on phone/);
    assert.match(fannedOut!, /Recipients101 users/);
    assert.match(
      foreign!,
      /Message from <img onerror=x\(\)>.*6 devices of members of another account’s group/,
    );
    assert.match(emergency!, /EmergencyAcknowledged by you on phone/);
    assert.equal(devices, 202);
  });

  test('an emergency that a hidden member acknowledged says so, and names nobody', async (t) => {
    const { person, page } = await ready(t);
    const other = await newAccount(peal());
    const { id } = await newDevice(other, { name: 'theirs', platform: 'android' });
    const { body } = await post(peal(), 'groups.json', { token: other.token, name: 'Theirs' });
    const group = String(body.group);
    await post(peal(), `groups/${group}/add_user.json`, { token: other.token, user: other.user });
    const { receipt } = await send(person, { user: group, priority: '2', retry: '600', expire: '1800' });
    await post(peal(), `receipts/${receipt}/acknowledge.json`, { secret: other.secret, device_id: id });

    await goTo(page, 'history');
    await page.locator('.sent .message a').first().click();
    await page.getByText('Acknowledged by a recipient, ').waitFor();
    const said = (await page.locator('main').textContent())!;

    assert.ok(!said.includes(other.user) && !said.includes('theirs'), said);
  });

  test('the chart has a bar a day and a table of the same; beside it is the month, of a quota where there is one', async (t) => {
    const { person, page } = await ready(t);
    const { client, name: TableName } = tableOf(peal(), 'Directory');
    const counts = [3, 0, 120, 7];
    for (const [ago, users] of counts.entries()) {
      const at = Date.now() - ago * DAY_MS;
      await client.send(
        new UpdateCommand({
          TableName,
          Key: quotaKey(person.user, monthOf(at)),
          UpdateExpression: 'ADD #day :users, used :users',
          ExpressionAttributeNames: { '#day': new Date(at).toISOString().slice(0, 10) },
          ExpressionAttributeValues: { ':users': users },
        }),
      );
    }

    await goTo(page, 'history');
    const chart = page.locator('.chart');
    const label = await chart.getByRole('img').getAttribute('aria-label');
    const heights = await chart
      .locator('.bar-of-day')
      .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('height'))));
    await chart.locator('summary').focus();
    await page.keyboard.press('Enter');
    const cells = await chart.locator('td').allTextContents();
    const month = await page.locator('.usage > p').textContent();
    await page.route('**/1/usage.json', async (route) => {
      const json = await (await route.fetch()).json();
      await route.fulfill({ json: { ...json, used: 950, limit: 1_000, remaining: 50 }, headers: ACROSS });
    });
    await goTo(page, 'start');
    await goTo(page, 'history');
    const quota = await page.locator('.month').textContent();
    const nearly = await page.locator('.gauge.nearly rect:last-child').getAttribute('width');
    const issues = await seriousIssues(page);

    assert.match(label!, /: 130 in all, at most 120 on /);
    assert.deepEqual([heights.length, ...heights.slice(-4)], [30, 3.5, 60, 0, 2]);
    assert.deepEqual(cells.slice(0, 5), ['3', '0', '120', '7', '0']);
    assert.match(month!, /this month\. There is no quota\.$/);
    assert.match(quota!, /^950 of 1,000 users this month50 left\. The next month begins /);
    assert.equal(nearly, '95');
    assert.deepEqual(issues, []);
  });

  test('who has sent nothing is told so; what cannot be asked for can be tried again', async (t) => {
    const { page } = await ready(t, /ERR_|status of 5/);
    let failing = true;
    await page.route('**/1/{history,usage}.json*', (route) =>
      failing
        ? route.fulfill({ status: 500, json: { status: 0, errors: ['no'] }, headers: ACROSS })
        : route.fallback(),
    );

    await goTo(page, 'history');
    const again = page.getByRole('button', { name: 'Try again' });
    await again.nth(1).waitFor();
    failing = false;
    await again.first().click();
    await page.getByText('No users were reached in the last 30 days.').waitFor();
    await again.first().click();
    await page.getByText('Nothing was sent in the last 30 days.').waitFor();

    assert.equal(await page.locator('.chart').count(), 0);
    assert.equal(await again.count(), 0);
  });
}

/** Goes to a page by its address. */
const goTo = (page: Page, place: string) =>
  page.evaluate((name) => {
    location.hash = `#/${name}`;
  }, place);
