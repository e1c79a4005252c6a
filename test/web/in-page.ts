/** Functions that tests run in the app's page or in its service worker: they may use nothing that is outside of them. */

/** Runs in the page: elements within the message that no message may have, and links that lead where none may. */
export function foreign(): string[] {
  const allowed = ['A', 'B', 'BR', 'FONT', 'I', 'P', 'U'];
  const body = document.querySelector('article .body');
  return [body!, ...body!.querySelectorAll('*')]
    .filter(
      (element) =>
        !allowed.includes(element.tagName) ||
        [...element.attributes].some(({ name }) => name.startsWith('on') || name === 'style') ||
        /^(?!https?:|mailto:|tel:|sms:)/.test(element.getAttribute('href') ?? 'https:'),
    )
    .map((element) => element.outerHTML);
}

/** Runs in the page: whether the key of the vault can be taken out, and whether a secret lies open in the database. */
export async function storedSecrets(): Promise<{ extractable: boolean; mentions: boolean }> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const all = await new Promise<unknown[]>((resolve) => {
    const reading = db.transaction('meta').objectStore('meta').getAll();
    reading.onsuccess = () => resolve(reading.result);
  });
  db.close();
  const key = all.find((value) => value instanceof CryptoKey);
  const identity = all.find(
    (value) => typeof value === 'object' && value !== null && 'secrets' in value,
  ) as Record<string, unknown>;
  const strings = Object.keys(identity).filter((name) => !['device', 'secrets', 'user'].includes(name));
  return { extractable: key?.extractable ?? true, mentions: strings.length > 0 };
}

/** Runs in the page: resolves when every message that it has stored is noted as shown. */
export async function allShown(): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const unshown = () =>
    new Promise<number>((resolve) => {
      const counting = db.transaction('messages').objectStore('messages').index('unshown').count();
      counting.onsuccess = () => resolve(counting.result);
    });
  while ((await unshown()) > 0);
  db.close();
}

/** Runs in the page: puts messages into its database. */
export async function storeMany(count: number): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const change = db.transaction('messages', 'readwrite');
  for (let id = 1; id <= count; id++) {
    const message = { id, umid: id, app: 'App', aid: 1, icon: 'default', date: id * 600, priority: 0 };
    const stored = { kind: 'message', id, shown: true, message: { ...message, message: `number ${id}.` } };
    change.objectStore('messages').put({ id, stored });
  }
  await new Promise((resolve) => {
    change.oncomplete = resolve;
  });
  db.close();
}

/** Runs in the page: how many things its database has. */
export async function countStored(): Promise<number> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const names = [...db.objectStoreNames];
  const look = db.transaction(names);
  const counts = await Promise.all(
    names.map(
      (name) =>
        new Promise<number>((resolve) => {
          const counting = look.objectStore(name).count();
          counting.onsuccess = () => resolve(counting.result);
        }),
    ),
  );
  db.close();
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Runs in the service worker: `notice` becomes the next notification that it shows. */
export function listenForNotice(): void {
  const { promise, resolve } = Promise.withResolvers();
  Object.assign(globalThis, { notice: promise });
  const { prototype } = ServiceWorkerRegistration;
  const show = prototype.showNotification;
  prototype.showNotification = async function (title, options = {}) {
    await show.call(this, title, options);
    resolve({ title, body: options.body, tag: options.tag, silent: options.silent });
  };
}

/** Runs in the service worker: the tags of the notifications that are there. */
export async function shownNow(): Promise<string[]> {
  const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
  return (await registration.getNotifications()).map(({ tag }) => tag);
}

export interface Listening {
  heard: string[];
}

/** Runs in the page: notes what is heard or felt. */
export function listenToSounds(): void {
  const listening = window as unknown as Listening;
  listening.heard = [];
  for (const [prototype, what] of [
    [AudioBufferSourceNode.prototype, 'file'],
    [OscillatorNode.prototype, 'note'],
  ] as const) {
    const start = prototype.start;
    prototype.start = function (...when: [number?]) {
      listening.heard.push(what);
      start.apply(this, when);
    };
  }
  navigator.vibrate = () => {
    listening.heard.push('vibrate');
    return true;
  };
}

/** Runs in the page: all that its database has, as text. Keys that are not given out are `{}`. */
export async function everythingStored(): Promise<string> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('peal');
    opening.onsuccess = () => resolve(opening.result);
  });
  const look = db.transaction([...db.objectStoreNames]);
  const all = await Promise.all(
    [...db.objectStoreNames].map(
      (name) =>
        new Promise<unknown[]>((resolve) => {
          const reading = look.objectStore(name).getAll();
          reading.onsuccess = () => resolve(reading.result);
        }),
    ),
  );
  db.close();
  return JSON.stringify(all);
}

/** Runs in the service worker: `stored` resolves when a message that is stored already has got its image. */
export function listenForImage(): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen = new Set<number>();
  const channel = new BroadcastChannel('peal');
  channel.onmessage = ({ data }) => {
    if (data.kind !== 'messages') return;
    for (const id of data.changed) seen.has(id) ? resolve() : seen.add(id);
  };
  Object.assign(globalThis, { stored: promise, channel });
}
