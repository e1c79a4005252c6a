import { DeleteCommand, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { batchDelete } from '../storage/batches.ts';
import { kind, newest, unchanged } from '../storage/schema.ts';
import { settleAll } from '../storage/settle.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { attachmentKey, type OpenBucket, plainKey } from './bucket.ts';
import type { SealedImage } from './seal.ts';

const ATTACHMENT = kind('attachment', unchanged);

/** What is known of an attachment, apart from its bytes. */
export interface AttachmentRecord {
  /** Unix seconds. */
  expiresAt: number;
}

/**
 * Attachments on the server: an encrypted object in the bucket, and an item in the Mailbox table (`pk` =
 * `attachment#<id>`) with its expiry, the number of devices that it is for, and the set of those that reported it.
 *
 * **Marked for deletion** means that the set is as large as the number. It is no attribute of its own: the report that
 * completes the set and the mark are the same write, which nothing can separate. A device is in the set once, however
 * often it reports, and reports come only from devices whose mailbox has the message.
 *
 * A message that is fanned out has no number of devices: its attachment is never marked, reports of it are not kept,
 * and it goes by its expiry. (Ten thousand reports would not fit an item either.)
 *
 * What is left behind by anything that dies is an object that nobody can find, since it is found through its item, or
 * an item without an object; lifecycle and time to live take them away. Every read filters by expiry.
 */
export class Attachments {
  readonly #table: Table;
  readonly #bucket: OpenBucket;
  readonly #clock: Clock;

  constructor(table: Table, bucket: OpenBucket, clock: Clock) {
    this.#table = table;
    this.#bucket = bucket;
    this.#clock = clock;
  }

  /**
   * Stores an image: first the object, then the item. Repeatable; reports that came in between are kept.
   *
   * @param devices how many it is for; undefined if that is not known
   */
  async put({ ref, object }: SealedImage, expiresAt: number, devices: number | undefined): Promise<void> {
    const bucket = await this.#bucket();
    await bucket.put(attachmentKey(ref.id), object);
    const counted = devices !== undefined;
    await this.#table.client.send(
      new UpdateCommand({
        TableName: this.#table.name,
        Key: itemKey(ref.id),
        UpdateExpression: `SET #ttl = :ttl, v = :v${counted ? ', devices = :devices' : ' REMOVE devices'}`,
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':ttl': expiresAt,
          ':v': ATTACHMENT.version,
          ...(counted && { ':devices': devices }),
        },
      }),
    );
  }

  /** Takes back what was stored, or may have been, for a message that was not accepted. Repeatable. */
  async withdraw(id: string): Promise<void> {
    const bucket = await this.#bucket();
    await settleAll([bucket.remove(attachmentKey(id)), this.#forget(id)]);
  }

  /** What is known of an attachment that can still be fetched. Strongly consistent. */
  async find(id: string): Promise<AttachmentRecord | undefined> {
    const { Item } = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: itemKey(id), ConsistentRead: true }),
    );
    const ttl = Item && (newest(ATTACHMENT, Item).ttl as number);
    return ttl !== undefined && ttl > seconds(this.#clock) ? { expiresAt: ttl } : undefined;
  }

  /**
   * Notes that a device has an attachment, or will never fetch it. One write, which is billed by the size of the set.
   * Repeatable.
   *
   * @returns whether it is marked for deletion: all devices have reported
   */
  async report(id: string, device: string): Promise<boolean> {
    try {
      const { Attributes } = await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: itemKey(id),
          UpdateExpression: 'ADD reported :device',
          // Neither brings one back that is gone, nor collects reports of one that is fanned out.
          ConditionExpression: 'attribute_exists(devices)',
          ExpressionAttributeValues: { ':device': new Set([device]) },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return (Attributes!.reported as Set<string>).size >= Attributes!.devices;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }

  /**
   * Deletes attachments for good: first the objects, then the items, without which a repeat would not find the objects.
   * Repeatable.
   */
  async remove(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    const bucket = await this.#bucket();
    await bucket.remove(...ids.flatMap((id) => [attachmentKey(id), plainKey(id)]));
    await batchDelete(this.#table, ids.map(itemKey));
  }

  async #forget(id: string): Promise<void> {
    await this.#table.client.send(new DeleteCommand({ TableName: this.#table.name, Key: itemKey(id) }));
  }
}

function itemKey(id: string): { pk: string; sk: number } {
  return { pk: `attachment#${id}`, sk: 0 };
}
