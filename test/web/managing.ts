/** Tests of the pages that manage an account, in the browser and the Peal of `pages.test.ts`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { encode } from 'uqr';
import { createAccountApi } from '../../lib/device/account-api.ts';
import { createApi } from '../../lib/device/index.ts';
import type { Cleanup } from '../local/assemblies.ts';
import { png } from '../media/builders.ts';
import { post } from '../support/peal.ts';
import { codeOf } from '../support/totp.ts';
import type { Web } from './use-web.ts';
import { type Account, connected, seriousIssues } from './visit.ts';

/** The browser notes each refusal in its console; that it is shown is what the tests look at. */
export const REFUSED = /status of 4\d\d/;

const BELL = readFileSync(join(import.meta.dirname, '../../functions/media/assets/sounds/bike.mp3'));

/** They wait for one another's Peal more than they work: two at a time. */
export function managing(shared: Web): void {
  describe('managing the account', { concurrency: 2 }, () => pages(shared));
}

function pages({ peal, visit, ready }: Web): void {
  /** A page that manages, of a person who is logged in. */
  async function at(t: Cleanup, place: string) {
    const entered = await ready(t, REFUSED);
    await goTo(entered.page, place);
    return entered;
  }

  const sendWith = async (token: string, { user }: Account) =>
    (await post(peal(), 'messages.json', { token, user, message: 'hello' })).status;

  const accountOf = ({ secret }: Account) => createAccountApi({ url: peal().api, secret });

  test('an app made here sends with its token, until it gets another one; it has an icon for a while; then it is removed', async (t) => {
    const { person, page } = await at(t, 'apps');
    const token = page.locator('.fresh pre');
    await page.getByLabel('Name').fill('a name far beyond its limit');
    await press(page, 'Create app');
    await page.getByText('Name is too long').waitFor();
    const focused = await page.getByLabel('Name').evaluate((field) => field === document.activeElement);

    await page.getByLabel('Name').fill('Door bell');
    await press(page, 'Create app');
    const first = await token.textContent();
    const sent = [await sendWith(first!, person)];
    await press(page, 'New token for Door bell');
    await answer(page, 'New token');
    await token.filter({ hasNotText: first! }).waitFor();
    await page.locator('.fresh h2:focus').waitFor();
    const second = await token.textContent();
    sent.push(await sendWith(first!, person), await sendWith(second!, person));
    const shown = await token.evaluate((field) => field.getBoundingClientRect().bottom <= innerHeight);
    await press(page, 'I have kept it');
    const choose = (buffer: Buffer) =>
      page
        .getByLabel('Set icon of Door bell')
        .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer });
    await choose(Buffer.from('not an image'));
    const refusal = await page.locator('.things .wrong:not(:empty)').textContent();
    await choose(png(300, 200));
    const image = page.locator('.things img');
    const width = await image.evaluate(async (element: HTMLImageElement) => {
      await element.decode();
      return element.naturalWidth;
    });
    await press(page, 'Remove icon of Door bell');
    await image.waitFor({ state: 'detached' });
    const kept = await page.evaluate(() => document.body.textContent + JSON.stringify(localStorage));
    await press(page, 'Remove Door bell');
    await answer(page, 'Remove');
    await page.getByText('Door bell', { exact: true }).waitFor({ state: 'detached' });
    sent.push(await sendWith(second!, person));

    assert.ok(focused);
    assert.deepEqual(sent, [200, 400, 200, 400]);
    assert.ok(shown);
    assert.match(refusal!, /no picture/);
    assert.equal(width, 256);
    assert.ok(!kept.includes(second!));
    assert.deepEqual(
      (await person.api.listApps()).map(({ name }) => name),
      ['Tests'],
    );
  });

  test('a device is renamed, disabled, enabled and removed; this browser is marked and only leaves by logging out', async (t) => {
    const { person, page } = await ready(t, REFUSED);
    await person.api.registerDevice({ name: 'laptop', platform: 'open' });
    const [browser] = (await person.api.listDevices()).filter(({ platform }) => platform === 'web');
    const laptop = async () => (await person.api.listDevices()).find(({ platform }) => platform === 'open');
    await goTo(page, 'devices');

    await press(page, 'Rename laptop');
    await page.locator('input[name=new-name]:focus').waitFor();
    await page.getByLabel('New name for laptop').fill(browser!.name);
    await press(page, 'Save');
    await page.getByText('Name has already been taken.').waitFor();
    await page.getByLabel('New name for laptop').fill('desk');
    await press(page, 'Save');
    await press(page, 'Disable desk');
    await page.getByText('Disabled', { exact: true }).waitFor();
    const disabled = await laptop();
    await press(page, 'Enable desk');
    await page.getByText('Disabled', { exact: true }).waitFor({ state: 'detached' });
    const enabled = await laptop();
    await press(page, 'Remove desk');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    const spared = await laptop();
    await press(page, 'Remove desk');
    await answer(page, 'Remove');
    await page.getByText('desk', { exact: true }).waitFor({ state: 'detached' });
    const own = await page.locator('.things li', { hasText: 'This browser' }).textContent();

    assert.deepEqual([disabled!.name, disabled!.enabled], ['desk', false]);
    assert.equal(enabled!.enabled, true);
    assert.ok(spared);
    assert.equal(await laptop(), undefined);
    assert.ok(own!.startsWith(browser!.name) && !own!.includes('Remove'), own!);
  });

  test('a second factor is set up with a code, and logging in and another password take one; it is taken away with a recovery code', async (t) => {
    const { person, page } = await at(t, 'security');
    await press(page, 'Set up');
    const card = page.locator('.card').first();
    await card.getByLabel('Current password').fill('not the password');
    await press(page, 'Continue');
    await page.getByText('Current password is invalid.').waitFor();
    await card.getByLabel('Current password').fill(person.password);
    const begun = page.waitForResponse((response) => response.url().endsWith('/users/twofa.json'));
    await press(page, 'Continue');
    const { otpauth } = await (await begun).json();
    const secret = await card.locator('pre').textContent();
    const drawn = await page.locator('.qr path').getAttribute('d');

    await page.getByRole('textbox', { name: 'Code' }).fill(wrong(codeOf(secret!)));
    await press(page, 'Turn on');
    await page.getByText('Code is invalid.').waitFor();
    await page.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret!));
    await press(page, 'Turn on');
    await page.getByText('Two-factor login is on now.').waitFor();
    const codes = (await card.locator('pre').textContent())!.split('\n');
    const downloading = page.waitForEvent('download');
    await press(page, 'Download');
    const file = readFileSync(await (await downloading).path(), 'utf8');
    await press(page, 'I have kept them');
    await page.getByText('10 recovery codes are left.').waitFor();
    const elsewhere = await (await visit(t, REFUSED)).open();
    await logIn(elsewhere, person);
    await elsewhere.getByLabel('Code of your authenticator').fill(codeOf(secret!, 1));
    await elsewhere.locator('button[type=submit]').click();
    await connected(elsewhere);
    await page.getByLabel('Current password').fill(person.password);
    await page.getByLabel('New password').fill('another horse');
    await press(page, 'Change password');
    await page.getByText('Code is required.').waitFor();
    await page.getByRole('textbox', { name: 'Code' }).fill(codes[4]!);
    await press(page, 'Change password');
    await page.getByText('The password was changed').waitFor();
    await press(page, 'Turn off');
    await card.getByLabel('Current password').fill('another horse');
    await page.getByRole('textbox', { name: 'Code' }).fill(codes[3]!);
    await press(page, 'Turn off');
    await page.getByText('Off. With it').waitFor();

    assert.match(otpauth, new RegExp(`secret=${secret}`));
    assert.equal(drawn!.split('M').length - 1, darkSquares(otpauth));
    assert.equal(new Set(codes).size, 10);
    assert.equal(file, `${codes.join('\n')}\n`);
    const { secret: session } = await createApi({ url: peal().api }).login({
      email: person.email,
      password: 'another horse',
    });
    assert.equal(session.length, 60);
  });

  test('a session that is ended here is logged out there at once; a change of the password ends all others', async (t) => {
    const { person, page } = await ready(t, REFUSED);
    const there = await (await visit(t, REFUSED)).open();
    await logIn(there, person, 'Elsewhere');
    await connected(there);
    await goTo(page, 'security');

    await press(page, 'End the session Elsewhere');
    await answer(page, 'End');
    await there.getByText('You were logged out').waitFor();
    await page.getByText('Elsewhere', { exact: true }).waitFor({ state: 'detached' });
    await page.getByLabel('Current password').fill(person.password);
    await page.getByLabel('New password').fill('short');
    await press(page, 'Change password');
    await page.getByText('New password is too short').waitFor();
    await page.getByLabel('New password').fill('another horse');
    await press(page, 'Change password');
    await page.getByText('The password was changed').waitFor();
    await page.getByText('This session').waitFor();
    const open = createApi({ url: peal().api });
    const { secret } = await open.login({ email: person.email, password: 'another horse', name: 'Script' });
    await goTo(page, 'apps');
    await goTo(page, 'security');
    await press(page, 'End all others');
    await answer(page, 'End all others');
    await page.getByText('Script').waitFor({ state: 'detached' });

    await assert.rejects(person.api.listApps(), /secret is invalid/);
    await assert.rejects(open.withSecret(secret).listApps(), /secret is invalid/);
    assert.equal(await page.locator('.things li').count(), 1);
  });

  test('who asks for a page in a session that is over goes to the login', async (t) => {
    const { page } = await ready(t, REFUSED);
    // As Peal answers it; without the socket's word, which would come first.
    const refusal = { secret: 'invalid', errors: ['secret is invalid'], status: 0, request: 'r' };
    await page.route('**/1/apps.json', (route) =>
      route.fulfill({ status: 400, json: refusal, headers: { 'access-control-allow-origin': '*' } }),
    );

    await page.evaluate(() => {
      location.hash = '#/apps';
    });
    await page.getByText('You were logged out').waitFor();

    assert.equal(await page.locator('.bar').count(), 0);
  });

  test('a sound is uploaded, played from Peal, and removed; what is wrong is said at its field', async (t) => {
    const { person, page } = await at(t, 'sounds');
    const upload = async (name: string, buffer: Buffer) => {
      await page.getByLabel('Name').fill(name);
      await page.getByLabel('File').setInputFiles({ name: 'a.mp3', mimeType: 'audio/mpeg', buffer });
      await press(page, 'Upload sound');
    };
    await upload('two words', Buffer.from('no music'));
    await page
      .locator('.field', { has: page.getByLabel('Name') })
      .locator('.wrong')
      .waitFor();
    await upload('ding', Buffer.from('no music'));
    const reason = await page
      .locator('.field', { has: page.getByLabel('File') })
      .locator('.wrong')
      .textContent();

    await page.getByLabel('Description').fill('A short ding');
    await upload('ding', BELL);
    await page.getByText('A short ding').waitFor();
    const [sound] = await accountOf(person).listSounds();
    const fetched = page.waitForResponse((response) => response.url().endsWith(`/sounds/${sound!.id}.mp3`));
    await press(page, 'Play ding');
    await fetched;
    await page.getByRole('button', { name: 'Play ding' }).waitFor();
    const complaint = await page.getByText('could not be played').count();
    await press(page, 'Remove ding');
    await answer(page, 'Remove');
    await page.getByText('There is no sound of yours yet.').waitFor();

    assert.match(reason!, /^File .*MP3/);
    assert.deepEqual([sound!.name, sound!.description], ['ding', 'A short ding']);
    assert.equal(complaint, 0);
    assert.deepEqual(await accountOf(person).listSounds(), []);
  });

  test('names that are markup are shown as text, and axe finds nothing serious on the pages, questions and menu', async (t) => {
    const { person, page } = await ready(t);
    const markup = [
      '<script>x()</script>',
      '<img src=x onerror="pwned=1">',
      '<svg onload="pwned=1">',
      '<iframe srcdoc="x">',
    ] as const;
    await person.api.createApp(markup[0]);
    const group = await accountOf(person).createGroup(markup[3]);
    await accountOf(person).addMember(group, { user: person.user, memo: markup[3] });
    await person.api.login({ email: person.email, password: person.password, name: markup[1] });
    await accountOf(person).addSound({ name: 'ding', description: markup[2], file: new Blob([BELL]) });
    const seen: number[] = [];
    const issues: string[] = [];

    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 390],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      for (const [place, attack] of [
        ['apps', markup[0]],
        ['security', markup[1]],
        ['sounds', markup[2]],
        ['devices', 'This browser'],
        ['groups', markup[3]],
      ] as const) {
        await goTo(page, place);
        await page.locator('.things').getByText(attack, { exact: true }).waitFor();
        if (place === 'groups') {
          await press(page, `Members of ${attack}`);
          await page.locator('.inner .strong', { hasText: attack }).waitFor();
        }
        seen.push(await page.locator('main :is(img, script, svg, iframe)').count());
        issues.push(...(await seriousIssues(page)));
      }
      await goTo(page, 'apps');
      await press(page, 'Remove Tests');
      await page.getByRole('dialog').waitFor();
      issues.push(...(await seriousIssues(page)));
      await page.keyboard.press('Escape');
    }
    await press(page, 'Menu');
    issues.push(...(await seriousIssues(page)));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    await page.getByRole('link', { name: 'Devices' }).click();
    await page.getByRole('link', { name: 'Devices' }).waitFor({ state: 'hidden' });

    assert.deepEqual(seen, Array(10).fill(0));
    assert.deepEqual(issues, []);
    assert.equal(await page.evaluate(() => 'pwned' in window), false);
    assert.equal(wide, 390);
  });
}

/** Goes to a page by its address; resolves when what it shows of the account is there. */
export async function goTo(page: Page, place: string): Promise<void> {
  await page.evaluate((name) => {
    location.hash = `#/${name}`;
  }, place);
  await page.locator('.things, .card > .muted:not([role])').first().waitFor();
}

/** Presses a button by its whole name. */
export const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

/** Agrees to the question that is asked. */
export const answer = (page: Page, action: string) =>
  page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();

async function logIn(page: Page, { email, password }: Account, device?: string): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  if (device) await page.getByLabel('Name of this browser').fill(device);
  await page.locator('button[type=submit]').click();
}

/** Another code of six digits. */
const wrong = (code: string) => String((Number(code) + 500_000) % 1_000_000).padStart(6, '0');

const darkSquares = (content: string) =>
  encode(content, { ecc: 'M', border: 4 }).data.flat().filter(Boolean).length;
