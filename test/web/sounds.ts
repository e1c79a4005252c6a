/** Tests of what is heard, in the browser and the Peal of `web.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mp3 } from '../media/builders.ts';
import { type Listening, listenToSounds } from './in-page.ts';
import type { Web } from './use-web.ts';
import { upload } from './visit.ts';

export function sounds({ peal, ready }: Web): void {
  test('a message sounds as its sender or the device’s owner chose, and not when it is not to be heard', async (t) => {
    const { at, page, send, person } = await ready(t, /status of 404|ERR_FAILED/);
    await page.evaluate(listenToSounds);
    const { secret } = person;
    const sound = await upload(peal(), 'sounds.json', 'sound', mp3(40), { secret, name: 'mine' });
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
}
