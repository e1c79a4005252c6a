import { randomUUID } from 'node:crypto';
import type { App } from '../accounts/apps.ts';
import { randomKey } from '../accounts/keys.ts';
import { type CarrierQueues, queueDispatch } from '../dispatch/router.ts';
import { startFanOut } from '../fanout/fan-out.ts';
import type { Jobs } from '../fanout/job.ts';
import type { Params } from '../http/params.ts';
import type { StoredMessage } from '../mailbox/item.ts';
import { type Mailbox, RETENTION_SECONDS } from '../mailbox/mailbox.ts';
import { messageIds } from '../mailbox/message-id.ts';
import { ENVELOPE_VERSION, type Envelope } from '../protocol/envelope.ts';
import { RECEIPT_SECONDS, type Receipt, type Receipts } from '../receipts/receipts.ts';
import { startRepeats } from '../receipts/repeat.ts';
import type { Queue } from '../storage/queue.ts';
import { settleAll } from '../storage/settle.ts';
import type { Clock, Table } from '../storage/table.ts';
import { type Common, Copies } from './copies.ts';
import type { EmergencyFields } from './emergency.ts';
import { type MessageFields, messageFields } from './fields.ts';
import { chooseDevices, findParties, type Parties, type Recipient } from './recipients.ts';

/**
 * Devices up to which a message is sealed and stored before it is answered. Beyond, it is stored once and answered, and
 * workers do the rest: storing copies takes about a millisecond each, and a sender should not wait for a second.
 */
export const DIRECT_DEVICES = 200;

/** What sending needs. */
export interface SendContext {
  directory: Table;
  mailbox: Mailbox;
  queues: CarrierQueues;
  /** For messages to more devices than one invocation should hold. */
  jobs: Jobs;
  fanOut: Queue;
  receipts: Receipts;
  /** For emergency messages: the chains of their repetitions. */
  repeats: Queue;
  clock: Clock;
}

/** A message that was accepted. */
export interface Accepted {
  /** Id of the message across all its recipients. */
  umid: number;
  devices: number;
  /** Of an emergency message. */
  receipt?: string;
}

/**
 * Accepts messages: checks, seals and stores them, and queues their dispatch.
 *
 * What it costs for one message to n devices: one BatchGetItem (1 read unit for the app, 1 per 4 KB of each
 * account's devices), n PutItem (1 write unit per KB), one SendMessageBatch a carrier. An emergency costs two more of
 * these (its receipt, its chain of repetitions), and a PutItem a tag.
 */
export class Sender {
  readonly #context: SendContext;
  readonly #copies: Copies;
  readonly #nextId: () => number;

  constructor(context: SendContext) {
    this.#context = context;
    this.#copies = new Copies(context.mailbox);
    this.#nextId = messageIds(context.clock);
  }

  /**
   * Accepts one message. When this returns, every recipient device's copy is stored and every carrier's record is
   * queued; or, for very many devices, the message is stored and all chunks of its recipients are queued.
   *
   * When storing or queueing fails, what was stored is withdrawn before the fault is thrown: the sender is told to
   * try again, and the devices should see one message, not two. A process that dies before it withdraws leaves
   * copies without an answer; the sender, who got none, repeats: a message twice rather than none. Records of
   * withdrawn messages may be on a queue already; the push Lambda finds nothing in the mailbox and drops them.
   *
   * @throws Refusal for anything that is the sender's fault; nothing is stored then
   */
  async send(params: Params): Promise<Accepted> {
    const { directory, clock } = this.#context;
    const parties = await findParties(directory, params.get('token'), params.get('user'));
    const fields = messageFields(params);
    const recipients = chooseDevices(parties.accounts, fields.devices);

    const { emergency } = fields;
    const receivedAt = clock();
    const received = Math.floor(receivedAt / 1000);
    const expiresAt = received + Math.min(fields.ttl ?? RETENTION_SECONDS, RETENTION_SECONDS);
    const umid = this.#nextId();
    const receipt = emergency && newReceipt(emergency, parties, received);
    const envelope = { ...envelopeOf(fields, parties.app, umid, received), ...asksOf(receipt, emergency) };
    const request = randomUUID();
    try {
      if (receipt) await this.#context.receipts.put(receipt);
      await this.#distribute(recipients, envelope, { umid, expiresAt, request }, receivedAt);
    } catch (error) {
      // Without it no repetition goes out.
      if (receipt) await this.#context.receipts.withdraw(receipt.receipt);
      throw error;
    }
    return { umid, devices: recipients.length, ...(receipt && { receipt: receipt.receipt }) };
  }

  /** Stores the copies and queues their dispatch; or, for very many devices, has workers do that. */
  async #distribute(
    recipients: Recipient[],
    envelope: Envelope,
    common: Common,
    acceptedAt: number,
  ): Promise<void> {
    if (recipients.length > DIRECT_DEVICES) {
      const users = [...new Set(recipients.map(({ user }) => user))];
      await startFanOut(
        envelope,
        users,
        { request: common.request, expiresAt: common.expiresAt, acceptedAt },
        {
          jobs: this.#context.jobs,
          queue: this.#context.fanOut,
        },
      );
    } else {
      await this.#deliver(recipients, envelope, common, acceptedAt);
    }
  }

  /** Stores the copies and queues their dispatch, or leaves nothing. */
  async #deliver(
    recipients: Recipient[],
    envelope: Envelope,
    common: Common,
    acceptedAt: number,
  ): Promise<void> {
    const copies = this.#copies.make(recipients, envelope, common);
    const attempts: StoredMessage[] = [];
    try {
      const stored = await settleAll(
        copies.map((copy, n) => this.#copies.store(copy, recipients[n]!, envelope, attempts)),
      );
      const devices = new Map(recipients.map(({ device }) => [device.id, device]));
      const { queues, repeats, clock } = this.#context;
      await queueDispatch(queues, stored, devices, acceptedAt, envelope.receipt);
      await startRepeats(repeats, envelope, acceptedAt, stored, clock);
    } catch (error) {
      await this.#context.mailbox.withdraw(attempts);
      throw error;
    }
  }
}

/** The receipt of an emergency message that is being accepted. @param received Unix seconds */
function newReceipt(
  { expire, callback, tags }: EmergencyFields,
  { app: { id, owner }, accounts }: Parties,
  received: number,
): Receipt {
  return {
    receipt: randomKey('r'),
    app: { id, owner },
    users: accounts.map(({ user }) => user),
    expiresAt: received + expire,
    ...(callback !== undefined && { callback }),
    tags,
    ttl: received + RECEIPT_SECONDS,
  };
}

/** What the envelope of an emergency message says besides. */
function asksOf(receipt: Receipt | undefined, emergency: EmergencyFields | undefined): Partial<Envelope> {
  if (!receipt || !emergency) return {};
  return { receipt: receipt.receipt, retry: emergency.retry, ack_until: receipt.expiresAt };
}

function envelopeOf(fields: MessageFields, app: App, umid: number, received: number): Envelope {
  const date = fields.timestamp ?? received;
  return {
    v: ENVELOPE_VERSION,
    id: umid,
    umid,
    app: app.name,
    aid: app.id,
    icon: app.icon,
    date,
    ...(date !== received && { received }),
    message: fields.message,
    ...(fields.title !== undefined && { title: fields.title }),
    ...(fields.url !== undefined && { url: fields.url }),
    ...(fields.urlTitle !== undefined && { url_title: fields.urlTitle }),
    priority: fields.priority,
    ...(fields.sound !== undefined && { sound: fields.sound }),
    ...(fields.html && { html: 1 as const }),
    ...(fields.monospace && { monospace: 1 as const }),
    ...(fields.ttl !== undefined && { expires: received + fields.ttl }),
  };
}
