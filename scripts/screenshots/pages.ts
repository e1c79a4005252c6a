/** What is taken: a page of the app is a line here. */
import type { Page } from 'playwright-core';

export interface Shot {
  /** Of its files. */
  name: string;
  /** What the documentation says of it. */
  about: string;
  /** Where it is in the app, behind `#/`; undefined: nobody is logged in. */
  place?: string;
  /** What has to be on the page before it is taken. */
  ready: string;
  /** Brings the page into the state that is shown. */
  prepare?(page: Page): Promise<void>;
}

export const SHOTS: readonly Shot[] = [
  {
    name: 'messages',
    about: 'Messages by day, an emergency on top',
    place: '',
    ready: '.urgent',
    prepare: openEmergency,
  },
  { name: 'message', about: 'One message, with its image', place: '', ready: '.message', prepare: openImage },
  { name: 'start', about: 'The first minute', place: 'start', ready: '.copyable' },
  { name: 'apps', about: 'What may send', place: 'apps', ready: '.things img' },
  {
    name: 'groups',
    about: 'Groups and their members',
    place: 'groups',
    ready: '.things',
    prepare: openMembers,
  },
  { name: 'devices', about: 'What receives', place: 'devices', ready: '.things' },
  {
    name: 'history',
    about: 'What was sent, to whom it got, and how much',
    place: 'history',
    ready: '.sent .message img',
  },
  {
    name: 'security',
    about: 'The second factor, the password, the sessions',
    place: 'security',
    ready: '.things',
  },
  { name: 'settings', about: 'Sounds, quiet hours, encryption', place: 'settings', ready: '.card' },
  { name: 'sign-in', about: 'Before somebody is logged in', ready: 'form' },
];

/** Beside the list, where there is a place for it. */
async function openEmergency(page: Page): Promise<void> {
  if ((page.viewportSize()?.width ?? 0) > 760) await page.locator('.urgent a.open').click();
}

async function openImage(page: Page): Promise<void> {
  await page.locator('.message', { hasText: 'Response times are up' }).locator('a.open').click();
  await page.locator('.frame-of-picture.seen').waitFor();
}

async function openMembers(page: Page): Promise<void> {
  // The button says whether it is open already.
  const button = page.getByRole('button', { name: 'Members of On call' });
  if ((await button.getAttribute('aria-expanded')) === 'false') await button.click();
  await page.locator('.inner li').first().waitFor();
  await button.evaluate((element) => {
    const card = element.closest('.card');
    if (card) scrollTo(0, card.getBoundingClientRect().top + scrollY - 20);
  });
}
