import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { settleAll } from './settle.ts';

/** SQS's limit of entries in one SendMessageBatch. */
const BATCH = 10;
/** Longest delay of a message, seconds (SQS). */
export const MAX_DELAY = 900;
const ROUNDS = 3;
/** Requests side by side: a message to ten thousand users is fifty of them, and its sender waits. */
const LANES = 8;

/** An SQS queue that records are sent to. */
export class Queue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /**
   * Sends records, ten a request and several requests at a time, and repeats the entries that SQS says it did not take.
   *
   * A request whose answer is lost is repeated by the SDK, so a record may be queued twice: consumers must stand that
   * anyway (at least once).
   *
   * @param bodies JSON-able records, a batch of ten at most 1 MiB together
   * @param delaySeconds until they become visible, at most 900
   * @throws Error if any record could not be queued
   */
  async send(bodies: unknown[], delaySeconds = 0): Promise<void> {
    const starts = Array.from({ length: Math.ceil(bodies.length / BATCH) }, (_, n) => n * BATCH).values();
    // Lanes share the one iterator: each takes the next batch when it is done with its last.
    const lane = async () => {
      for (const start of starts) await this.#sendBatch(bodies.slice(start, start + BATCH), delaySeconds);
    };
    await settleAll(Array.from({ length: LANES }, lane));
  }

  /** Sends a record as the text that it is, for what cannot be read. */
  async sendText(body: string): Promise<void> {
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#url, MessageBody: body }));
  }

  /**
   * Has a record that is being worked on come again after a while, unless it is deleted before.
   *
   * Until then it counts as in flight, of which SQS allows 120,000 a queue: for queues that never hold so many.
   *
   * @param receipt handle of the delivery
   * @param delaySeconds from now; 12 hours at most after it was delivered
   */
  async hold(receipt: string, delaySeconds: number): Promise<void> {
    await this.#client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: this.#url,
        ReceiptHandle: receipt,
        VisibilityTimeout: Math.ceil(delaySeconds),
      }),
    );
  }

  async #sendBatch(bodies: unknown[], delaySeconds: number): Promise<void> {
    let entries = bodies.map((body, n) => ({
      Id: String(n),
      MessageBody: JSON.stringify(body),
      DelaySeconds: Math.min(MAX_DELAY, Math.ceil(delaySeconds)),
    }));
    for (let round = 0; entries.length > 0; round++) {
      if (round === ROUNDS) throw new Error(`SQS did not take ${entries.length} records`);
      const answer = await this.#client.send(
        new SendMessageBatchCommand({ QueueUrl: this.#url, Entries: entries }),
      );
      const failed = new Set((answer.Failed ?? []).map(({ Id }) => Id));
      entries = entries.filter(({ Id }) => failed.has(Id));
    }
  }
}
