/** Tests of the pages of groups and devices, in the browser and the Peal of `pages.test.ts`. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAccountApi } from '../../lib/device/account-api.ts';
import { createKeyPair } from '../../lib/device/index.ts';
import { crowd } from '../support/crowd.ts';
import { fcmTarget } from '../support/devices.ts';
import { tableOf } from '../support/directory.ts';
import { post } from '../support/peal.ts';
import { answer, goTo, press, REFUSED } from './managing.ts';
import type { Web } from './use-web.ts';
import type { Account } from './visit.ts';

/** They wait for one another's Peal more than they work: two at a time. */
export function groupsAndDevices(shared: Web): void {
  describe('groups, and devices that are tried', { concurrency: 2 }, () => pages(shared));
}

function pages({ peal, ready }: Web): void {
  const accountOf = ({ secret }: Account) => createAccountApi({ url: peal().api, secret });

  test('a test message goes to the one device that it is for; a device shows when it was here, and that its push ended', async (t) => {
    const { person, at, page } = await ready(t, REFUSED);
    const [browser] = await person.api.listDevices();
    const laptop = await person.api.registerDevice({ name: 'laptop', platform: 'open' });
    const push = fcmTarget();
    await person.api.registerDevice({
      name: 'phone',
      platform: 'android',
      publicKey: createKeyPair().publicKey,
      push,
    });
    await goTo(page, 'devices');
    const line = (name: string) => page.locator('.things li', { hasText: name });

    await press(page, 'Send a test message to laptop');
    await line('laptop').getByText('A test message is on its way.').waitFor();
    await press(page, `Send a test message to ${browser!.name}`);
    const notice = await at.notice(({ title }) => title === 'It works');
    peal().carriers.notes.set({ carrier: 'fcm', target: push.token, deadSince: Date.now() + 60_000 });
    await press(page, 'Send a test message to phone');
    await line('phone').getByText('A test message is on its way.').waitFor();
    await peal().cloud.poller('FcmPush').drained();
    await goTo(page, 'apps');
    await goTo(page, 'devices');
    await line('phone').getByText('Push stopped on').waitFor();
    const seen = await line('phone').textContent();
    const { messages } = await person.api.sync(laptop);

    assert.equal(notice.body, `This message was sealed for ${browser!.name} alone.`);
    assert.deepEqual(
      messages.map((message) => (message as { message: string }).message),
      ['This message was sent to laptop alone.'],
    );
    assert.match(seen!, /last here .*reached while it is open|reached while it is open.*last here/);
    assert.equal((await person.api.listApps()).length, 1);
  });

  test('a group is made, filled, renamed and deleted here, and its key sends to who is in it', async (t) => {
    const { person, at, page } = await ready(t, REFUSED);
    await goTo(page, 'groups');
    await page.getByLabel('Name').fill(' ');
    await press(page, 'Create group');
    await page.getByText('Name cannot be blank.').waitFor();
    await page.getByLabel('Name').fill('Night shift');
    await press(page, 'Create group');
    await page.getByText('Nobody is in it yet.').waitFor();
    const key = await page.locator('.things .copyable pre').textContent();
    const send = (message: string) =>
      post(peal(), 'messages.json', { token: person.token, user: key!, message });
    const field = (label: string) => page.locator('.inner').getByLabel(label);
    const add = async (user: string, device = '') => {
      await field('User key').fill(user);
      await field('Device').fill(device);
      await press(page, 'Add member');
    };

    await add('nobody');
    await page.getByText('User key is invalid.').waitFor();
    const focused = await field('User key').evaluate((input) => input === document.activeElement);
    await add(person.user, 'no such device');
    await page.getByText('Device is invalid, must be').waitFor();
    await add(person.user, 'other');
    await page.getByText('Device name is not valid for this user.').waitFor();
    await field('Memo').fill('Ada');
    await add(person.user);
    await page.getByText('1 member', { exact: true }).waitFor();
    await add(person.user);
    await page.getByText('User is already a member of this group.').waitFor();
    const first = await send('to all of them');
    await at.notice(({ body }) => body === 'to all of them');
    await press(page, 'Disable Ada');
    await page.locator('.inner').getByText('Disabled', { exact: true }).waitFor();
    const second = await send('to nobody');
    await press(page, 'Enable Ada');
    await page.locator('.inner').getByText('Disabled', { exact: true }).waitFor({ state: 'detached' });
    await press(page, 'Rename Night shift');
    await page.getByLabel('New name for Night shift').fill('Day shift');
    await press(page, 'Save');
    await page.getByText('Day shift', { exact: true }).waitFor();
    const listed = await accountOf(person).listGroups();
    await press(page, 'Remove Ada');
    await answer(page, 'Remove');
    await page.getByText('Nobody is in it yet.').waitFor();
    await press(page, 'Delete Day shift');
    await answer(page, 'Delete');
    await page.getByText('There is no group yet.').waitFor();
    const third = await send('to nobody');

    assert.ok(focused);
    assert.deepEqual(listed, [{ group: key, name: 'Day shift', members: 1 }]);
    assert.deepEqual([first.status, second.status, third.status], [200, 400, 400]);
    assert.match(key!, /^g[A-Za-z0-9]{29}$/);
  });

  test('of a very large group some members are shown, and more when they are asked for', async (t) => {
    const { person, page } = await ready(t, REFUSED);
    const key = await accountOf(person).createGroup('Everybody');
    await crowd(tableOf(peal(), 'Directory'), { key, owner: person.user }, 230);
    await goTo(page, 'groups');
    const counts: number[] = [];
    const shown = page.locator('.inner .things li');

    await press(page, 'Members of Crowd');
    for (const count of [100, 200, 230]) {
      await shown.nth(count - 1).waitFor();
      counts.push(await shown.count());
      if (count < 230) await press(page, 'Show more');
    }

    assert.deepEqual(counts, [100, 200, 230]);
    assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);
  });
}
