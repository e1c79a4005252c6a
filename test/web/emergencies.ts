/** Tests of emergencies, in the browser and the Peal of `web.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, post } from '../support/peal.ts';
import type { Web } from './use-web.ts';
import { rowOf } from './visit.ts';

export function emergencies({ peal, ready }: Web): void {
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
}
