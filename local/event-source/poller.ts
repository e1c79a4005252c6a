/** Polls one queue for one function, as Lambda's event source mapping does. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import type { Front } from '../aws/front.ts';
import { ROOT } from '../iam/iam.ts';
import type { QueueState } from '../resources/fauxqs.ts';
import { asList, isObject, type JsonObject } from '../template/json.ts';
import type { CloudLog, InvokeResult, LocalFunction } from '../types.ts';
import { failedIds, toFilterable, toRecord } from './event.ts';
import { matchesPattern } from './filter.ts';
import type { Mapping } from './mapping.ts';

export interface PollerOptions {
  mapping: Mapping;
  target: LocalFunction;
  front: Front;
  log: CloudLog;
  /** Messages of the queue by state, for `drained`. */
  queueState(): QueueState;
}

/** Seconds of a long poll, SQS's most. */
const LONG_POLL = 20;
/** Messages of one ReceiveMessage or DeleteMessageBatch, SQS's most. */
const SQS_BATCH = 10;
/** Lambda closes a batch at its payload limit of 6 MB. */
const MAX_PAYLOAD = 6_291_456;
/** Milliseconds before polling again after an error. */
const BACK_OFF = 1000;
/** Milliseconds between looks of `drained`. */
const DRAIN_CHECK = 5;
/** Times that a deletion is tried; then the messages come again. */
const DELETE_TRIES = 3;

export class Poller {
  readonly mapping: Mapping;
  readonly #options: PollerOptions;
  readonly #running = new Set<Promise<void>>();
  #wakeSlot: (() => void) | undefined;
  #twice = 0;
  #atOnce = false;
  #closed = false;
  #backOff: NodeJS.Timeout | undefined;
  #complaint = '';

  constructor(options: PollerOptions) {
    this.mapping = options.mapping;
    this.#options = options;
  }

  /** Begins to poll. */
  start(): void {
    this.#poll().catch((error: Error) => {
      const { log } = this.#options;
      log('error', `event source ${this.mapping.queue.name}: stopped by ${error.message}`, {
        stack: error.stack,
      });
    });
  }

  /**
   * Test hook: delivers the next `batches` batches twice, at the same time, as at-least-once delivery may. What the
   * second invocation answers has no effect.
   */
  deliverTwice(batches = 1): void {
    this.#twice += batches;
  }

  /**
   * Test hook: what fails of the next batch of which anything fails is visible again at once, instead of when the
   * visibility timeout of the queue has passed.
   */
  repeatAtOnce(): void {
    this.#atOnce = true;
  }

  /**
   * Resolves when the queue is empty (nothing waiting, delayed or in flight) and no invocation runs. Looks again and
   * again: a message becomes visible, or goes to the dead-letter queue, without any event that could be awaited.
   */
  async drained(): Promise<void> {
    while (!this.#closed) {
      const { ready, delayed, inFlight } = this.#options.queueState();
      if (this.#running.size + ready + delayed + inFlight === 0) return;
      await sleep(DRAIN_CHECK);
    }
  }

  /** Stops polling and waits for the invocations under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#backOff);
    this.#wakeSlot?.();
    await Promise.all(this.#running);
  }

  async #poll(): Promise<void> {
    while (!this.#closed) {
      if (this.#running.size >= this.mapping.maximumConcurrency) {
        await new Promise<void>((resolve) => {
          this.#wakeSlot = resolve;
        });
        continue;
      }
      const records = await this.#collect();
      if (this.#closed) return;
      if (records.length > 0) this.#begin(records);
    }
  }

  #begin(records: SQSRecord[]): void {
    const work = this.#process(records).finally(() => {
      this.#running.delete(work);
      this.#wakeSlot?.();
    });
    this.#running.add(work);
  }

  /** Waits for messages, then for the batch to fill as long as the window says. */
  async #collect(): Promise<SQSRecord[]> {
    const { batchSize, window } = this.mapping;
    const records = await this.#receive(Math.min(batchSize, SQS_BATCH), LONG_POLL);
    if (window === 0 || records.length === 0) return records;
    const end = Date.now() + window * 1000;
    let bytes = sizeOf(records);
    while (records.length < batchSize && bytes < MAX_PAYLOAD && Date.now() < end && !this.#closed) {
      const wait = Math.min(LONG_POLL, (end - Date.now()) / 1000);
      const more = await this.#receive(Math.min(batchSize - records.length, SQS_BATCH), Math.max(0, wait));
      records.push(...more);
      bytes += sizeOf(more);
    }
    return records;
  }

  async #receive(count: number, wait: number): Promise<SQSRecord[]> {
    const { queue } = this.mapping;
    try {
      const { Messages } = await this.#call('ReceiveMessage', {
        QueueUrl: queue.url,
        MaxNumberOfMessages: count,
        WaitTimeSeconds: wait,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      });
      this.#complaint = '';
      return asList(Messages)
        .filter(isObject)
        .map((message) => toRecord(message, queue.arn));
    } catch (error) {
      if (this.#closed) return [];
      this.#complain(`cannot receive: ${(error as Error).message}`);
      await new Promise<void>((resolve) => {
        this.#backOff = setTimeout(resolve, BACK_OFF);
      });
      return [];
    }
  }

  async #process(received: SQSRecord[]): Promise<void> {
    const { mapping } = this;
    const { filters } = mapping;
    const records = received.filter(
      (record) => filters.length === 0 || filters.some((one) => matchesPattern(one, toFilterable(record))),
    );
    // What no filter matches is deleted unseen.
    await this.#delete(received.filter((record) => !records.includes(record)));
    if (records.length === 0) return;
    const event: SQSEvent = { Records: records };
    const again = this.#twice > 0 ? this.#invokeAgain(event) : undefined;
    const result = await this.#options.target.invoke(event);
    const failed = this.#failed(result, event);
    await this.#delete(records.filter(({ messageId }) => !failed.has(messageId)));
    await again;
    if (failed.size > 0 && this.#atOnce) {
      await this.#show(records.filter(({ messageId }) => failed.has(messageId)));
    }
  }

  async #show(records: SQSRecord[]): Promise<void> {
    this.#atOnce = false;
    const QueueUrl = this.mapping.queue.url;
    for (const { receiptHandle: ReceiptHandle } of records) {
      const input = { QueueUrl, ReceiptHandle, VisibilityTimeout: 0 };
      await this.#options.front.send(ROOT, 'sqs', 'ChangeMessageVisibility', input);
    }
  }

  async #invokeAgain(event: SQSEvent): Promise<void> {
    this.#twice--;
    await this.#options.target.invoke(structuredClone(event));
  }

  #failed({ error, payload, requestId }: InvokeResult, event: SQSEvent): Set<string> {
    const { mapping } = this;
    const all = new Set(event.Records.map(({ messageId }) => messageId));
    const failed = error ? all : mapping.reportsItemFailures ? failedIds(payload, event) : new Set<string>();
    if (failed.size > 0) {
      const reason = error ? `${error.type}: ${error.message}` : 'reported by the function';
      this.#options.log(
        'warn',
        `${mapping.function.name}: ${failed.size} of ${all.size} records of ${mapping.queue.name} failed (${reason})`,
        { function: mapping.function.name, requestId, failed: [...failed] },
      );
    }
    return failed;
  }

  async #delete(records: SQSRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += SQS_BATCH) {
      const chunk = records.slice(at, at + SQS_BATCH);
      const Entries = chunk.map(({ receiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
      }));
      await this.#deleteChunk({ QueueUrl: this.mapping.queue.url, Entries });
    }
  }

  async #deleteChunk(input: JsonObject): Promise<void> {
    for (let left = DELETE_TRIES; left > 0; left--) {
      try {
        await this.#call('DeleteMessageBatch', input);
        return;
      } catch (error) {
        this.#complain(`cannot delete: ${(error as Error).message}`);
      }
    }
  }

  #call(action: string, input: JsonObject): Promise<JsonObject> {
    return this.#options.front.send(this.mapping.function.accessKeyId, 'sqs', action, input);
  }

  /** Logs a problem, the same one only once in a row. */
  #complain(problem: string): void {
    if (problem === this.#complaint) return;
    this.#complaint = problem;
    this.#options.log(
      'error',
      `event source ${this.mapping.queue.name} of ${this.mapping.function.name} ${problem}`,
      {
        function: this.mapping.function.name,
      },
    );
  }
}

function sizeOf(records: SQSRecord[]): number {
  return records.reduce((sum, { body }) => sum + body.length, 0);
}
