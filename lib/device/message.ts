/** From what the API sends to what the device keeps: sealed messages, and plain ones with the classic fields. */
import { isRecord, type Message, type ReadEnvelope, readEnvelope } from './envelope.ts';
import { fromBase64, type KeyPair } from './keys.ts';
import { type Opened, type Opener, openEnvelope } from './open.ts';

/** A message that could be read. */
export interface ReadableMessage {
  kind: 'message';
  id: number;
  message: Message;
}

/** A message that could not be read. It is kept as it came: a later version of the software may read it. */
export interface UnreadableMessage {
  kind: 'unreadable';
  id: number;
  /**
   * `version`: an envelope of a later version. `seal`: not sealed for this device's key, or damaged. `json`,
   * `shape`: opened, but no envelope. `id`: the envelope is another message's. `key`: sealed, and the device has no key.
   */
  reason: 'version' | 'seal' | 'json' | 'shape' | 'id' | 'key';
  /** The message as it came: the sealed bytes in base64, or the plain object. */
  kept: { sealed: string } | { plain: Record<string, unknown> };
}

/** A message on its way into the device's database. */
export type NewMessage = ReadableMessage | UnreadableMessage;

/** How messages are opened on this device. */
export interface Reading {
  /** Absent: the device registered no key and gets plain messages. */
  keys?: KeyPair | undefined;
  /** Default: `openSealed`. */
  open?: Opener | undefined;
}

/**
 * Reads one message of a sync answer. Never throws.
 *
 * @returns undefined if it has no usable id: nothing can be kept or acknowledged then
 */
export function readMessage(item: unknown, reading: Reading): NewMessage | undefined {
  if (!isRecord(item)) return undefined;
  const id = idOf(item.id) ?? idOf(item.id_str);
  if (id === undefined) return undefined;
  return typeof item.sealed === 'string' ? readSealed(id, item.sealed, reading) : readPlain(id, item);
}

/**
 * Reads a sealed message of which the id is known from beside it.
 *
 * The id inside has to be the same, else a mix-up on the way would have one message acknowledged for another.
 */
export function readSealed(id: number, sealed: string, { keys, open }: Reading): NewMessage {
  const kept = { sealed };
  if (!keys) return { kind: 'unreadable', id, reason: 'key', kept };
  const bytes = fromBase64(sealed);
  if (!bytes) return { kind: 'unreadable', id, reason: 'seal', kept };
  return fromOpened(id, openEnvelope(bytes, keys, open), kept);
}

/** A message id, from a number or its decimal text; undefined if it is none (1 … 2^53 − 1). */
export function idOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^[1-9]\d{0,15}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) > 0 ? (number as number) : undefined;
}

/** Classic names of fields that the envelope calls otherwise. */
const CLASSIC = { received: 'queued_date', expires: 'expiration_date' } as const;

/** What a plain message may have empty. */
const OPTIONAL = [
  'title',
  'url',
  'url_title',
  'sound',
  'html',
  'monospace',
  'encrypted',
  'received',
  'expires',
  'receipt',
  'attachment',
];

/** A plain message is an envelope under Pushover's names, with `null`, '' and 0 where the envelope has nothing. */
function readPlain(id: number, item: Record<string, unknown>): NewMessage {
  const { received, expires, ...fields } = item;
  const envelope: Record<string, unknown> = {
    ...fields,
    v: 1,
    id,
    received: item[CLASSIC.received] ?? received,
    expires: item[CLASSIC.expires] ?? expires,
  };
  for (const field of OPTIONAL) if (!envelope[field]) delete envelope[field];
  // The classic answer always has both times; the envelope has the second only where it says something.
  if (envelope.received === envelope.date) delete envelope.received;
  return fromOpened(id, readEnvelope(envelope), { plain: item });
}

function fromOpened(id: number, opened: Opened | ReadEnvelope, kept: UnreadableMessage['kept']): NewMessage {
  if (opened.kind === 'unknown-version') return { kind: 'unreadable', id, reason: 'version', kept };
  if (opened.kind === 'unreadable') return { kind: 'unreadable', id, reason: opened.reason, kept };
  const { v: _, ...message } = opened.envelope;
  if (message.id !== id) return { kind: 'unreadable', id, reason: 'id', kept };
  return { kind: 'message', id, message };
}
