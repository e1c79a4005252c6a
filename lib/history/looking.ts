import type * as v from 'valibot';
import type { DeviceRegistry } from '../accounts/device-registry.ts';
import { type Trace, tracesOf } from '../mailbox/traces.ts';
import type { DeliveredReceipt, Receipts } from '../receipts/receipts.ts';
import { receiptView } from '../receipts/view.ts';
import { Refusal } from '../refusal.ts';
import { type Clock, seconds, type Table } from '../storage/table.ts';
import type { CopyRef, Entry } from './entry.ts';
import type { HistoryReader } from './reader.ts';
import {
  type HISTORY_ANSWER,
  type SENT_ANSWER,
  type SentDeviceView,
  type SentView,
  STATES,
  type State,
} from './view.ts';

/** What looking at the history needs. */
export interface LookingContext {
  reader: HistoryReader;
  mailbox: Table;
  devices: DeviceRegistry;
  receipts: Receipts;
  clock: Clock;
}

/** Devices up to which the list says what became of them: three reads each, for all entries of a page. */
const COUNTED_DEVICES = 20;

/** A page of what an account has sent, with what became of it where that is not too much to read. */
export async function listSent(
  { reader, mailbox, receipts, clock }: LookingContext,
  owner: string,
  page: { after?: number; app?: number },
): Promise<v.InferOutput<typeof HISTORY_ANSWER>> {
  const { items, after } = await reader.list(owner, page);
  const counted = items.map(({ copies = [] }) => (copies.length <= COUNTED_DEVICES ? copies : []));
  const [traces, known] = await Promise.all([
    tracesOf(mailbox, counted.flat()),
    receipts.findDelivered(items.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt]))),
  ]);
  const now = seconds(clock);
  const rest = traces.values();
  const messages = items.map((entry, n) => {
    const states = counted[n]!.map(() => stateOf(rest.next().value!, entry, now));
    return sentView(entry, known, now, states);
  });
  return { messages, ...(after !== undefined && { after: String(after) }) };
}

/**
 * A message that an account has sent, and what became of it on each device.
 *
 * @param id undefined: none
 * @param after of the page of devices before
 * @throws Refusal naming `message`: the same whether it does not exist or is another account's
 */
export async function viewSent(
  { reader, mailbox, devices, receipts, clock }: LookingContext,
  owner: string,
  id: number | undefined,
  after: number | undefined,
): Promise<v.InferOutput<typeof SENT_ANSWER>> {
  const entry = id === undefined ? undefined : await reader.find(owner, id);
  if (!entry) throw new Refusal({ field: 'message', reason: 'not found' }, 404);
  const page = await reader.copies(entry, after);
  const users = page.items.flatMap(({ user }) => (user === undefined ? [] : [user]));
  const [traces, lists, known] = await Promise.all([
    tracesOf(mailbox, page.items),
    devices.listMany(users),
    receipts.findDelivered(entry.receipt === undefined ? [] : [entry.receipt]),
  ]);
  const now = seconds(clock);
  const states = traces.map((trace) => stateOf(trace, entry, now));
  const nameOf = ({ user = '', device }: CopyRef) =>
    lists.get(user)?.devices.find((candidate) => candidate.id === device)?.name ?? null;
  const whole = entry.copies && after === undefined;
  return {
    message: sentView(entry, known, now, whole ? states : []),
    devices: page.items.map((copy, n) => deviceView(copy, traces[n]!, states[n]!, nameOf(copy))),
    ...(page.after !== undefined && { after: String(page.after) }),
  };
}

/**
 * What is to be said of a copy. Nothing but an acknowledgement takes a message away before it expires: one that is gone
 * was acknowledged, although the note of it was lost.
 *
 * @param now Unix seconds
 */
function stateOf({ waits, delivered, acknowledgedAt }: Trace, { expiresAt }: Entry, now: number): State {
  if (acknowledgedAt !== undefined) return 'acknowledged';
  if (expiresAt <= now) return 'expired';
  if (!waits) return 'acknowledged';
  return Object.keys(delivered).length > 0 ? 'delivered' : 'waiting';
}

function sentView(entry: Entry, known: DeliveredReceipt[], now: number, states: State[]): SentView {
  const { id, app, priority, receivedAt, expiresAt, users, copies } = entry;
  const receipt = known.find((candidate) => candidate.receipt === entry.receipt);
  const count = (state: State) => states.filter((one) => one === state).length;
  return {
    id: String(id),
    app: { id: String(app.id), name: app.name },
    priority,
    received_at: receivedAt,
    expires_at: expiresAt,
    users,
    ...(copies && { devices: copies.length }),
    ...(states.length > 0 && {
      counts: Object.fromEntries(STATES.map((state) => [state, count(state)])) as Record<State, number>,
    }),
    ...(receipt && { receipt: receiptView(receipt, now) }),
  };
}

function deviceView(
  { user }: CopyRef,
  { delivered, acknowledgedAt }: Trace,
  state: State,
  name: string | null,
): SentDeviceView {
  if (user === undefined) return { state };
  const carriers = Object.entries(delivered) as [keyof Trace['delivered'], number][];
  return {
    state,
    user,
    device: name,
    delivered: carriers.map(([carrier, at]) => ({ carrier, at })),
    ...(acknowledgedAt !== undefined && { acknowledged_at: acknowledgedAt }),
  };
}
