/** The browser client in a real browser, for the tests of one file. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { findChromium, HOW_TO_GET_ONE } from '../browser/chromium.ts';
import type { Cleanup } from '../local/assemblies.ts';
import { post, type TestPeal, usePeal } from '../support/peal.ts';
import { type Account, launch, newPerson, newVisit, toList, type Visit } from './visit.ts';

/** What the tests of a file share: one browser and one Peal, a profile and an account for each test. */
export interface Web {
  peal(): TestPeal;
  /** A person's browser, closed after the test; nothing may be left that its pages complained of. */
  visit(t: Cleanup, tolerated?: RegExp): Promise<Visit>;
  /** A person who is logged in, at their messages. */
  ready(
    t: Cleanup,
    tolerated?: RegExp,
  ): Promise<{ person: Account; at: Visit; page: Page; send: ReturnType<Web['sender']> }>;
  /** Sends to an account, as its own app. */
  sender(
    account: Account,
  ): (message: string, more?: Record<string, string>) => Promise<Record<string, unknown>>;
}

/** Describes the web app, where there is a browser; on CI there has to be one. */
export function describeWeb(name: string, tests: (web: Web) => void): void {
  const executable = findChromium();
  if (executable !== undefined) {
    describe(name, () => tests(inChromium(executable)));
    return;
  }
  test(name, (t) => {
    assert.notEqual(process.env.CI, 'true', HOW_TO_GET_ONE);
    t.diagnostic(HOW_TO_GET_ONE);
  });
}

function inChromium(path: string): Web {
  let browser: Browser;
  after(() => browser?.close());
  const peal = usePeal();
  before(async () => {
    browser = await launch(path);
  });

  async function visit(t: Cleanup, tolerated?: RegExp): Promise<Visit> {
    const made = await newVisit(browser, peal());
    t.after(async () => {
      await made.close();
      const complaints = made.complaints.filter((text) => !tolerated?.test(text));
      assert.deepEqual(complaints, []);
    });
    return made;
  }

  async function ready(t: Cleanup, tolerated?: RegExp) {
    const person = await newPerson(peal());
    const at = await visit(t, tolerated);
    const page = await at.enter(person);
    await toList(page);
    return { person, at, page, send: sender(person) };
  }

  const sender: Web['sender'] =
    ({ token, user }) =>
    async (message, more = {}) => {
      const answer = await post(peal(), 'messages.json', { token, user, message, ...more });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body;
    };

  return { peal, visit, ready, sender };
}
