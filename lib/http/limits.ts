/** What a request may hold. Everything here is checked before the work that it bounds is done. */
import { BodyError } from './errors.ts';

export interface Limits {
  /** Bytes of the body. */
  bodyBytes: number;
  /** Fields: pairs, parts or members of the JSON object, repeated ones included; query and body each. */
  fields: number;
  /** Bytes of a field's name. */
  nameBytes: number;
  /** Bytes of the headers of one multipart part. */
  partHeaderBytes: number;
  /** Levels of JSON; the outer object is the first. */
  jsonDepth: number;
  /** Commas in a JSON body, which bound its values wherever they are. */
  jsonCommas: number;
}

export const DEFAULT_LIMITS: Limits = {
  // All that a Lambda's event can hold, which an image as base64 in JSON comes near: what is too large for its endpoint
  // is told the way there.
  bodyBytes: 6 * 1024 * 1024,
  fields: 200,
  nameBytes: 200,
  partHeaderBytes: 8 * 1024,
  jsonDepth: 8,
  jsonCommas: 5000,
};

/** One more field: answers the new count, throws BodyError when it is one too many. */
export function countField(count: number, limits: Limits): number {
  if (count >= limits.fields) throw new BodyError('body', `has more than ${limits.fields} fields`);
  return count + 1;
}
