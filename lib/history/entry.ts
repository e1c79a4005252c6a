/**
 * What the Mailbox table keeps of an account's own sends: who was reached and when, never what was said. It is not
 * backed up, and it is purged after a month.
 *
 * | item                                | pk                  | sk                                       |
 * | ----------------------------------- | ------------------- | ---------------------------------------- |
 * | a message that was accepted         | `sent#<user key>`   | its umid, or the next number that is free |
 * | whom a chunk of a fan-out has reached | `reached#<request>#<number of the chunk>` | 0  |
 *
 * Each chunk is a partition of its own: ten workers note some two hundred of them a second, of four write units or more
 * each, and one partition takes a thousand.
 */
import type { App } from '../accounts/apps.ts';
import { toldToSender } from '../groups/hidden.ts';
import type { Recipient } from '../messages/recipients.ts';
import { isNewer, kind, newest, unchanged, versioned } from '../storage/schema.ts';

const ENTRY = kind('entry of the history', unchanged);
/** Whom a chunk has reached: written by updates alone. */
export const CHUNK = kind('chunk of the history', unchanged);

/** A message that an account has sent. Times in Unix seconds. */
export interface Entry {
  /** User key of the account. */
  owner: string;
  /** By which it is asked for, and sorted: numbers are ordered by time. */
  id: number;
  /** Random id of the request: makes writing it repeatable, and finds the chunks of a fan-out. */
  request: string;
  /** The app that sent it, by the name that it had. */
  app: Pick<App, 'id' | 'name'>;
  priority: number;
  receivedAt: number;
  expiresAt: number;
  /** How many users it was for. */
  users: number;
  /** Of an emergency. */
  receipt?: string;
  /** The copies; absent where they were too many for one request, and workers have noted them in chunks. */
  copies?: CopyRef[];
  /** How many chunks those are. */
  chunks?: number;
}

/** A copy of a message: which device has it under which id. */
export interface CopyRef {
  device: string;
  id: number;
  /** Absent if the sender may not know who it is. Then it is not even kept. */
  user?: string;
}

export const entryKey = (owner: string, id: number) => ({ pk: `sent#${owner}`, sk: id });
export const chunkKey = (request: string, chunk: number | '*') => ({
  pk: `reached#${request}#${chunk}`,
  sk: 0,
});
/** All chunks of a message that was fanned out. */
export const chunkKeys = (request: string, chunks: number) =>
  Array.from({ length: chunks }, (_, chunk) => chunkKey(request, chunk));

/** Which copy a recipient was stored. */
export function copyRef(recipient: Recipient, id: number): CopyRef {
  const user = toldToSender(recipient, recipient.user);
  return { device: recipient.device.id, id, ...(user !== undefined && { user }) };
}

/** The DynamoDB item of an entry. */
export function itemOf(entry: Entry, ttl: number): Record<string, unknown> {
  const { owner, id, request, app, priority, receivedAt, expiresAt, users, receipt, copies, chunks } = entry;
  return versioned(ENTRY, {
    ...entryKey(owner, id),
    request,
    app: app.id,
    name: app.name,
    priority,
    receivedAt,
    expiresAt,
    users,
    ...(receipt !== undefined && { receipt }),
    ...(copies && { copies: textsOf(copies) }),
    ...(chunks !== undefined && { chunks }),
    ttl,
  });
}

/** Whether an entry was written by later code. It is not shown until that runs again. */
export function isUnreadable(item: Record<string, unknown>): boolean {
  return isNewer(ENTRY, item);
}

/** The entry of a DynamoDB item. @throws NewerItem */
export function entryOf(stored: Record<string, unknown>): Entry {
  const item = newest(ENTRY, stored);
  return {
    owner: (item.pk as string).slice(entryKey('', 0).pk.length),
    id: item.sk as number,
    request: item.request as string,
    app: { id: item.app as number, name: item.name as string },
    priority: item.priority as number,
    receivedAt: item.receivedAt as number,
    expiresAt: item.expiresAt as number,
    users: item.users as number,
    ...(item.receipt !== undefined && { receipt: item.receipt as string }),
    ...(item.copies !== undefined && { copies: copiesOf(item.copies) }),
    ...(item.chunks !== undefined && { chunks: item.chunks as number }),
  };
}

/** Copies as a set of texts, some eighty bytes each: a set takes what is said twice once, in whatever order it comes. */
export function textsOf(copies: CopyRef[]): Set<string> {
  return new Set(copies.map(({ device, id, user = '' }) => `${device} ${id.toString(36)} ${user}`));
}

/** Copies of a chunk's item. @throws NewerItem */
export function copiesIn(chunk: Record<string, unknown>): CopyRef[] {
  return copiesOf(newest(CHUNK, chunk).copies);
}

/** Copies of such a set, in an order that stays. */
function copiesOf(texts: unknown): CopyRef[] {
  return [...(texts as Set<string>)].sort().map((text) => {
    const [device = '', id = '', user = ''] = text.split(' ');
    return { device, id: Number.parseInt(id, 36), ...(user !== '' && { user }) };
  });
}
