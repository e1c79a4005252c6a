/** What is sent as a form, and what is read of Peal's answers. */
import { isRecord } from './envelope.ts';
import { ProtocolError } from './errors.ts';

/** Fields as a form, for those that are files. */
export function form(fields: object): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) data.append(name, value instanceof Blob ? value : String(value));
  }
  return data;
}

/** @throws ProtocolError if the answer has no such text */
export function text(answer: Record<string, unknown>, field: string): string {
  const value = answer[field];
  if (typeof value !== 'string') throw missing(field);
  return value;
}

/** Objects with an id. @throws ProtocolError if they are not */
export function list<T extends { id: string }>(answer: Record<string, unknown>, field: string): T[] {
  return items<T>(answer, field, 'id');
}

/**
 * The items are Peal's own: only that they are objects, and that they are named, is checked.
 *
 * @param key what names one
 * @throws ProtocolError if they are not
 */
export function items<T>(answer: Record<string, unknown>, field: string, key: keyof T & string): T[] {
  const found = answer[field];
  const isItem = (item: unknown) => isRecord(item) && typeof item[key] === 'string';
  if (!Array.isArray(found) || !found.every(isItem)) throw missing(field);
  return found as T[];
}

/** What an answer that lacks a field is. */
export const missing = (field: string) => new ProtocolError(`the answer has no usable "${field}"`);
