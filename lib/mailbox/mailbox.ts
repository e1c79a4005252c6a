import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { CarrierName } from '../carriers/carrier.ts';
import { batchGet, batchWrite } from '../storage/batches.ts';
import { settleAll } from '../storage/settle.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { isUnreadable, itemOf, type MessageRef, messageOf, type StoredMessage } from './item.ts';
import { acknowledgement, markKey, TRACE_SECONDS } from './traces.ts';

/** The longest that a deployment may let a message wait for its device (Pushover: 21 days). */
export const MAX_MESSAGE_DAYS = 21;

/**
 * How long the record of what sync served is kept, from when it was last written: as long as any message that it
 * names, whatever the deployment's retention is, or was when the message was stored. Seconds.
 */
const SERVED_SECONDS = MAX_MESSAGE_DAYS * 24 * 3600;

/** Most messages in one answer to sync, whatever their size. */
const PAGE_MESSAGES = 5_000;

/**
 * Most ids that the record of served messages holds: 20,000 numbers are under 200 KB of DynamoDB's 400 KB item.
 * Messages served beyond it are simply served again after an acknowledge.
 */
const SERVED_LIMIT = 20_000;

/**
 * Most messages with attachments in one answer, and names of attachments up to which the record takes a page more: at
 * about fifty bytes each, three thousand of them leave room for the ids.
 */
const PAGE_ATTACHMENTS = 1_000;
const NAMED_LIMIT = 2_000;

/** Served ids above which an acknowledge of all of them is worth a write of its own to forget them. */
const FORGET_ABOVE = 50;

/** Sort key of a device's record of served ids; messages have positive ids, delivery marks negative ones. */
const SERVED = 0;

/** What an acknowledge tells of attachments. */
export interface AttachmentReports {
  report(id: string, device: string): Promise<boolean>;
  remove(ids: string[]): Promise<void>;
}

/** Pending messages of a device, in ascending order. */
export interface Page {
  messages: StoredMessage[];
  /** The answer was cut at a limit; more follows after the last id. */
  more: boolean;
}

/**
 * The Mailbox table: one partition a device (`pk` = device id), in it
 *
 * - the messages (`sk` = id > 0), each with its expiry in `ttl`;
 * - a mark for each message that carriers accepted (`sk` = −id), with an attribute for each of them, and another for
 *   the highest repetition (of an emergency message) that it accepted: a small item of its own, since an update of the
 *   message would be billed by the message's size;
 * - the ids that sync has served (`sk` = 0), which are what acknowledge may delete, and the attachments of those that
 *   have one.
 *
 * In another partition (`acked#<device>`) is a small item for each message that the device has acknowledged: its sender
 * may ask what became of it. Marks and these are kept for a month, whatever the message's own expiry was.
 *
 * Acknowledge is "delete up to this id", but ids are ordered by time only up to the clocks of several Lambdas: a
 * message with a lower id can be stored after the device has synced. It is not in the record of served ids, so it
 * stays until the device has seen it. Every fault errs to the same side: a record that is lost, overwritten by a
 * concurrent sync or full makes a message be served again, and the device knows it by its id.
 */
export class Mailbox {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Stores a message for a device. One conditional write; repeating it after a lost answer succeeds, since the item
   * carries the id of the request that wrote it.
   *
   * @returns false if another message has this id on this device
   */
  async put(message: StoredMessage): Promise<boolean> {
    try {
      await this.#table.client.send(
        new PutCommand({
          TableName: this.#table.name,
          Item: itemOf(message),
          ConditionExpression: 'attribute_not_exists(pk) OR #request = :request',
          ExpressionAttributeNames: { '#request': 'request' },
          ExpressionAttributeValues: { ':request': message.request },
        }),
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }

  /**
   * Takes back messages that were stored, or may have been, for a request which then failed. Only what that very
   * request wrote is deleted. Repeatable.
   */
  async withdraw(messages: StoredMessage[]): Promise<void> {
    const deletes = messages.map(async ({ device, id, request }) => {
      try {
        await this.#table.client.send(
          new DeleteCommand({
            TableName: this.#table.name,
            Key: { pk: device, sk: id },
            ConditionExpression: '#request = :request',
            ExpressionAttributeNames: { '#request': 'request' },
            ExpressionAttributeValues: { ':request': request },
          }),
        );
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    });
    await settleAll(deletes);
  }

  /**
   * Pending messages of a device, ascending, expired ones left out (TTL deletes up to two days late), and records
   * them as served.
   *
   * @param after only messages with a higher id; 0 for all
   * @param maxBytes cuts the page where the stored sizes exceed it
   */
  async page(device: string, after: number, maxBytes: number): Promise<Page> {
    const now = seconds(this.#clock);
    const messages: StoredMessage[] = [];
    let served: Set<number> | undefined;
    let bytes = 0;
    let attachments = 0;
    let more = false;
    let start: Record<string, unknown> | undefined;
    do {
      const answer = await this.#table.client.send(
        new QueryCommand({
          TableName: this.#table.name,
          KeyConditionExpression: 'pk = :device AND sk >= :after',
          ExpressionAttributeValues: { ':device': device, ':after': after === 0 ? SERVED : after + 1 },
          // Strongly consistent: the signal to sync comes right after the write.
          ConsistentRead: true,
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      for (const item of answer.Items ?? []) {
        if (item.sk === SERVED) {
          served = item.served as Set<number> | undefined;
          continue;
        }
        // One that this code cannot read must not keep the others back. It was not served, so nothing deletes it.
        if (item.ttl <= now || isUnreadable(item)) continue;
        const message = messageOf(item);
        bytes += message.body.byteLength;
        if (message.attachment !== undefined) attachments++;
        const full = bytes > maxBytes || messages.length === PAGE_MESSAGES || attachments > PAGE_ATTACHMENTS;
        if (messages.length > 0 && full) {
          more = true;
          break;
        }
        messages.push(message);
      }
      start = answer.LastEvaluatedKey;
    } while (start && !more);
    await this.#recordServed(device, after, messages, served);
    return { messages, more };
  }

  /** A message that waits for the device, not expired. Strongly consistent. */
  async find({ device, id }: MessageRef): Promise<StoredMessage | undefined> {
    const { Item } = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: { pk: device, sk: id }, ConsistentRead: true }),
    );
    return Item && Item.ttl > seconds(this.#clock) ? messageOf(Item) : undefined;
  }

  /** Whether any message waits for the device. One read, at most 1 MB. */
  async hasPending(device: string): Promise<boolean> {
    const answer = await this.#table.client.send(
      new QueryCommand({
        TableName: this.#table.name,
        KeyConditionExpression: 'pk = :device AND sk > :served',
        FilterExpression: '#ttl > :now',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':device': device, ':served': SERVED, ':now': seconds(this.#clock) },
        ConsistentRead: true,
        Limit: 20,
      }),
    );
    // Expired messages that DynamoDB has not purged yet may fill the first 20: then say yes, and let sync find out.
    return (answer.Count ?? 0) > 0 || answer.LastEvaluatedKey !== undefined;
  }

  /**
   * Deletes what the device has stored safely: of the ids up to `upTo`, those that sync has served; and the attachments
   * that nobody needs any more. Repeatable.
   *
   * A device that acknowledges a message can never fetch its attachment again, so that counts as its report. Reports
   * come before the messages go, and the objects before the record forgets them: wherever it dies, a repeat finds the
   * rest, or the attachment goes by its expiry. Without attachments it costs nothing more.
   *
   * Each message costs two write units: it is deleted, and it is noted that it was acknowledged. A device that says it
   * again moves the time of the note.
   *
   * @returns how many messages were named for deletion
   */
  async acknowledge(device: string, upTo: number, attachments: AttachmentReports): Promise<number> {
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: { pk: device, sk: SERVED }, ConsistentRead: true }),
    );
    const served = [...((found.Item?.served as Set<number> | undefined) ?? [])];
    const stored = served.filter((id) => id <= upTo);
    const named = [...((found.Item?.attachments as Set<string> | undefined) ?? [])].map(readName);
    const done = named.filter(({ message }) => message <= upTo);
    const marked = await settleAll(
      done.map(async ({ id }) => ((await attachments.report(id, device)) ? [id] : [])),
    );
    const at = seconds(this.#clock);
    await batchWrite(
      this.#table,
      stored.flatMap((id) => [
        { put: acknowledgement({ device, id }, at) },
        { remove: { pk: device, sk: id } },
      ]),
    );
    await attachments.remove([...new Set(marked.flat())]);
    // What stays in the record is deleted again by the next acknowledge: of no use for a device that acknowledges one
    // by one, or page by page. Where little was served and all of it acknowledged, which is nearly always, the next
    // sync overwrites the record anyway, and the write is saved.
    if (stored.length > 0 && (stored.length < served.length || stored.length > FORGET_ABOVE)) {
      const names = done.map(nameOf);
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: { pk: device, sk: SERVED },
          UpdateExpression: `DELETE served :stored${names.length > 0 ? ', attachments :names' : ''}`,
          ExpressionAttributeValues: {
            ':stored': new Set(stored),
            ...(names.length > 0 && { ':names': new Set(names) }),
          },
        }),
      );
    }
    return stored.length;
  }

  /**
   * Marks a message as accepted by a carrier, beside what others accepted. One write unit. Repeatable.
   *
   * @param ttl until when dispatch needs the mark; it is kept longer if its sender may still ask
   * @param repetition the highest that was accepted; 0 for the message itself
   */
  async markDelivered(ref: MessageRef, carrier: CarrierName, ttl: number, repetition = 0): Promise<void> {
    const again = repetition > 0;
    const at = seconds(this.#clock);
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: markKey(ref),
          UpdateExpression: `SET #carrier = :at, #ttl = :ttl${again ? ', #again = :n' : ''}`,
          ...(again && { ConditionExpression: 'attribute_not_exists(#again) OR #again < :n' }),
          ExpressionAttributeNames: {
            '#carrier': carrier,
            '#ttl': 'ttl',
            ...(again && { '#again': repetitionOf(carrier) }),
          },
          ExpressionAttributeValues: {
            ':at': at,
            ':ttl': Math.max(ttl, at + TRACE_SECONDS),
            ...(again && { ':n': repetition }),
          },
        }),
      );
    } catch (error) {
      // A later repetition was accepted meanwhile; its mark stays.
      if (!isConditionFailure(error)) throw error;
    }
  }

  /**
   * What among `refs` is still to be pushed over a carrier: `stored`, the messages that are there, not expired, and
   * not marked as accepted by it, or only for an earlier repetition; and `gone`, those that the device has stored and
   * acknowledged, or that expired, which only a repetition still says something about. One request for up to 50.
   */
  async undelivered(
    refs: MessageRef[],
    carrier: CarrierName,
    repetition = 0,
  ): Promise<{ stored: StoredMessage[]; gone: MessageRef[] }> {
    const keys = refs.flatMap(({ device, id }) => [{ pk: device, sk: id }, markKey({ device, id })]);
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    const marked = new Set(
      items!
        .filter(
          (item) =>
            (item.sk as number) < 0 &&
            item[carrier] !== undefined &&
            ((item[repetitionOf(carrier)] as number | undefined) ?? 0) >= repetition,
        )
        .map((item) => `${item.pk} ${-(item.sk as number)}`),
    );
    const now = seconds(this.#clock);
    const stored = items!
      .filter(
        (item) =>
          (item.sk as number) > 0 && (item.ttl as number) > now && !marked.has(`${item.pk} ${item.sk}`),
      )
      .map(messageOf);
    const there = new Set(stored.map(({ device, id }) => `${device} ${id}`));
    const gone = refs.filter(({ device, id }) => {
      const name = `${device} ${id}`;
      return !there.has(name) && !marked.has(name);
    });
    return { stored, gone };
  }

  /**
   * Records which ids were served, and which attachments they have. A first page replaces the record (what it does not name is not pending any more),
   * a following page adds to it. Nothing is written if the record already says so, or if nothing was served: ids of
   * messages that are gone do no harm.
   */
  async #recordServed(
    device: string,
    after: number,
    messages: StoredMessage[],
    known: Set<number> | undefined,
  ): Promise<void> {
    if (messages.length === 0) return;
    const ids = messages.map(({ id }) => id);
    if (after === 0 && known?.size === ids.length && ids.every((id) => known.has(id))) return;
    const following = after > 0;
    const names = messages.flatMap(({ id, attachment }) =>
      attachment === undefined ? [] : [nameOf({ message: id, id: attachment })],
    );
    const named = names.length > 0;
    try {
      await this.#table.client.send(
        new UpdateCommand({
          TableName: this.#table.name,
          Key: { pk: device, sk: SERVED },
          UpdateExpression: following
            ? `ADD served :ids${named ? ', attachments :names' : ''} SET #ttl = :ttl`
            : `SET served = :ids, #ttl = :ttl${named ? ', attachments = :names' : ' REMOVE attachments'}`,
          ...(following && {
            ConditionExpression:
              '(attribute_not_exists(served) OR size(served) <= :limit) AND ' +
              '(attribute_not_exists(attachments) OR size(attachments) <= :named)',
          }),
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ':ids': new Set(ids),
            ':ttl': seconds(this.#clock) + SERVED_SECONDS,
            ...(following && { ':limit': SERVED_LIMIT - PAGE_MESSAGES, ':named': NAMED_LIMIT }),
            ...(named && { ':names': new Set(names) }),
          },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
  }
}

/** A message and its attachment, as the record of served messages names them. */
interface ServedAttachment {
  message: number;
  id: string;
}

const nameOf = ({ message, id }: ServedAttachment): string => `${message} ${id}`;

function readName(name: string): ServedAttachment {
  const [message = '', id = ''] = name.split(' ');
  return { message: Number(message), id };
}

/** Name of the attribute of a mark that says which repetition a carrier has accepted. */
function repetitionOf(carrier: CarrierName): string {
  return `${carrier}_again`;
}
