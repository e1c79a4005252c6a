/** What a request about the history may say. */
import * as v from 'valibot';
import { optionalForm } from '../http/fields.ts';

/** The number of a message in its sender's history. */
const NUMBER = /^\d{1,16}$/;

/** Where a list goes on: what the page before it gave. */
const cursor = (form: RegExp) =>
  optionalForm(form, 'is not where a page ended', 'Where the list goes on: the `after` of the page before');

/** What listing takes. */
export const HISTORY = v.object({
  after: cursor(NUMBER),
  app: optionalForm(/^\d{1,10}$/, 'is not the id of an app', 'Only what this app has sent'),
});

/** What asking for one message takes. */
export const HISTORY_DEVICES = v.object({ after: cursor(/^\d{1,7}$/) });

/** Which message a path names. */
export const HISTORY_ID = v.pipe(
  v.string(),
  v.regex(NUMBER),
  v.description('Id of the message, as the list has it'),
);

/** The number that a path names; undefined if no message can have it. */
export function historyIdOf(text: string): number | undefined {
  const id = NUMBER.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(id) ? id : undefined;
}
