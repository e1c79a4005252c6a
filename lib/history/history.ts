import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { TRACE_SECONDS } from '../mailbox/traces.ts';
import { isConditionFailure, type Table } from '../storage/table.ts';
import { CHUNK, type CopyRef, chunkKey, type Entry, entryKey, itemOf, textsOf } from './entry.ts';

/** What history is written with. */
export interface HistoryContext {
  mailbox: Table;
  log(level: 'warn', message: string, fields: Record<string, unknown>): void;
}

/** A message that is being accepted; its number is found when it is written. */
export interface NewEntry extends Omit<Entry, 'id'> {
  umid: number;
}

/**
 * Notes what accounts send, for them to look at.
 *
 * **It is not what makes a message exist.** Whatever cannot be written is logged and missing from the history; the
 * message goes its way, and its sender is told that it was accepted. Nothing fails for the history's sake.
 */
export class History {
  readonly #context: HistoryContext;

  constructor(context: HistoryContext) {
    this.#context = context;
  }

  /**
   * Does what makes a message go out, and notes the message meanwhile: the answer waits for whichever takes longer. One
   * write unit, and one more for each dozen devices or so. The note is under the request's id, so a repeat writes the
   * same one again. If the work fails it is taken back, unless what the message has left behind is kept too.
   *
   * @throws whatever the work throws
   */
  async noting<T>(entry: NewEntry, keep: boolean, work: () => Promise<T>): Promise<T> {
    const noted = this.#put(entry);
    try {
      const result = await work();
      await noted;
      return result;
    } catch (error) {
      const id = await noted;
      if (!keep) await this.#forget(entry, id);
      throw error;
    }
  }

  /**
   * Notes whom a chunk of a fan-out has reached, beside what an earlier try of the same chunk has noted: what is said
   * twice is there once, and nothing is lost. A write unit for a dozen devices.
   *
   * @param acceptedAt Unix seconds
   */
  async addChunk(
    { request, umid, chunk }: { request: string; umid: number; chunk: number },
    copies: CopyRef[],
    acceptedAt: number,
  ): Promise<void> {
    if (copies.length === 0) return;
    const { mailbox } = this.#context;
    try {
      await mailbox.client.send(
        new UpdateCommand({
          TableName: mailbox.name,
          Key: chunkKey(request, chunk),
          UpdateExpression: 'SET #ttl = :ttl, v = :v ADD copies :copies',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ':copies': textsOf(copies),
            ':ttl': forgottenAt(acceptedAt),
            ':v': CHUNK.version,
          },
        }),
      );
    } catch (error) {
      this.#missing({ umid, devices: copies.length }, error);
    }
  }

  /** @returns the number under which it is, or may be, written */
  async #put({ umid, ...entry }: NewEntry): Promise<number> {
    const { mailbox } = this.#context;
    // Another Lambda may have had the same number in the same millisecond: then the next one is as good.
    for (let id = umid; ; id++) {
      try {
        await mailbox.client.send(
          new PutCommand({
            TableName: mailbox.name,
            Item: itemOf({ ...entry, id }, forgottenAt(entry.receivedAt)),
            ConditionExpression: 'attribute_not_exists(pk) OR #request = :request',
            ExpressionAttributeNames: { '#request': 'request' },
            ExpressionAttributeValues: { ':request': entry.request },
          }),
        );
        return id;
      } catch (error) {
        if (isConditionFailure(error)) continue;
        this.#missing({ umid }, error);
        return id;
      }
    }
  }

  async #forget({ owner, request, umid }: NewEntry, id: number): Promise<void> {
    const { mailbox, log } = this.#context;
    try {
      await mailbox.client.send(
        new DeleteCommand({
          TableName: mailbox.name,
          Key: entryKey(owner, id),
          ConditionExpression: '#request = :request',
          ExpressionAttributeNames: { '#request': 'request' },
          ExpressionAttributeValues: { ':request': request },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error))
        log('warn', 'a failed message stays in the history', { umid, error: String(error) });
    }
  }

  #missing(fields: Record<string, unknown>, error: unknown): void {
    this.#context.log('warn', 'missing from the history', { ...fields, error: String(error) });
  }
}

/** @param acceptedAt Unix seconds */
const forgottenAt = (acceptedAt: number): number => acceptedAt + TRACE_SECONDS;
