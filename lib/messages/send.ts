import { randomUUID } from 'node:crypto';
import type { App } from '../accounts/apps.ts';
import type { CarrierName } from '../carriers/carrier.ts';
import { type Address, carrierOf, RECORD_DEVICES } from '../dispatch/record.ts';
import type { Params } from '../http/params.ts';
import type { StoredMessage } from '../mailbox/item.ts';
import { type Mailbox, RETENTION_SECONDS } from '../mailbox/mailbox.ts';
import { messageIds } from '../mailbox/message-id.ts';
import { ENVELOPE_VERSION, type Envelope } from '../protocol/envelope.ts';
import { createSealer } from '../sealing/seal.ts';
import type { Queue } from '../storage/queue.ts';
import { settleAll } from '../storage/settle.ts';
import type { Clock, Table } from '../storage/table.ts';
import { type MessageFields, messageFields } from './fields.ts';
import { chooseDevices, findParties, type Recipient } from './recipients.ts';

/** What sending needs. */
export interface SendContext {
  directory: Table;
  mailbox: Mailbox;
  queues: Record<CarrierName, Queue>;
  clock: Clock;
}

/** A message that was accepted. */
export interface Accepted {
  /** Id of the message across all its recipients. */
  umid: number;
  devices: number;
}

/**
 * Accepts messages: checks, seals and stores them, and queues their dispatch.
 *
 * What it costs for one message to n devices: one BatchGetItem (1 read unit for the app, 1 per 4 KB of each
 * account's devices), n PutItem (1 write unit per KB), one SendMessageBatch a carrier.
 */
export class Sender {
  readonly #context: SendContext;
  readonly #sealer = createSealer();
  readonly #nextId: () => number;

  constructor(context: SendContext) {
    this.#context = context;
    this.#nextId = messageIds(context.clock);
  }

  /**
   * Accepts one message. When this returns, every recipient device's copy is stored and every carrier's record is
   * queued.
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

    const receivedAt = clock();
    const received = Math.floor(receivedAt / 1000);
    const expiresAt = received + Math.min(fields.ttl ?? RETENTION_SECONDS, RETENTION_SECONDS);
    const umid = this.#nextId();
    const envelope = envelopeOf(fields, parties.app, umid, received);
    const request = randomUUID();
    const copies = this.#copies(recipients, envelope, { umid, expiresAt, request });

    const attempts: StoredMessage[] = [];
    try {
      const stored = await settleAll(copies.map((copy) => this.#store(copy, recipients, envelope, attempts)));
      await this.#queueDispatch(stored, recipients, receivedAt);
    } catch (error) {
      await this.#context.mailbox.withdraw(attempts);
      throw error;
    }
    return { umid, devices: recipients.length };
  }

  /** One copy a device: sealed to its key with one ephemeral key for all, or plain for a device without a key. */
  #copies(
    recipients: Recipient[],
    envelope: Envelope,
    common: Pick<StoredMessage, 'expiresAt' | 'request' | 'umid'>,
  ): StoredMessage[] {
    const plain = new TextEncoder().encode(JSON.stringify(envelope));
    const sealedTo = recipients.filter(({ device }) => device.publicKey);
    const boxes = this.#sealer.sealForAll(
      plain,
      sealedTo.map(({ device }) => device.publicKey!),
    );
    const boxOf = new Map(sealedTo.map(({ device }, n) => [device.id, boxes[n]!]));
    return recipients.map(({ user, device }) => {
      const box = boxOf.get(device.id);
      return {
        ...common,
        user,
        device: device.id,
        id: envelope.id,
        priority: envelope.priority,
        kind: box ? 'sealed' : 'plain',
        body: box ?? plain,
      };
    });
  }

  /**
   * Stores a copy. If another message has its id on this device (two Lambdas, the same millisecond, one of 4,096), it
   * gets an id of its own and is sealed again: the id is inside, and a new plaintext needs a new ephemeral key.
   *
   * @param attempts collects everything that was or may have been written
   */
  async #store(
    copy: StoredMessage,
    recipients: Recipient[],
    envelope: Envelope,
    attempts: StoredMessage[],
  ): Promise<StoredMessage> {
    let attempt = copy;
    attempts.push(attempt);
    while (!(await this.#context.mailbox.put(attempt))) {
      const recipient = recipients.find(({ device }) => device.id === copy.device)!;
      [attempt] = this.#copies([recipient], { ...envelope, id: this.#nextId() }, copy) as [StoredMessage];
      attempts.push(attempt);
    }
    return attempt;
  }

  async #queueDispatch(stored: StoredMessage[], recipients: Recipient[], acceptedAt: number): Promise<void> {
    const devices = new Map(recipients.map(({ device }) => [device.id, device]));
    const routes = Map.groupBy(stored, ({ device }) => carrierOf(devices.get(device)!));
    routes.delete(undefined);
    const { umid, expiresAt, priority } = stored[0]!;
    const common = { v: 1, umid, acceptedAt, expiresAt, priority, attempt: 0 };
    await settleAll(
      [...routes].map(([carrier, copies]) => {
        const addresses = copies.map(({ user, device, id }): Address => [user, device, id]);
        return this.#context.queues[carrier!].send(chunks(addresses).map((to) => ({ ...common, to })));
      }),
    );
  }
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

function chunks(addresses: Address[]): Address[][] {
  const count = Math.ceil(addresses.length / RECORD_DEVICES);
  return Array.from({ length: count }, (_, n) =>
    addresses.slice(n * RECORD_DEVICES, (n + 1) * RECORD_DEVICES),
  );
}
