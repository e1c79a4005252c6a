import { Refusal } from '../refusal.ts';
import type { Params } from './params.ts';

/**
 * A file that must be there, as a part of a multipart form.
 *
 * @param most bytes
 * @throws Refusal naming it; 413 if it is too large
 */
export function requiredFile(params: Params, field: string, most: number): Uint8Array {
  const file = params.file(field);
  if (!file) {
    const reason = params.has(field) ? 'must be a file of a multipart form' : 'cannot be blank';
    throw new Refusal({ field, reason });
  }
  if (file.bytes.length === 0) throw new Refusal({ field, reason: 'cannot be blank' });
  if (file.bytes.length > most) throw new Refusal({ field, reason: `is larger than ${most} bytes` }, 413);
  return file.bytes;
}
