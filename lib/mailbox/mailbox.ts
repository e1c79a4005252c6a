import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { CarrierName } from '../carriers/carrier.ts';
import { batchGet, batchWrite } from '../storage/batches.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { settleAll } from '../storage/settle.ts';
import { isTakenOver, type Place, takeOn } from '../storage/succession.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import { isUnreadable, itemOf, type MessageRef, messageOf, type StoredMessage } from './item.ts';
import {
  forget,
  NOTHING_SERVED,
  packed,
  provenUpTo,
  recordAnswer,
  type Served,
  type ServedPage,
  unpacked,
} from './served.ts';
import { acknowledgement, markKey, TRACE_SECONDS } from './traces.ts';

/** The longest that a deployment may let a message wait for its device (Pushover: 21 days). */
export const MAX_MESSAGE_DAYS = 21;

/**
 * How long the record of what a device was given is kept, from when it was last written: as long as any message that
 * it names, whatever the deployment's retention is, or was when the message was stored. Seconds.
 */
const SERVED_SECONDS = MAX_MESSAGE_DAYS * 24 * 3600;

/** Most messages in one answer to sync, whatever their size. */
const PAGE_MESSAGES = 5_000;

/** Most messages with attachments in one answer: an acknowledgement of it reports each. */
const PAGE_ATTACHMENTS = 1_000;

/** Served ids above which an acknowledgement of them is worth a write of its own to forget them. */
const FORGET_ABOVE = 20;

/** How often a sync writes its answer into the record, where others of the same device keep overtaking it. */
const ATTEMPTS = 10;

/** Sort key of a device's record of what it was given; messages have positive ids, delivery marks negative ones. */
const SERVED = 0;

const RECORD = kind('record of served ids', unchanged);

/** What an acknowledge tells of attachments. */
export interface AttachmentReports {
  report(id: string, device: string): Promise<boolean>;
  remove(ids: string[]): Promise<void>;
}

/** Which messages a sync asks for. */
export interface PageRequest {
  device: string;
  /** Only messages with a higher id; 0 for all. */
  after: number;
  /** Bytes that a message takes in the answer. */
  weigh(message: StoredMessage): number;
  /** Bytes above which the page is cut. Its first message is on it whatever it weighs. */
  maxBytes: number;
  /** Whether the device acknowledges up to an id, and not by ids: what it is given is recorded then. */
  recorded: boolean;
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
 *   message would be billed by the message's size. Where a carrier failed for now, it also says which record is to try
 *   again (`lib/storage/succession.ts`);
 * - of a device that acknowledges up to an id, the record of what it was given (`sk` = 0).
 *
 * In another partition (`acked#<device>`) is a small item for each message that the device has acknowledged: its sender
 * may ask what became of it. Marks and these are kept for a month, whatever the message's own expiry was.
 *
 * **Acknowledging.** A device that names the ids that it has stored says all there is to know, and exactly these go.
 * Pushover's Open Clients say "up to this id", which is less than it seems: ids are ordered by the clocks of several
 * Lambdas, so a message with a lower id may be stored later; and an answer to sync may be lost. Suppose that L is lower
 * than H and stored later, that a first answer gave [H] and a second one [L, H], which was lost. The device acknowledges
 * H and has never seen L.
 *
 * The rule: **an acknowledgement up to H deletes, of the ids up to H, those that were in every answer since H was first
 * given.** The device has received one of these answers, whichever it was, so it has received those ids.
 * `served.ts` keeps the record and shows that no order of answers, pages and acknowledgements breaks the rule. What is
 * left here:
 *
 * - An answer is recorded before it is given, and each write of the record has the condition that nobody has written
 *   since it was read. So all answers are in one order, and none that a device could have received is missing. Of two
 *   syncs at once, one reads the record again; its page may be older than the record, which the proof does not mind.
 * - Where a request dies after its record was written, the record has an answer that nobody received. It makes other
 *   ids wait, and deletes nothing more.
 * - The record expires after all messages that it ever named, so that none of them is given under a new record.
 * - An id that the record does not know (it was never given, or is forgotten) deletes nothing.
 *
 * Every fault errs to the same side: the message is served again, and the device knows it by its id. Nothing stays: an
 * acknowledgement of the highest id of the last answer deletes at least that message.
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
   * Pending messages of a device, ascending, expired ones left out (TTL deletes up to two days late). One query, and,
   * if it is recorded, one write of the record unless that says so already; with `after`, a read of it as well.
   */
  async page({ device, after, weigh, maxBytes, recorded }: PageRequest): Promise<Page> {
    const now = seconds(this.#clock);
    const messages: StoredMessage[] = [];
    let record: Record<string, unknown> | undefined;
    let bytes = 0;
    let attachments = 0;
    let more = false;
    let start: Record<string, unknown> | undefined;
    do {
      const answer = await this.#table.client.send(
        new QueryCommand({
          TableName: this.#table.name,
          KeyConditionExpression: 'pk = :device AND sk >= :from',
          ExpressionAttributeValues: { ':device': device, ':from': after === 0 ? SERVED : after + 1 },
          // Strongly consistent: the signal to sync comes right after the write.
          ConsistentRead: true,
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      for (const item of answer.Items ?? []) {
        if (item.sk === SERVED) {
          record = item;
          continue;
        }
        // One that this code cannot read must not keep the others back. It was not served, so nothing deletes it.
        if (item.ttl <= now || isUnreadable(item)) continue;
        const message = messageOf(item);
        bytes += weigh(message);
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
    if (recorded) {
      const page = { after, ids: messages.map(({ id }) => id), more };
      await this.#record(device, page, after === 0 ? servedOf(record) : await this.#served(device));
    }
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
   * Deletes messages that a device has stored safely, and the attachments that nobody needs any more. Ids under which
   * nothing waits are passed over. Repeatable.
   *
   * A device that acknowledges a message can never fetch its attachment again, so that counts as its report. The copies
   * name the attachments, so they go last: wherever it dies, a repeat finds the rest, or the attachment goes by its
   * expiry.
   *
   * Each message costs a read of it (one read unit for 4 KB, a hundred a request) and two writes: it is deleted, which
   * is billed by its size, and it is noted that it was acknowledged.
   *
   * @returns how many messages were deleted
   */
  async acknowledge(device: string, ids: readonly number[], attachments: AttachmentReports): Promise<number> {
    const keys = [...new Set(ids)].map((id) => ({ pk: device, sk: id }));
    const [items] = await batchGet([
      { table: this.#table, keys, consistent: true, attributes: ['pk', 'sk', 'v', 'attachment'] },
    ]);
    // What later code has stored is given out, and taken back, by later code.
    const copies = items!.filter((item) => !isUnreadable(item));
    const marked = await settleAll(
      copies.map(async ({ attachment }) =>
        attachment !== undefined && (await attachments.report(attachment as string, device))
          ? [attachment as string]
          : [],
      ),
    );
    await attachments.remove([...new Set(marked.flat())]);
    const at = seconds(this.#clock);
    await batchWrite(
      this.#table,
      copies.flatMap(({ sk }) => [
        { put: acknowledgement({ device, id: sk as number }, at) },
        { remove: { pk: device, sk } },
      ]),
    );
    return copies.length;
  }

  /**
   * The same for a device that says no more than up to which id it has stored messages: see the class. One read of the
   * record besides.
   *
   * @returns how many messages were deleted
   */
  async acknowledgeUpTo(device: string, upTo: number, attachments: AttachmentReports): Promise<number> {
    const served = await this.#served(device);
    const ids = provenUpTo(served, upTo);
    const deleted = await this.acknowledge(device, ids, attachments);
    // The next acknowledgement reads again what stays in the record. Where it is little, as nearly always, the next
    // sync overwrites the record anyway, and the write is saved. If one has done so meanwhile, it knows better.
    if (ids.length > FORGET_ABOVE) await this.#writeServed(device, served, forget(served, ids));
    return deleted;
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
   * Has a record take on that a message is tried again over a carrier, or one of its repetitions is. One write unit, on
   * the item of the mark. Repeatable.
   *
   * @param ttl until when dispatch needs it, Unix seconds
   * @returns false if another record does it
   */
  takeOn(
    ref: MessageRef,
    carrier: CarrierName,
    place: Place,
    { ttl, repetition = 0 }: { ttl: number; repetition?: number | undefined },
  ): Promise<boolean> {
    const prefix = triesOf(carrier, repetition);
    const kept = Math.max(ttl, seconds(this.#clock) + TRACE_SECONDS);
    return takeOn({ table: this.#table, key: markKey(ref), prefix, ttl: kept }, place);
  }

  /**
   * What among `refs` is still to be pushed over a carrier by a record: `stored`, the messages that are there, not
   * expired, not marked as accepted by it (or only for an earlier repetition), and not taken on by another record; and
   * `gone`, those that the device has stored and acknowledged, or that expired, which only a repetition still says
   * something about. One request for up to 50.
   */
  async undelivered(
    refs: MessageRef[],
    carrier: CarrierName,
    place: Place,
    repetition = 0,
  ): Promise<{ stored: StoredMessage[]; gone: MessageRef[] }> {
    const keys = refs.flatMap(({ device, id }) => [{ pk: device, sk: id }, markKey({ device, id })]);
    const [items] = await batchGet([{ table: this.#table, keys, consistent: true }]);
    const settled = new Set(
      items!
        .filter(
          (item) =>
            (item.sk as number) < 0 &&
            ((item[carrier] !== undefined &&
              ((item[repetitionOf(carrier)] as number | undefined) ?? 0) >= repetition) ||
              isTakenOver(item, place, triesOf(carrier, repetition))),
        )
        .map((item) => `${item.pk} ${-(item.sk as number)}`),
    );
    const now = seconds(this.#clock);
    const stored = items!
      .filter(
        (item) =>
          (item.sk as number) > 0 && (item.ttl as number) > now && !settled.has(`${item.pk} ${item.sk}`),
      )
      .map(messageOf);
    const there = new Set(stored.map(({ device, id }) => `${device} ${id}`));
    const gone = refs.filter(({ device, id }) => {
      const name = `${device} ${id}`;
      return !there.has(name) && !settled.has(name);
    });
    return { stored, gone };
  }

  /**
   * Records an answer that is about to be given.
   *
   * @param known the record as it was last read
   * @throws Error where others keep overtaking it: then nothing is given
   */
  async #record(device: string, page: ServedPage, known: Served): Promise<void> {
    let served = known;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const next = recordAnswer(served, page);
      if (!next || (await this.#writeServed(device, served, next))) return;
      served = await this.#served(device);
    }
    throw new Error('the record of what a device was given changed too often at once');
  }

  async #served(device: string): Promise<Served> {
    const { Item } = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: { pk: device, sk: SERVED }, ConsistentRead: true }),
    );
    return servedOf(Item);
  }

  /** Writes the record, unless somebody has written since it was read. @returns whether it was written */
  async #writeServed(device: string, read: Served, next: Served): Promise<boolean> {
    const isNew = read.answer === 0;
    try {
      await this.#table.client.send(
        new PutCommand({
          TableName: this.#table.name,
          Item: versioned(RECORD, {
            pk: device,
            sk: SERVED,
            answer: next.answer,
            top: next.top,
            ...(next.ids.size > 0 && { ids: packed(next) }),
            ttl: seconds(this.#clock) + SERVED_SECONDS,
          }),
          ConditionExpression: isNew ? 'attribute_not_exists(pk)' : 'answer = :read',
          ...(!isNew && { ExpressionAttributeValues: { ':read': read.answer } }),
        }),
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }
}

/** The record of an item. @throws NewerItem: what a later version has recorded must not be taken for nothing */
function servedOf(stored: Record<string, unknown> | undefined): Served {
  if (!stored) return NOTHING_SERVED;
  const { answer, top, ids = new Uint8Array() } = newest(RECORD, stored);
  return { answer: answer as number, top: top as number, ids: unpacked(ids as Uint8Array) };
}

/** Name of the attribute of a mark that says which repetition a carrier has accepted. */
function repetitionOf(carrier: CarrierName): string {
  return `${carrier}_again`;
}

/**
 * What the attributes of a mark begin with that say which record tries again over a carrier. The message itself and its
 * repetitions apart: what is left of the message must not end with the repetitions, which somebody else's
 * acknowledgement ends.
 */
function triesOf(carrier: CarrierName, repetition: number): string {
  return repetition > 0 ? `${carrier}_again_` : `${carrier}_`;
}
