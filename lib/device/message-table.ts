/** The content of a device's database in memory, changed only by records: what the stores in memory and in a file share. */
import { isRecord } from './envelope.ts';
import { idOf, type NewMessage } from './message.ts';
import type { AttachmentLoss, StoredMessage } from './store.ts';

/** A change of the database. As JSON, it is a line of the file store's journal. */
export type TableRecord =
  | { op: 'add'; messages: readonly NewMessage[] }
  | { op: 'shown'; ids: readonly number[] }
  | { op: 'attachment'; ids: readonly number[]; state: 'stored' | AttachmentLoss }
  /** `at`: Unix seconds. */
  | { op: 'remove'; ids: readonly number[]; at: number };

/**
 * How long a removed message's id stays known: longer than Peal keeps a message (21 days), after which no copy of it
 * can come any more. Seconds.
 */
const TOMBSTONE_SECONDS = 30 * 86_400;

/** Messages by id, and the ids of removed ones. */
export class MessageTable {
  readonly #messages = new Map<number, StoredMessage>();
  /** When each removed message was removed. Unix seconds. */
  readonly #removed = new Map<number, number>();
  #highest: number | undefined;

  /** The messages of a batch that would change something; the others are repeats. */
  news(messages: readonly NewMessage[]): NewMessage[] {
    return messages.filter((message) => this.#isNew(message));
  }

  apply(record: TableRecord): void {
    switch (record.op) {
      case 'add':
        for (const message of record.messages) {
          // Looked at one by one: a batch may have a message twice.
          if (!this.#isNew(message)) continue;
          this.#messages.set(message.id, { ...message, shown: false });
          this.#highest = Math.max(this.#highest ?? 0, message.id);
        }
        break;
      case 'shown':
        for (const id of record.ids) {
          const message = this.#messages.get(id);
          if (message) this.#messages.set(id, { ...message, shown: true });
        }
        break;
      case 'attachment':
        for (const id of record.ids) {
          const message = this.#messages.get(id);
          if (message) this.#messages.set(id, { ...message, attachment: record.state });
        }
        break;
      case 'remove':
        for (const id of record.ids) {
          this.#messages.delete(id);
          this.#removed.set(id, record.at);
          this.#highest = Math.max(this.#highest ?? 0, id);
        }
        break;
    }
  }

  #isNew({ id, kind }: NewMessage): boolean {
    if (this.#removed.has(id)) return false;
    const known = this.#messages.get(id);
    return !known || (known.kind === 'unreadable' && kind === 'message');
  }

  has(id: number): boolean {
    return this.#messages.has(id) || this.#removed.has(id);
  }

  get(id: number): StoredMessage | undefined {
    return this.#messages.get(id);
  }

  /** Whether a message is there of whose attachment nothing is known yet. */
  awaitsAttachment(id: number): boolean {
    const message = this.#messages.get(id);
    return message !== undefined && message.attachment === undefined;
  }

  list(): StoredMessage[] {
    return [...this.#messages.values()].sort((a, b) => a.id - b.id);
  }

  unshown(): StoredMessage[] {
    return this.list().filter((message) => !message.shown);
  }

  unreadable(): StoredMessage[] {
    return this.list().filter((message) => message.kind === 'unreadable');
  }

  expiring(): { id: number; expires: number }[] {
    return this.list().flatMap(({ id, ...rest }) =>
      rest.kind === 'message' && rest.message.expires !== undefined
        ? [{ id, expires: rest.message.expires }]
        : [],
    );
  }

  highest(): number | undefined {
    return this.#highest;
  }

  /** How many messages and removed ids there are: what a journal without history would hold. */
  size(): number {
    return this.#messages.size + this.#removed.size;
  }

  /**
   * The shortest records that make this table anew, without tombstones that have served.
   *
   * @param now Unix seconds
   */
  snapshot(now: number): TableRecord[] {
    for (const [id, at] of this.#removed) {
      // The highest stays, so that `highest` does not fall.
      if (at < now - TOMBSTONE_SECONDS && id !== this.#highest) this.#removed.delete(id);
    }
    const messages = this.list();
    const shown = messages.filter((message) => message.shown).map(({ id }) => id);
    return [
      ...messages.map(
        ({ shown: _, attachment: __, ...message }): TableRecord => ({ op: 'add', messages: [message] }),
      ),
      ...messages.flatMap(({ id, attachment }): TableRecord[] =>
        attachment === undefined ? [] : [{ op: 'attachment', ids: [id], state: attachment }],
      ),
      ...(shown.length > 0 ? [{ op: 'shown', ids: shown } satisfies TableRecord] : []),
      ...[...this.#removed].map(([id, at]): TableRecord => ({ op: 'remove', ids: [id], at })),
    ];
  }
}

/** Reads a record back from JSON text; undefined if it is none. */
export function parseRecord(line: string): TableRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Half a line, or none: the caller knows what that means where it stands.
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { op, ids, messages, at } = value;
  const isMessage = (item: unknown) =>
    isRecord(item) && idOf(item.id) === item.id && (item.kind === 'message' || item.kind === 'unreadable');
  if (op === 'add') {
    return Array.isArray(messages) && messages.every(isMessage) ? (value as TableRecord) : undefined;
  }
  if (!Array.isArray(ids) || !ids.every((id) => idOf(id) === id)) return undefined;
  if (op === 'attachment') return isState(value.state) ? (value as TableRecord) : undefined;
  return op === 'shown' || (op === 'remove' && Number.isSafeInteger(at)) ? (value as TableRecord) : undefined;
}

function isState(value: unknown): boolean {
  return value === 'stored' || value === 'gone' || value === 'damaged' || value === 'given-up';
}
