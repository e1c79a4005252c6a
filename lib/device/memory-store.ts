/** A device's database that ends with the process: for tests, and for devices that keep nothing. */
import { MessageTable } from './message-table.ts';
import type { DeviceStore, Identity } from './store.ts';

/**
 * Creates an empty store.
 *
 * @param options.now the time in milliseconds; default Date.now
 */
export function createMemoryStore(options: { now?: () => number } = {}): DeviceStore {
  const now = options.now ?? Date.now;
  const table = new MessageTable();
  const attachments = new Map<number, Uint8Array>();
  let identity: Identity | undefined;
  return {
    identity: async () => identity,
    setIdentity: async (next) => {
      identity = next;
    },
    add: async (messages) => table.apply({ op: 'add', messages }),
    has: async (id) => table.has(id),
    list: async () => table.list(),
    unshown: async () => table.unshown(),
    unreadable: async () => table.unreadable(),
    expiring: async () => table.expiring(),
    markShown: async (ids) => table.apply({ op: 'shown', ids }),
    remove: async (ids) => {
      table.apply({ op: 'remove', ids, at: Math.floor(now() / 1000) });
      for (const id of ids) attachments.delete(id);
    },
    setAttachment: async (id, attachment) => {
      if (!table.awaitsAttachment(id)) return;
      if (typeof attachment !== 'string') attachments.set(id, attachment);
      const state = typeof attachment === 'string' ? attachment : 'stored';
      table.apply({ op: 'attachment', ids: [id], state });
    },
    attachment: async (id) => attachments.get(id),
    highest: async () => table.highest(),
  };
}
