/**
 * What an answer weighs. Lambda hands over an answer as JSON, in which the body is a text: a body that is JSON itself is
 * escaped a second time. A quotation mark of a message takes four bytes (`\\\"`), a control character seven (`\\u0001`).
 */
import type { HttpAnswer } from './message.ts';

/** Most bytes that Lambda hands over as an answer (AWS Lambda quotas: 6 MB, which is 6 MiB). */
export const ANSWER_BYTES = 6 * 1024 * 1024;

/** Most bytes of the list in an answer, which leaves 64 KiB for its headers and its other fields. */
export const LIST_BYTES = ANSWER_BYTES - 64 * 1024;

/** Most bytes of an escaped UTF-16 unit: `\u0001`. */
const WORST_UNIT = 6;

/** Bytes that a value takes in the body of an answer. */
export function weightOf(value: unknown): number {
  return weightOfText(JSON.stringify(value));
}

/**
 * Makes sure that Lambda lets an answer through. None of ours is too large, or it is cut into pages: this is for the
 * one that somebody forgets, so that there is an error in the log that says so.
 *
 * @throws Error
 */
export function checkWeight({ headers, body }: HttpAnswer): void {
  // Nearly all answers are so small that they need not be looked at.
  if (body.length * WORST_UNIT <= LIST_BYTES) return;
  const bytes = typeof body === 'string' ? weightOfText(body) : 4 * Math.ceil(body.length / 3);
  const all = bytes + weightOf({ headers });
  if (all > ANSWER_BYTES) throw new Error(`the answer has ${all} bytes, more than Lambda hands over`);
}

/** Bytes of a text in JSON, without the quotation marks around it. */
function weightOfText(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
