import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { createApi, e2eeKey, openE2eeText, sealE2eeText } from '../../lib/device/index.ts';
import { post, usePeal } from '../support/peal.ts';
import { type Browser, findChromium, HOW_TO_GET_ONE, startBrowser, type Tab } from './chromium.ts';
import type { Report } from './page.ts';

const executable = findChromium();

if (executable === undefined) {
  test('a browser is a device', (t) => {
    assert.notEqual(process.env.CI, 'true', HOW_TO_GET_ONE);
    t.diagnostic(HOW_TO_GET_ONE);
  });
} else {
  describe('a browser as a device', () => inChromium(executable));
}

const state = (wanted: string) => (report: Report) => report.kind === 'state' && report.state === wanted;
const message = (report: Report) => report.kind === 'message';
const end = (report: Report) => report.kind === 'end';

function inChromium(path: string): void {
  let browser: Browser;
  let accounts = 0;
  // Hooks run in this order: the browser goes first, and also when something is wrong with the cloud.
  after(() => browser?.close());
  const peal = usePeal();
  before(async () => {
    browser = await startBrowser(path);
  });

  const address = () => ({ api: peal().api, socket: peal().socket });

  /** A page that has joined a new account as a sealed desktop, and is connected. */
  async function ready() {
    accounts++;
    const email = `browser${accounts}@example.org`;
    const password = 'correct horse';
    const open = createApi({ url: peal().api });
    const { user, secret } = await open.signUp({ email, password });
    const api = open.withSecret(secret);
    const { token } = await api.createApp('Tests');
    const tab = await browser.open();
    const identity = await tab.page.evaluate(([to, mail, word]) => window.join(to, mail, word), [
      address(),
      email,
      password,
    ] as const);
    await tab.next(state('connected'));
    const send = (text: string, more: Record<string, string> = {}) =>
      post(peal(), 'messages.json', { token, user, message: text, ...more });
    return { api, user, token, tab, identity, send };
  }

  /** Resolves when the page's next acknowledgement was answered. */
  const acknowledged = ({ page }: Tab) =>
    page.waitForResponse(
      (response) =>
        /\/devices\/\w+\/acknowledge\.json/.test(response.url()) && response.request().method() === 'POST',
    );

  test('a message is signalled, synced, opened, shown and acknowledged', async () => {
    const { api, tab, identity, send } = await ready();
    const [device] = await api.listDevices();
    const answered = acknowledged(tab);

    const { status } = await send('hello 👋', { title: 'Grüße', priority: '1', sound: 'magic' });
    const report = await tab.next(message);
    const acknowledgement = await answered;
    const left = await api.sync(identity.device);

    assert.equal(status, 200);
    assert.equal(device?.public_key, identity.publicKey);
    assert.ok(report.kind === 'message' && report.message.kind === 'message');
    const { title, message: text, priority, sound, app } = report.message.message;
    assert.deepEqual([title, text, priority, sound, app], ['Grüße', 'hello 👋', 1, 'magic', 'Tests']);
    assert.equal(acknowledgement.status(), 200);
    assert.deepEqual(left.messages, []);
  });

  test('a page of another origin may log in, call with Authorization, and send', async () => {
    const { api, user, token, tab, identity } = await ready();

    const [request, called] = await tab.page.evaluate(
      async ([to, app, recipient, secret]) => {
        const sent = await window.send(to, app, recipient, 'from the page');
        const response = await fetch(`${to.api}/1/devices.json`, {
          headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
        });
        return [sent, { status: response.status, type: response.type }] as const;
      },
      [address(), token, user, identity.secret] as const,
    );
    const report = await tab.next(message);

    assert.notEqual(new URL(browser.origin).origin, new URL(peal().api).origin);
    assert.match(request, /^[0-9a-f-]{36}$/);
    assert.deepEqual(called, { status: 200, type: 'cors' });
    assert.ok(report.kind === 'message' && report.message.kind === 'message');
    assert.equal(report.message.message.message, 'from the page');
    assert.equal((await api.listDevices()).length, 1);
  });

  test('a field encrypted with the account’s key is opened and sealed as Node does it', async () => {
    const { tab } = await ready();
    const hex = '0123456789abcdef'.repeat(4);
    const key = await e2eeKey(hex);
    const evaluate = async (text: string) =>
      tab.page.evaluate(([secret, sealed]) => window.e2ee(secret, sealed, 'Grüße 👋'), [
        hex,
        await sealE2eeText(text, key),
      ] as const);

    const good = await evaluate('hello 👋');
    const bomb = await evaluate('\0'.repeat(10_000_000));

    assert.deepEqual([good.opened, bomb.opened], ['hello 👋', 'size']);
    assert.equal(await openE2eeText(good.sealed, key), 'Grüße 👋');
  });

  test('a connection that the server drops is made again, and what came meanwhile is shown', async () => {
    const { tab, send } = await ready();
    const socket = peal().cloud.socket!;
    const [connection] = socket.connections().slice(-1);
    const closed = once(connection!.socket, 'close');

    socket.drop(connection!.connectionId);
    await closed;
    await tab.next(state('waiting'));
    await send('meanwhile');
    const report = await tab.next(message);
    await tab.next(state('connected'));
    await send('afterwards');
    const later = await tab.next(message);

    const texts = [report, later].map((one) =>
      one.kind === 'message' && one.message.kind === 'message' ? one.message.message.message : one,
    );
    assert.deepEqual(texts, ['meanwhile', 'afterwards']);
  });

  test('a second tab of the same device takes over, and the first does not come back', async () => {
    const { tab, identity, send } = await ready();
    const second = await browser.open();

    await second.page.evaluate(([to, who]) => window.resume(to, who), [address(), identity] as const);
    await second.next(state('connected'));
    const ended = await tab.next(end);
    await tab.next(state('stopped'));
    await send('for the second');
    const report = await second.next(message);

    assert.deepEqual(ended, { kind: 'end', end: 'replaced' });
    assert.ok(report.kind === 'message' && report.message.kind === 'message');
    assert.equal(report.message.message.message, 'for the second');
  });
}
