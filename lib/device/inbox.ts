/**
 * What comes in, from sync or push: store it, then acknowledge it, and show it.
 *
 * Nothing is acknowledged that is not stored, so nothing is lost. Each message is shown once: that it was shown is
 * noted right after `onMessage`, and what was not noted is shown at the next occasion. A process that dies between
 * the two shows one message again after it starts (at least once); the other order would lose it. Who cannot bear a
 * repeat even then uses the id, which never changes, as the notification's tag or the line's key.
 */
import type { PealApi } from './api.ts';
import { isRecord } from './envelope.ts';
import { ProtocolError, StoreError } from './errors.ts';
import { idOf, type NewMessage, readMessage, readSealed } from './message.ts';
import type { Opener } from './open.ts';
import type { DeviceStore, Identity, StoredMessage } from './store.ts';

/** Runs work that must not run twice at a time. */
export type Lock = <T>(work: () => Promise<T>) => Promise<T>;

/** What an inbox needs. */
export interface InboxOptions {
  store: DeviceStore;
  /** Shows a message. If it throws, the message counts as not shown and comes again at the next occasion. */
  onMessage(message: StoredMessage): void | Promise<void>;
  /** Told what does not stop the sync: an item that has no usable id. */
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

/** What became of a push: `new` and `known` are in the store; `sync` says that only a sync brings the message. */
export type PushResult = 'new' | 'known' | 'sync';

/** A device's inbox. */
export interface Inbox {
  /**
   * Fetches everything that waits, page by page: each is stored, then acknowledged, and what is new is shown. A
   * message that cannot be read is stored as it came, shown as unreadable, and acknowledged.
   *
   * @throws what the API or the store throws; what was fetched until then is stored, and shown
   */
  syncOnce(api: Pick<PealApi, 'sync' | 'acknowledge'>): Promise<void>;
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
  const { store, onMessage, onError, open } = options;
  const now = options.now ?? Date.now;
  const lock = options.lock ?? createLock();

  const hasExpired = (message: NewMessage) =>
    message.kind === 'message' &&
    message.message.expires !== undefined &&
    message.message.expires * 1000 <= now();

  async function identity(): Promise<Identity> {
    const found = await store.identity();
    if (!found) throw new StoreError('this device is not registered; log in and register it first');
    return found;
  }

  /** @returns the highest id on the page, now safe */
  async function keep(items: readonly unknown[], { keys }: Identity): Promise<number | undefined> {
    const messages = items
      .map((item) => readMessage(item, { keys, open }))
      .filter((message) => message !== undefined);
    if (messages.length < items.length) {
      onError?.(new ProtocolError(`${items.length - messages.length} messages without a usable id`));
    }
    await store.add(messages.filter((message) => !hasExpired(message)));
    return messages.length > 0 ? Math.max(...messages.map(({ id }) => id)) : undefined;
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
      }
      if (failures.length > 0) throw failures[0];
    });

  return {
    async syncOnce(api) {
      const me = await identity();
      let after: number | undefined;
      for (let more = true; more; ) {
        const page = await api.sync(me.device, after);
        const highest = await keep(page.messages, me);
        // Showing does not wait for the acknowledgement, nor depend on it: the messages are ours by now.
        await both(highest === undefined ? undefined : api.acknowledge(me.device, highest), showNew());
        more = page.more;
        if (more && (highest === undefined || highest <= (after ?? 0))) {
          throw new ProtocolError('there should be more messages, but the page has none after the last');
        }
        after = highest;
      }
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
