/** Tests of how messages come to the app, in the browser and the Peal of `web.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allShown, listenForNotice, shownNow } from './in-page.ts';
import type { Web } from './use-web.ts';
import { acknowledged, connected, kill, pushService, rowOf, waiting } from './visit.ts';

export function receiving({ peal, ready }: Web): void {
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
    ['it was to be acknowledged', '/devices/*/acknowledge.json'],
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
      if (url.includes('acknowledge')) await at.notice((shown) => shown.body === 'exactly once');
      await reached.promise;
      if (url.includes('acknowledge')) await page.evaluate(allShown);
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
}
