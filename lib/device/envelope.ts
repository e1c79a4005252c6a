/** Reads an envelope: strict about what it knows, deaf to fields that a later server adds. */
import { ENVELOPE_VERSION, type Envelope, type EnvelopeAttachment } from '../protocol/envelope.ts';

/** A message as the device keeps and shows it. */
export type Message = Omit<Envelope, 'attachment' | 'v'> & { attachment?: MessageAttachment };

/** What a message says of its image. A device without a key gets it opened, and no id and key. */
export type MessageAttachment = Pick<EnvelopeAttachment, 'size' | 'type'> &
  Partial<Pick<EnvelopeAttachment, 'id' | 'key'>>;

/** What reading gave. */
export type ReadEnvelope =
  | { kind: 'envelope'; envelope: Envelope }
  /** A later version: keep the sealed message until the device's software knows it. */
  | { kind: 'unknown-version'; version: number }
  /** `json`: not UTF-8 JSON; `shape`: `field` is missing or not what it has to be. */
  | { kind: 'unreadable'; reason: 'json' }
  | { kind: 'unreadable'; reason: 'shape'; field: string };

const integer =
  (min: number, max: number) =>
  (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
const text = (value: unknown) => typeof value === 'string';
const one = (value: unknown) => value === 1;
const id = integer(1, Number.MAX_SAFE_INTEGER);
const time = integer(0, Number.MAX_SAFE_INTEGER);

/** Every field of version 1: what it has to be, and whether it has to be there. See `protocol/envelope.ts`. */
const FIELDS: { [name in keyof Message]-?: { is(value: unknown): boolean; required?: true } } = {
  id: { is: id, required: true },
  umid: { is: id, required: true },
  app: { is: text, required: true },
  aid: { is: integer(0, 2 ** 31 - 1), required: true },
  icon: { is: text, required: true },
  date: { is: time, required: true },
  received: { is: time },
  message: { is: text, required: true },
  title: { is: text },
  url: { is: text },
  url_title: { is: text },
  priority: { is: integer(-2, 2), required: true },
  sound: { is: text },
  html: { is: one },
  monospace: { is: one },
  encrypted: { is: one },
  expires: { is: time },
  receipt: { is: text },
  retry: { is: time },
  ack_until: { is: time },
  attachment: { is: isAttachment },
};

/**
 * Reads an envelope from what a sealed message had inside. Never throws.
 *
 * @param plaintext UTF-8 JSON
 * @example
 * const read = parseEnvelope(plaintext);
 * if (read.kind === 'envelope') show(read.envelope.message);
 */
export function parseEnvelope(plaintext: Uint8Array): ReadEnvelope {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
  } catch {
    // Both calls throw for one reason only: the bytes are not UTF-8, the text is not JSON.
    return { kind: 'unreadable', reason: 'json' };
  }
  return readEnvelope(value);
}

/** {@link parseEnvelope} for JSON that is parsed already. */
export function readEnvelope(value: unknown): ReadEnvelope {
  if (!isRecord(value)) return { kind: 'unreadable', reason: 'json' };
  const version = value.v;
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    return { kind: 'unreadable', reason: 'shape', field: 'v' };
  }
  if (version !== ENVELOPE_VERSION) return { kind: 'unknown-version', version: version as number };
  const known: Record<string, unknown> = { v: version };
  for (const [field, { is, required }] of Object.entries(FIELDS)) {
    const content = Object.hasOwn(value, field) ? value[field] : undefined;
    if (content === undefined ? required : !is(content))
      return { kind: 'unreadable', reason: 'shape', field };
    if (content !== undefined) known[field] = content;
  }
  return { kind: 'envelope', envelope: known as unknown as Envelope };
}

/** Id and key are there together, or not at all. */
function isAttachment(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { id: name, key, type, size } = value;
  const sealed = text(name) && text(key);
  return text(type) && time(size) && (sealed || (name === undefined && key === undefined));
}

/** An object as JSON has them, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
