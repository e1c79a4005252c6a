/** The messages of this browser, as all its tabs see them. */
import { computed, signal } from '@preact/signals';
import type { Message, StoredMessage } from '../../../lib/device/index.ts';
import { hear, tell } from '../platform/bus.ts';
import { acknowledge as note } from '../store/acknowledgements.ts';
import type { Acknowledgement } from '../store/database.ts';
import { closeMessage, isEncrypted, openMessage, type ShownMessage } from '../store/e2ee.ts';
import { app } from './app.ts';
import { encryptionKey, loadKey } from './encryption.ts';

/** How often it is looked whether an emergency has ended. */
const CLOCK_MS = 5000;

/** Encrypted messages that are opened before the page gets a turn. */
const OPENED_AT_ONCE = 40;

/** Every message as it is shown, the newest first. */
export const messages = signal<readonly ShownMessage[]>([]);
/** By message id. */
export const acknowledgements = signal<ReadonlyMap<number, Acknowledgement>>(new Map());
/** Unix seconds; moves when an emergency ends. */
export const clock = signal(Math.floor(Date.now() / 1000));

export const search = signal('');
export const appFilter = signal('');
export const priorityFilter = signal('');

/** Names of the applications that have sent something, sorted. */
export const senders = computed(() =>
  [...new Set(messages.value.flatMap((one) => (one.kind === 'message' ? [one.message.app] : [])))].sort(
    (a, b) => a.localeCompare(b),
  ),
);

export const isFiltered = computed(
  () => search.value.trim() !== '' || appFilter.value !== '' || priorityFilter.value !== '',
);

/** What fits the search and the filters. */
export const found = computed(() => {
  if (!isFiltered.value) return messages.value;
  const words = search.value.trim().toLowerCase().split(/\s+/);
  const [sender, priority] = [appFilter.value, priorityFilter.value];
  return messages.value.filter((one) => {
    const message = one.kind === 'message' ? one.message : undefined;
    if (sender !== '' && message?.app !== sender) return false;
    if (priority !== '' && String(message?.priority) !== priority) return false;
    const content = searchable(one);
    return words.every((word) => content.includes(word));
  });
});

/** Emergencies that ask to be acknowledged. */
export const emergencies = computed(() => messages.value.filter((one) => asks(one)));

/** An emergency that asks to be acknowledged: its message has a receipt, and nobody here has. */
export function asks(stored: ShownMessage): stored is ShownMessage & { kind: 'message' } {
  return (
    stored.kind === 'message' &&
    stored.message.receipt !== undefined &&
    (stored.message.ack_until ?? 0) > clock.value &&
    !acknowledgements.value.has(stored.id)
  );
}

/** Reads everything, and keeps up with what any tab or the service worker changes. */
export async function loadMessages(): Promise<void> {
  hear((note) => {
    if (note.kind === 'messages') void update(note.changed, note.removed);
    if (note.kind === 'acknowledged') void readAcknowledgements();
    // Who logs out and deletes everything deletes the key as well.
    if (note.kind === 'identity' || note.kind === 'encryption') void loadKey().then(readAll);
  });
  setInterval(() => {
    if (emergencies.peek().length > 0) clock.value = Math.floor(Date.now() / 1000);
  }, CLOCK_MS);
  await loadKey();
  await readAll();
}

let readings = 0;

async function readAll(): Promise<void> {
  const reading = ++readings;
  await readAcknowledgements();
  const all = await app().store.list();
  // What is encrypted is shown closed until its turn has come. In one step with the reading: nothing comes in between.
  messages.value = sorted(all.map(closeMessage));
  if (encryptionKey.peek()) await openAll(all.filter(isEncrypted), reading);
}

/** Opens what is encrypted, a few at a time, the newest first; until another reading begins, which does the same. */
async function openAll(encrypted: StoredMessage[], reading: number): Promise<void> {
  const rest = sorted(encrypted);
  for (let at = 0; at < rest.length; at += OPENED_AT_ONCE) {
    const some = rest.slice(at, at + OPENED_AT_ONCE);
    const opened = await Promise.all(some.map((one) => openMessage(one, encryptionKey.peek())));
    if (reading !== readings) return;
    const byId = new Map(opened.map((one) => [one.id, one]));
    // One that has changed meanwhile was opened by that.
    messages.value = messages.value.map((one) => (one.closed === 'no-key' && byId.get(one.id)) || one);
  }
}

async function readAcknowledgements(): Promise<void> {
  const all = await app().db.getAll('acknowledgements');
  acknowledgements.value = new Map(all.map((one) => [one.id, one]));
}

async function update(changed: readonly number[], removed: readonly number[]): Promise<void> {
  const read = await Promise.all(changed.map((id) => app().store.get(id)));
  const found = read.filter((message) => message !== undefined);
  const news = await Promise.all(found.map((one) => openMessage(one, encryptionKey.peek())));
  // Looked at again only now: another change may have come in between.
  const out = new Set([...removed, ...changed]);
  messages.value = sorted([...messages.value.filter(({ id }) => !out.has(id)), ...news]);
}

/** Removes a message from this browser, for good. */
export function remove(id: number): Promise<void> {
  return app().store.remove([id]);
}

/** Acknowledges an emergency: noted here at once, told to Peal as soon as it can be reached. */
export async function acknowledge({ id, receipt }: Pick<Message, 'id' | 'receipt'>): Promise<void> {
  if (receipt === undefined) return;
  await note(app().db, { id, receipt });
  tell({ kind: 'acknowledged' });
}

const dateOf = (stored: StoredMessage) =>
  stored.kind === 'message' ? stored.message.date : Number.MAX_SAFE_INTEGER;

const sorted = <Stored extends StoredMessage>(all: Stored[]) =>
  all.sort((a, b) => dateOf(b) - dateOf(a) || b.id - a.id);

const contents = new WeakMap<StoredMessage, string>();

/** Everything of a message that can be searched, in lower case. */
function searchable(stored: StoredMessage): string {
  const known = contents.get(stored);
  if (known !== undefined) return known;
  const content =
    stored.kind === 'message'
      ? [
          stored.message.title,
          stored.message.message,
          stored.message.app,
          stored.message.url,
          stored.message.url_title,
        ]
          .join('\n')
          .toLowerCase()
      : '';
  contents.set(stored, content);
  return content;
}
