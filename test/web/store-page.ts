/** What the test of the browser's store runs in a page: the same changes on it and on the store in memory. */
import {
  type AttachmentLoss,
  createMemoryStore,
  type DeviceStore,
  type NewMessage,
} from '../../lib/device/index.ts';
import { openDatabase, wipe } from '../../web/src/store/database.ts';
import { createDeviceStore } from '../../web/src/store/device-store.ts';

/** A change. */
export type Step =
  | { op: 'add'; messages: readonly NewMessage[] }
  | { op: 'remove'; ids: readonly number[] }
  | { op: 'shown'; ids: readonly number[] }
  | { op: 'attachment'; id: number; attachment: readonly number[] | AttachmentLoss };

/** What a store says of itself. */
export type View = Record<string, unknown>;

async function apply(store: DeviceStore, step: Step): Promise<void> {
  if (step.op === 'add') await store.add(step.messages);
  if (step.op === 'remove') await store.remove(step.ids);
  if (step.op === 'shown') await store.markShown(step.ids);
  if (step.op === 'attachment') {
    const { attachment } = step;
    const given = typeof attachment === 'string' ? attachment : Uint8Array.from(attachment);
    await store.setAttachment(step.id, given);
  }
}

async function view(store: DeviceStore): Promise<View> {
  return {
    list: await store.list(),
    unshown: await store.unshown(),
    unreadable: await store.unreadable(),
    expiring: (await store.expiring()).sort((a, b) => a.id - b.id),
    highest: await store.highest(),
    attachments: await Promise.all(
      [1, 2, 3, 4, 5].map(async (id) => [...((await store.attachment(id)) ?? [])]),
    ),
    known: await Promise.all([1, 2, 3, 4, 5].map((id) => store.has(id))),
  };
}

/** @returns what each of the two stores says after the steps */
async function compare(steps: readonly Step[]): Promise<[View, View]> {
  const db = await openDatabase(() => {});
  await wipe(db);
  const stores = [createMemoryStore(), createDeviceStore(db, { onChange() {} })] as const;
  for (const step of steps) for (const store of stores) await apply(store, step);
  const views = await Promise.all(stores.map(view));
  db.close();
  return views as [View, View];
}

/** @returns the identity as it comes back, and as it comes back after it was forgotten */
async function identities(): Promise<unknown[]> {
  const db = await openDatabase(() => {});
  await wipe(db);
  const store = createDeviceStore(db, { onChange() {} });
  const { createKeyPair, toBase64 } = await import('../../lib/device/index.ts');
  const keys = createKeyPair();
  await store.setIdentity({ user: 'u', device: 'd', secret: 's', keys });
  const kept = await store.identity();
  await store.setIdentity(undefined);
  const [gone, former] = [await store.identity(), await store.formerIdentity()];
  db.close();
  const same = [kept, former].map(
    (one) => one?.keys && toBase64(one.keys.secretKey) === toBase64(keys.secretKey),
  );
  return [kept?.secret, gone, former?.device, ...same];
}

Object.assign(window, { compare, identities });
