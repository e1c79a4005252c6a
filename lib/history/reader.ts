import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { firstIdAt } from '../mailbox/message-id.ts';
import { TRACE_SECONDS } from '../mailbox/traces.ts';
import { batchGet } from '../storage/batches.ts';
import { type Clock, seconds, type Table } from '../storage/table.ts';
import { type CopyRef, chunkKeys, copiesIn, type Entry, entryKey, entryOf, isUnreadable } from './entry.ts';

/** Entries of one page. */
export const PAGE_ENTRIES = 25;
/** Entries that are read at once where most of them are other apps'. */
const STEP = 250;
/** Entries that are read for one page, before it is answered short: an app that sends little among ones that send much. */
const MOST_READ = 1_000;
/** Copies of a fan-out from which on no other chunk is read for a page. */
const PAGE_COPIES = 100;
/** Chunks of a fan-out that are read at once: enough for a page, also where some are not done. */
const CHUNKS = 10;

/** A page of what there is. */
export interface Slice<T> {
  items: T[];
  /** Where it goes on. Absent: this was all. */
  after?: number;
}

/** Reads what `History` has noted. */
export class HistoryReader {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * What an account has sent in the last thirty days, the newest first. One query a page of all apps. Of one app, it
   * reads what lies between, but never more than a thousand entries: a page may be short, or empty, and go on.
   *
   * @param after the last entry of the page before
   */
  async list(owner: string, { after, app }: { after?: number; app?: number }): Promise<Slice<Entry>> {
    const items: Entry[] = [];
    // The oldest are purged late; what is older is not asked for.
    const oldest = firstIdAt(this.#clock() - TRACE_SECONDS * 1000);
    let before = Math.min(after ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) - 1;
    let read = 0;
    for (;;) {
      if (before < oldest) return { items };
      const page = await this.#table.client.send(
        new QueryCommand({
          TableName: this.#table.name,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :oldest AND :before',
          ...(app !== undefined && { FilterExpression: 'app = :app' }),
          ExpressionAttributeValues: {
            ':pk': entryKey(owner, 0).pk,
            ':oldest': oldest,
            ':before': before,
            ...(app !== undefined && { ':app': app }),
          },
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: app === undefined ? PAGE_ENTRIES + 1 - items.length : STEP,
        }),
      );
      // One that this code cannot read must not keep the others back.
      items.push(...(page.Items ?? []).filter((item) => !isUnreadable(item)).map(entryOf));
      read += page.ScannedCount ?? 0;
      if (items.length > PAGE_ENTRIES) {
        const shown = items.slice(0, PAGE_ENTRIES);
        return { items: shown, after: shown.at(-1)!.id };
      }
      if (!page.LastEvaluatedKey) return { items };
      before = (page.LastEvaluatedKey.sk as number) - 1;
      if (read >= MOST_READ) return { items, after: before + 1 };
    }
  }

  /** A message that an account has sent; undefined if there is none of this number, or it is another account's. */
  async find(owner: string, id: number): Promise<Entry | undefined> {
    const keys = [entryKey(owner, id)];
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    const [found] = items!;
    return found && (found.ttl as number) > seconds(this.#clock) ? entryOf(found) : undefined;
  }

  /**
   * The copies of a message: all at once, or, of one that was fanned out, those of some chunks, as far as these are done.
   *
   * @param after the last chunk of the page before
   */
  async copies({ request, copies, chunks = 0 }: Entry, after = -1): Promise<Slice<CopyRef>> {
    if (copies) return { items: after < 0 ? copies : [] };
    const items: CopyRef[] = [];
    for (let start = after + 1; start < chunks; start += CHUNKS) {
      const keys = chunkKeys(request, chunks).slice(start, start + CHUNKS);
      const [found] = await batchGet([{ table: this.#table, keys, consistent: true }]);
      for (const [n, { pk }] of keys.entries()) {
        const chunk = found!.find((item) => item.pk === pk);
        if (chunk) items.push(...copiesIn(chunk));
        const last = start + n;
        if (items.length >= PAGE_COPIES && last < chunks - 1) return { items, after: last };
      }
    }
    return { items };
  }
}
