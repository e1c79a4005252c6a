/** Tests of logging out and of another account, in the browser and the Peal of `web.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countStored } from './in-page.ts';
import type { Web } from './use-web.ts';
import { acknowledged, connected, newPerson, rowOf, toList } from './visit.ts';

export function leaving({ peal, ready, sender }: Web): void {
  test('a device that is removed elsewhere is logged out here, and its messages stay until they are deleted', async (t) => {
    const { page, send, person } = await ready(t);
    const answered = acknowledged(page);
    await send('still here');
    await rowOf(page, 'still here').waitFor();
    await answered;

    const [device] = await person.api.listDevices();
    await person.api.deleteDevice(device!.id);
    peal().cloud.socket!.drop(peal().cloud.socket!.connections().at(-1)!.connectionId);
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
}
