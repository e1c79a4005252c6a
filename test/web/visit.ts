/** The web app in a Chromium, as a person has it: one browser for all tests, a profile of its own for each. */
import assert from 'node:assert/strict';
import { EventEmitter, on } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import {
  type Browser,
  type BrowserContext,
  type CDPSession,
  chromium,
  type Page,
  type WebSocket,
} from 'playwright-core';
import { createApi, type PealApi } from '../../lib/device/index.ts';
import { FLAGS } from '../browser/chromium.ts';
import { PASSWORD, seedAccount, tableOf } from '../support/directory.ts';
import { request, type TestPeal } from '../support/peal.ts';

/** A notification that the page or the worker has shown. */
export interface Shown {
  tag: string;
  title: string;
  body: string;
  silent: boolean;
  /** Address of its image. */
  image?: string;
}

/** An account of which the test knows the password. */
export interface Account {
  email: string;
  password: string;
  user: string;
  secret: string;
  api: PealApi;
  token: string;
}

/** A profile of the browser, with the permission to notify. */
export interface Visit {
  context: BrowserContext;
  /** What its pages have shown, in order. */
  shown: Shown[];
  /** What its pages complained of: a policy that was violated, an error that nobody caught. */
  complaints: string[];
  /** How many sockets its tabs have open. */
  sockets(): number;
  /** The next notification that fits, of those shown already or still to come within 20 seconds. */
  notice(fits: (shown: Shown) => boolean): Promise<Shown>;
  /** A tab at the app. */
  open(path?: string): Promise<Page>;
  /** Opens a tab and logs in, which makes this browser a device. Resolves when it is connected. */
  enter(account: Account): Promise<Page>;
  close(): Promise<void>;
}

/** Milliseconds. */
const PATIENCE = 20_000;

const WIDE = { width: 1280, height: 800 };

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    chromiumSandbox: false,
    args: FLAGS,
  });
}

let accounts = 0;

export async function newPerson(peal: TestPeal): Promise<Account> {
  accounts++;
  const email = `person${accounts}@example.org`;
  const seeded = await seedAccount(tableOf(peal, 'Directory'), email);
  const api = createApi({ url: peal.api }).withSecret(seeded.secret);
  return { ...seeded, email, password: PASSWORD, api };
}

export async function newVisit(browser: Browser, peal: TestPeal): Promise<Visit> {
  const context = await browser.newContext({
    viewport: WIDE,
    // What moves is drawn anew all the time, without a graphics card by the processor.
    reducedMotion: 'reduce',
    permissions: ['notifications', 'clipboard-write'],
  });
  context.setDefaultTimeout(PATIENCE);
  const shown: Shown[] = [];
  const complaints: string[] = [];
  const events = new EventEmitter<{ shown: [Shown] }>();
  await context.exposeBinding('noticed', (_, notice: Shown) => {
    shown.push(notice);
    events.emit('shown', notice);
  });
  await context.addInitScript(() => {
    // A blank page has none.
    if (!('ServiceWorkerRegistration' in window)) return;
    const { prototype } = ServiceWorkerRegistration;
    const show = prototype.showNotification;
    prototype.showNotification = function (title, options = {}) {
      const { tag = '', body = '', silent, image } = options as NotificationOptions & { image?: string };
      (window as unknown as { noticed(notice: unknown): void }).noticed({
        title,
        tag,
        body,
        silent: silent === true,
        ...(image && { image }),
      });
      return show.call(this, title, options);
    };
  });
  context.on('console', (message) => {
    // The network is cut on purpose, and such a profile has no push service.
    if (message.type() === 'error' && !/net::ERR_|Push API in incognito/.test(message.text()))
      complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));

  const sockets = new Map<WebSocket, Page>();
  context.on('page', (page) => {
    page.on('websocket', (socket) => {
      sockets.set(socket, page);
      socket.on('close', () => sockets.delete(socket));
    });
  });

  async function open(path = '/'): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${peal.web}${path}`);
    return page;
  }

  return {
    context,
    shown,
    complaints,
    sockets: () => [...sockets.values()].filter((page) => !page.isClosed()).length,
    async notice(fits) {
      const known = shown.find(fits);
      if (known) return known;
      try {
        for await (const [notice] of on(events, 'shown', { signal: AbortSignal.timeout(PATIENCE) })) {
          if (fits(notice)) return notice;
        }
      } catch (cause) {
        throw new Error(`only shown: ${JSON.stringify(shown)}`, { cause });
      }
      throw new Error('the browser has ended');
    },
    open,
    async enter({ email, password }) {
      const page = await open();
      await page.getByLabel('Email').fill(email);
      await page.getByLabel('Password').fill(password);
      await page.locator('button[type=submit]').click();
      await connected(page);
      return page;
    },
    close: () => context.close(),
  };
}

export const connected = (page: Page) => page.locator('.status.connected').waitFor();

/** Goes to the list of messages. */
export const toList = (page: Page) => page.getByRole('link', { name: 'Messages', exact: true }).click();

/** Resolves with the answer to the next acknowledgement of a page. */
export const acknowledged = (page: Page) =>
  page.waitForResponse(
    (response) =>
      /\/devices\/\w+\/acknowledge\.json/.test(response.url()) && response.request().method() === 'POST',
  );

/** What still waits at the server for the first device of an account. */
export async function waiting({ api }: Account): Promise<unknown[]> {
  const [device] = await api.listDevices();
  return (await api.sync(device!.id)).messages;
}

/** Posts a file as an account, or as one of its apps. */
export async function upload(
  peal: TestPeal,
  path: string,
  name: string,
  file: Buffer,
  fields: Record<string, string>,
): Promise<Record<string, unknown>> {
  const body = new FormData();
  for (const [field, value] of Object.entries(fields)) body.set(field, value);
  body.set(name, new Blob([new Uint8Array(file)]), 'file');
  const answer = await request(peal, path, { method: 'POST', body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

export const withImage = (peal: TestPeal, { token, user }: Account, message: string, image: Buffer) =>
  upload(peal, 'messages.json', 'attachment', image, { token, user, message });

/** The row of a message in the list. */
export const rowOf = (page: Page, text: string) => page.locator('.message', { hasText: text });

/** What axe finds on a page that is serious or worse. */
export async function seriousIssues(page: Page): Promise<string[]> {
  // The app is one document as long as it is open, and half a megabyte takes a while to compile.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(async () => {
    const run = (window as unknown as { axe: typeof axe }).axe.run;
    return (await run(document, { resultTypes: ['violations'] })) as axe.AxeResults;
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
}

/** Reaches the service worker of the app as the browser's push service would, also when no tab is open. */
export interface PushService {
  deliver(payload: unknown): Promise<void>;
}

/** Has to be called while the app is open in a tab. */
export async function pushService({ context }: Visit, { web }: TestPeal): Promise<PushService> {
  // A tab at nowhere: what it delivers finds the worker by its origin.
  const page = await context.newPage();
  const session: CDPSession = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const own = registrations.find(({ scopeURL }) => scopeURL.startsWith(web));
      if (own) resolve(own.registrationId);
    });
  });
  await session.send('ServiceWorker.enable');
  const registrationId = await registered;
  return {
    async deliver(payload) {
      await session.send('ServiceWorker.deliverPushMessage', {
        origin: `${web}/`,
        registrationId,
        data: JSON.stringify(payload),
      });
    },
  };
}

/** Kills a tab's process as a crash does. */
export async function kill({ context }: Visit, page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash');
  const session = await context.newCDPSession(page);
  // Never answered: who should answer is dead.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
  await page.close();
}
