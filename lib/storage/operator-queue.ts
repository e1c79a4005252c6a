import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

/** A record, hidden from others until its visibility timeout ends or it is removed. */
export interface HeldRecord {
  body: string;
  receipt: string;
}

/** A queue as an operator works on it by hand: counted, and, a dead-letter queue, emptied. */
export class OperatorQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /** Takes up to ten, waiting a second for them. */
  async receive(): Promise<HeldRecord[]> {
    const answer = await this.#client.send(
      new ReceiveMessageCommand({ QueueUrl: this.#url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    return (answer.Messages ?? []).map(({ Body, ReceiptHandle }) => ({
      body: Body!,
      receipt: ReceiptHandle!,
    }));
  }

  /** Deletes up to ten. One that is not deleted comes again. */
  async remove(receipts: string[]): Promise<void> {
    if (receipts.length === 0) return;
    const Entries = receipts.map((ReceiptHandle, n) => ({ Id: String(n), ReceiptHandle }));
    await this.#client.send(new DeleteMessageBatchCommand({ QueueUrl: this.#url, Entries }));
  }

  /** About how many records there are, visible or delayed. */
  async count(): Promise<number> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed'] as const;
    const answer = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: this.#url, AttributeNames: [...names] }),
    );
    return names.reduce((sum, name) => sum + Number(answer.Attributes?.[name] ?? 0), 0);
  }
}
