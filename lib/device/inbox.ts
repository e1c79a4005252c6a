/**
 * What comes in, from sync or push: store it, then acknowledge it, and show it.
 *
 * Messages are acknowledged by their ids, and none that is not stored, so nothing is lost. Each message is shown once: that it was shown is
 * noted right after `onMessage`, and what was not noted is shown at the next occasion. A process that dies between
 * the two shows one message again after it starts (at least once); the other order would lose it. Who cannot bear a
 * repeat even then uses the id, which never changes, as the notification's tag or the line's key.
 *
 * An attachment is stored before its message is acknowledged: afterwards the server has it no longer. A message whose
 * attachment cannot be fetched for now is not acknowledged, so that the next sync brings it again, with another try; it
 * is shown all the same. After some tries, or when the server says that the attachment is gone, the loss is noted on
 * the message, which is acknowledged then.
 *
 * A message that has expired is neither stored nor acknowledged: Peal itself serves it no longer, at about the same
 * time, and a device whose clock is wrong must not delete what it has not shown.
 */
import type { PealApi } from './api.ts';
import { MAX_ATTACHMENT_BYTES, openAttachment } from './attachment.ts';
import { isRecord, type MessageAttachment } from './envelope.ts';
import { PealError, ProtocolError, StoreError } from './errors.ts';
import { idOf, type NewMessage, readMessage, readSealed } from './message.ts';
import type { Opener } from './open.ts';
import type { AttachmentLoss, DeviceStore, Identity, StoredMessage } from './store.ts';

/** Runs work that must not run twice at a time. */
export type Lock = <T>(work: () => Promise<T>) => Promise<T>;

/** What an inbox needs. */
export interface InboxOptions {
  store: DeviceStore;
  /** Shows a message. If it throws, the message counts as not shown and comes again at the next occasion. */
  onMessage(message: StoredMessage): void | Promise<void>;
  /**
   * Told what became of an attachment whose message was shown while it was still to be fetched (after a push, which
   * brings no attachment, or because it took long), in the life of this inbox.
   */
  onAttachment?: ((message: StoredMessage) => void | Promise<void>) | undefined;
  /** Told what does not stop the sync: an item that has no usable id, an attachment that could not be reported. */
  onError?: ((error: Error) => void) | undefined;
  open?: Opener | undefined;
  /**
   * Default: one at a time in this inbox. Where several contexts share a store (a page and its service worker), give
   * one that they share too: `(work) => navigator.locks.request('peal', work)`.
   */
  lock?: Lock | undefined;
  /** The time in milliseconds; default Date.now. */
  now?: (() => number) | undefined;
}

/** What a sync calls. */
export type InboxApi = Pick<PealApi, 'sync' | 'acknowledge' | 'fetchAttachment' | 'reportAttachment'>;

/** Tries for an attachment while this inbox lives; with the sync loop's backoff, some minutes. */
const ATTACHMENT_TRIES = 8;

/** How long new messages wait for their images before they are shown without. Milliseconds. */
const SHOW_AFTER_MS = 5_000;

/** Attachments that are fetched at once. */
const LANES = 4;

/** What became of a push: `new` and `known` are in the store; `sync` says that only a sync brings the message. */
export type PushResult = 'new' | 'known' | 'sync';

/** A device's inbox. */
export interface Inbox {
  /**
   * Fetches everything that waits, page by page: each is stored with its attachments, then acknowledged by its ids, and
   * what is new is shown. A message that cannot be read is stored as it came, shown as unreadable, and acknowledged.
   *
   * @throws what the API or the store throws, also if it was only an attachment that could not be fetched; what was
   *   fetched until then is stored, and shown
   */
  syncOnce(api: InboxApi): Promise<void>;
  /**
   * Takes the data of a push: FCM's `data`, the whole of an APNs payload, or the JSON of a Web Push. It goes the same
   * way, but is not acknowledged: only a sync tells Peal what has arrived. Never throws on the payload's account.
   */
  receivePush(payload: unknown): Promise<PushResult>;
  /** Shows what was stored and not shown; to be called once after the start. */
  showNew(): Promise<void>;
  /** Tries again to read what could not be read: to be called after the start, with software that may know more. */
  readAgain(): Promise<void>;
  /**
   * Removes messages that have expired.
   *
   * @returns when the next one expires, Unix seconds
   */
  removeExpired(): Promise<number | undefined>;
}

/** Creates an inbox on a store. */
export function createInbox(options: InboxOptions): Inbox {
  const { store, onMessage, onAttachment, onError, open } = options;
  const now = options.now ?? Date.now;
  const lock = options.lock ?? createLock();

  const hasExpired = (message: NewMessage) =>
    message.kind === 'message' &&
    message.message.expires !== undefined &&
    message.message.expires * 1000 <= now();

  /** Failed tries, by message id. */
  const tries = new Map<number, number>();

  /** Messages that were shown before their attachments. */
  const bare = new Set<number>();

  async function identity(): Promise<Identity> {
    const found = await store.identity();
    if (!found) throw new StoreError('this device is not registered; log in and register it first');
    return found;
  }

  /** @returns what was on the page and is stored now, and the highest id on it */
  async function keep(items: readonly unknown[], { keys }: Identity) {
    const messages = items
      .map((item) => readMessage(item, { keys, open }))
      .filter((message) => message !== undefined);
    if (messages.length < items.length) {
      onError?.(new ProtocolError(`${items.length - messages.length} messages without a usable id`));
    }
    const stored = messages.filter((message) => !hasExpired(message));
    await store.add(stored);
    return { stored, highest: highestOf(messages) };
  }

  /**
   * Fetches and stores the attachments of a page that are not stored yet.
   *
   * @returns the messages whose attachments are to be tried again, and why
   * @throws what the store throws, and PealError if the device is signed out
   */
  async function fetchAttachments(api: InboxApi, { device }: Identity, page: NewMessage[]): Promise<Held[]> {
    const awaited = page.filter((message) => message.kind === 'message' && message.message.attachment);
    if (awaited.length === 0) return [];
    const ids = new Set(awaited.map(({ id }) => id));
    const missing = (await store.list()).flatMap((message) => {
      const wanted = message.kind === 'message' ? message.message.attachment : undefined;
      return wanted && ids.has(message.id) && awaitsAttachment(message) ? [{ id: message.id, wanted }] : [];
    });
    const held: Held[] = [];
    const rest = missing.values();
    const lane = async () => {
      for (const { id, wanted } of rest) {
        try {
          const got = await fetchOne(api, device, id, wanted);
          await store.setAttachment(id, got);
          tries.delete(id);
          if (typeof got !== 'string') await report(api, device, id);
        } catch (cause) {
          if (cause instanceof StoreError || (cause instanceof PealError && cause.signedOut)) throw cause;
          held.push({ id, cause });
        }
      }
    };
    await both(...Array.from({ length: LANES }, lane));
    return held;
  }

  /** @throws what is worth another try */
  async function fetchOne(
    api: InboxApi,
    device: string,
    id: number,
    wanted: MessageAttachment,
  ): Promise<AttachmentLoss | Uint8Array> {
    try {
      const fetched = await api.fetchAttachment(device, id, MAX_ATTACHMENT_BYTES);
      return (await openAttachment(wanted, fetched)) ?? 'damaged';
    } catch (error) {
      if (error instanceof PealError && (error.status === 404 || error.status === 410)) return 'gone';
      const made = (tries.get(id) ?? 0) + 1;
      tries.set(id, made);
      if (made >= ATTACHMENT_TRIES && !(error instanceof PealError && error.signedOut)) return 'given-up';
      throw error;
    }
  }

  /** Nothing is lost when it fails: the acknowledgement is a report as well. */
  async function report(api: InboxApi, device: string, id: number): Promise<void> {
    try {
      await api.reportAttachment(device, id);
    } catch (error) {
      onError?.(error as Error);
    }
  }

  async function tellLate(): Promise<void> {
    if (bare.size === 0) return;
    for (const message of await store.list()) {
      if (!bare.has(message.id) || awaitsAttachment(message)) continue;
      bare.delete(message.id);
      await onAttachment?.(message);
    }
  }

  const showNew = () =>
    lock(async () => {
      const failures: unknown[] = [];
      for (const message of await store.unshown()) {
        if (hasExpired(message)) continue;
        try {
          await onMessage(message);
        } catch (error) {
          // One that cannot be shown does not hold up the others.
          failures.push(error);
          continue;
        }
        await store.markShown([message.id]);
        if (awaitsAttachment(message)) bare.add(message.id);
      }
      if (failures.length > 0) throw failures[0];
    });

  return {
    async syncOnce(api) {
      const me = await identity();
      let after: number | undefined;
      const held: Held[] = [];
      for (let more = true; more; ) {
        const page = await api.sync(me.device, after);
        const { stored, highest } = await keep(page.messages, me);
        const fetching = fetchAttachments(api, me, stored);
        const acknowledge = async () => {
          const waiting = await fetching;
          held.push(...waiting);
          const ids = stored.map(({ id }) => id).filter((id) => !waiting.some((one) => one.id === id));
          if (ids.length > 0) await api.acknowledge(me.device, ids);
        };
        // Showing does not wait for the acknowledgement, nor depend on it: the messages are ours by now.
        await both(acknowledge(), within(fetching, SHOW_AFTER_MS).then(showNew));
        await tellLate();
        more = page.more;
        if (more && (highest === undefined || highest <= (after ?? 0))) {
          throw new ProtocolError('there should be more messages, but the page has none after the last');
        }
        after = highest;
      }
      // The next try is the caller's, as after every sync that did not bring everything.
      if (held[0]) throw held[0].cause;
    },

    async receivePush(payload) {
      const push = readPush(payload);
      if (!push?.sealed) return 'sync';
      const { keys } = await identity();
      const message = readSealed(push.id, push.sealed, { keys, open });
      // What a push garbled, the server still has whole; what it did not garble, the sync brings just the same.
      if (message.kind === 'unreadable') return 'sync';
      const known = await store.has(message.id);
      if (!known && !hasExpired(message)) await store.add([message]);
      await showNew();
      return known ? 'known' : 'new';
    },

    showNew,

    async readAgain() {
      const { keys } = await identity();
      const again = (await store.unreadable()).flatMap((message) => {
        if (message.kind !== 'unreadable') return [];
        const { kept, id } = message;
        const read =
          'sealed' in kept
            ? readSealed(id, kept.sealed, { keys, open })
            : readMessage(kept.plain, { keys, open });
        return read?.kind === 'message' ? [read] : [];
      });
      if (again.length > 0) await store.add(again);
    },

    async removeExpired() {
      const expiring = await store.expiring();
      const isPast = ({ expires }: { expires: number }) => expires * 1000 <= now();
      const expired = expiring.filter(isPast).map(({ id }) => id);
      if (expired.length > 0) await store.remove(expired);
      const times = expiring.filter((one) => !isPast(one)).map(({ expires }) => expires);
      return times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : undefined;
    },
  };
}

/** A message whose acknowledgement has to wait, because its attachment could not be fetched. */
interface Held {
  id: number;
  cause: unknown;
}

function awaitsAttachment(message: StoredMessage): boolean {
  return message.kind === 'message' && message.message.attachment !== undefined && !message.attachment;
}

function highestOf(messages: readonly NewMessage[]): number | undefined {
  return messages.length > 0 ? Math.max(...messages.map(({ id }) => id)) : undefined;
}

/** Resolves when the work has ended, well or not, or the time is over. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([Promise.allSettled([work]), over]);
  clearTimeout(timer);
}

/**
 * FCM: `{peal: '1', id, sealed}`; Web Push: `{peal: 1, id, sealed}`; APNs: `{peal: {v: 1, id, sealed}}`. `sync` in the
 * place of `sealed`: fetch it.
 */
function readPush(payload: unknown): { id: number; sealed?: string } | undefined {
  if (!isRecord(payload)) return undefined;
  const data = isRecord(payload.peal) ? payload.peal : payload;
  const id = idOf(data.id);
  if (id === undefined) return undefined;
  return typeof data.sealed === 'string' ? { id, sealed: data.sealed } : { id };
}

/** Waits for both to end, however the other ends; then throws the first failure. */
async function both(...work: (Promise<void> | undefined)[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/** One after another, in the order of the calls. */
function createLock(): Lock {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    // Who called gets the error; the next one starts either way.
    last = done.catch(() => undefined);
    return done;
  };
}
