import { createHmac, randomUUID } from 'node:crypto';
import type { Device } from '../accounts/devices.ts';
import type { Session } from '../accounts/sessions.ts';
import type { Throttles } from '../accounts/throttles.ts';
import type { Attachments } from '../attachments/attachments.ts';
import { type GivenAttachment, givenAttachment } from '../attachments/given.ts';
import { type SealedImage, sealImage, seedOf } from '../attachments/seal.ts';
import type { Uploads } from '../attachments/uploads.ts';
import { type CarrierQueues, queueDispatch } from '../dispatch/router.ts';
import { chunksOf, type Repeatable, startFanOut } from '../fanout/fan-out.ts';
import type { Jobs } from '../fanout/job.ts';
import { copyRef } from '../history/entry.ts';
import type { History, NewEntry } from '../history/history.ts';
import type { Params } from '../http/params.ts';
import type { StoredMessage } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { messageIds } from '../mailbox/message-id.ts';
import { resolveSound } from '../media/custom-sounds.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Receipt, Receipts } from '../receipts/receipts.ts';
import { startRepeats } from '../receipts/repeat.ts';
import { takeBack } from '../storage/left-behind.ts';
import type { Queue } from '../storage/queue.ts';
import { settleAll } from '../storage/settle.ts';
import type { Clock, Table } from '../storage/table.ts';
import type { BurstLimit } from './burst.ts';
import { type Claims, contentOf, type Identity, type Remembered } from './claims.ts';
import { Copies } from './copies.ts';
import { type MessageFields, messageFields } from './fields.ts';
import { asksOf, envelopeOf } from './new-envelope.ts';
import { newReceipt, receiptIn } from './new-receipt.ts';
import type { Quota } from './quota.ts';
import {
  chooseRecipients,
  findParties,
  type Parties,
  peopleOf,
  type Recipient,
  type Recipients,
} from './recipients.ts';
import { testApp, testFields } from './test-message.ts';

/** What sending needs. */
export interface SendContext {
  directory: Table;
  mailbox: Mailbox;
  queues: CarrierQueues;
  /** For messages to more devices than one invocation should hold. */
  jobs: Jobs;
  fanOut: Queue;
  claims: Claims;
  burst: BurstLimit;
  quota: Quota;
  receipts: Receipts;
  /** For test messages. */
  throttles: Throttles;
  /** For emergency messages: the chains of their repetitions. */
  repeats: Queue;
  attachments: Attachments;
  uploads: Uploads;
  history: History;
  retention: Retention;
  clock: Clock;
}

/** How long things wait for their devices, at most. Seconds. */
export interface Retention {
  messages: number;
  attachments: number;
}

/** A message that is being accepted. */
interface Draft {
  parties: Parties;
  fields: MessageFields;
  attachment?: GivenAttachment;
  identity: Identity;
}

/** How a draft may be accepted again under the same identity. */
interface Again extends Repeatable {
  /** The app's token: keys are derived with it. */
  token?: string;
}

/** A message that was accepted. */
export interface Accepted extends Identity, Remembered {
  /** How many devices it was stored for; absent if it is fanned out. */
  devices?: number;
  /** How many users it is fanned out to. */
  users?: number;
  /** Of an emergency message. */
  receipt?: string;
  /** It had been accepted before, and nothing was done now. */
  repeated?: boolean;
  /** The note that it was accepted could not be written. */
  unsettled?: boolean;
  /** The upload that it took could not be deleted. It goes within two days. */
  uploadLeft?: boolean;
}

/**
 * Accepts messages: checks, seals and stores them, and queues their dispatch.
 *
 * What it costs for one message to n devices: one BatchGetItem (1 read unit for the app, 1 per 4 KB of each
 * account's devices; 1 per 4 KB of a group's members), n PutItem (1 write unit per KB), one SendMessageBatch a carrier;
 * beside those, one PutItem for the history (1 write unit for up to a dozen devices) and one UpdateItem that counts.
 * A sound that is not built in costs a BatchGetItem more (1 read unit per 4 KB of the owner's sounds).
 * An idempotency key costs two PutItem more. An emergency costs a PutItem for its receipt and one that its
 * account has it, an UpdateItem for its recipients (1 write unit for up to thirty users; 32 such for more than a
 * hundred), a PutItem a tag, and its chain of repetitions. The burst limit costs one message in some an UpdateItem (at the default, one in
 * twelve). An attachment costs an object put, an UpdateItem (1 write unit), and one more of the object requests, a get,
 * if it was uploaded.
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
   * An upload that the message takes is deleted last, when nothing can ask for it any more: until then a repeat has to
   * find it.
   *
   * The limits come after everything that is cheaper to find wrong, and before anything is stored. The burst limit is
   * for requests, so a repeat counts as well; the quota is for messages, so it does not.
   *
   * @throws Refusal for anything that is the sender's fault; nothing is stored then
   */
  async send(params: Params): Promise<Accepted> {
    const { directory } = this.#context;
    const token = params.get('token');
    const parties = await findParties(directory, token, params.get('user'));
    const fields = messageFields(params);
    // After everything that is cheaper to check.
    const attachment = givenAttachment(params);
    const draft = { parties, fields, ...(attachment && { attachment }) };
    if (token !== undefined) await this.#context.burst.pass(token, parties.sent);
    const fresh = () => this.#identity();
    const key = fields.idempotencyKey;
    if (key === undefined || token === undefined) {
      const identity = fresh();
      return {
        ...identity,
        ...(await this.#accept({ ...draft, identity })),
        ...receiptIn(fields, identity),
        ...(await this.#clearUpload(draft)),
      };
    }
    const content = contentOf(params, token);
    const once = { app: parties.app, key, content, lifetime: lifetimeOf(fields, this.#context.retention) };
    const { identity, result, remembered, unsettled } = await this.#context.claims.once(
      once,
      fresh,
      (fixed, keep) =>
        this.#accept({ ...draft, identity: fixed }, { jobKey: jobKeyOf(token, fixed), keep, token }),
    );
    return {
      ...identity,
      ...(result ?? { repeated: true, ...remembered }),
      ...receiptIn(fields, identity),
      ...(unsettled && { unsettled }),
      // A repeat may still have to do the work: it reads the upload again.
      ...(result && !unsettled && (await this.#clearUpload(draft))),
    };
  }

  /**
   * Sends a device a message of Peal's own, the way that every message goes, to see whether it arrives. The devices are
   * those that were read with the session, so the one that is named is the one that gets it, and no other.
   *
   * @throws Refusal naming `device_id` if the device is disabled, or was sent too many
   */
  async test({ user, list }: Pick<Session, 'list' | 'user'>, device: Device): Promise<Accepted> {
    const fields = testFields(device);
    await this.#context.throttles.take('test', user, 'device_id');
    const identity = this.#identity();
    const parties = { app: testApp(user), accounts: [list], groups: [] };
    return { ...identity, ...(await this.#accept({ parties, fields, identity })) };
  }

  #identity(): Identity {
    return { request: randomUUID(), umid: this.#nextId(), receivedAt: this.#context.clock() };
  }

  /** Deletes the upload that a message took. It is accepted whether that works or not. */
  async #clearUpload({
    parties,
    attachment,
  }: Pick<Draft, 'attachment' | 'parties'>): Promise<Pick<Accepted, 'uploadLeft'>> {
    if (!attachment || !('upload' in attachment)) return {};
    try {
      await this.#context.uploads.remove(parties.app, attachment.upload);
      return {};
    } catch {
      return { uploadLeft: true };
    }
  }

  /**
   * Counts a message, stores it and queues its dispatch or its fan-out, or leaves nothing. Repeatable under one
   * identity; what may have been answered is not refused for its price any more.
   */
  async #accept(given: Draft, again: Again = {}): Promise<Pick<Accepted, 'allowance' | 'devices' | 'users'>> {
    const { directory } = this.#context;
    const { parties, identity } = given;
    const [recipients, sound] = await Promise.all([
      chooseRecipients(directory, parties, given.fields.devices),
      resolveSound(directory, parties.app.owner, given.fields.sound),
    ]);
    const fields = sound === undefined ? given.fields : { ...given.fields, sound };
    const draft = { ...given, fields };
    const receipt = fields.emergency && newReceipt(fields.emergency, parties.app, identity);
    const image = await this.#seal(draft, again.token);
    const spending = {
      owner: parties.app.owner,
      users: peopleOf(recipients).length,
      at: identity.receivedAt,
      limit: parties.quota,
      again: again.keep === true,
    };
    return this.#context.quota.spend(spending, () => this.#store(recipients, draft, again, receipt, image));
  }

  /** Stores a message with its image and its receipt, and queues what is to be done with them. */
  async #store(
    recipients: Recipients,
    draft: Draft,
    again: Again,
    receipt: Receipt | undefined,
    image: SealedImage | undefined,
  ): Promise<Pick<Accepted, 'devices' | 'users'>> {
    const { receipts, attachments } = this.#context;
    try {
      if (image)
        await attachments.put(image, attachmentExpiry(draft, this.#context.retention), countOf(recipients));
      if (receipt) await receipts.put(receipt, peopleOf(recipients));
      return await this.#distribute(recipients, draft, again, receipt, image);
    } catch (error) {
      // Without its receipt no repetition goes out.
      if (!again.keep && (receipt || image)) {
        await takeBack(async () => {
          await settleAll([
            ...(receipt ? [receipts.withdraw(receipt.receipt)] : []),
            ...(image ? [attachments.withdraw(image.ref.id)] : []),
          ]);
        });
      }
      throw error;
    }
  }

  /** The image of a message, encrypted. @throws Refusal if it is an upload that is not there, or no image */
  async #seal(
    { parties, attachment, identity }: Draft,
    token: string | undefined,
  ): Promise<SealedImage | undefined> {
    if (!attachment) return undefined;
    const image =
      'image' in attachment
        ? attachment.image
        : await this.#context.uploads.read(parties.app, attachment.upload);
    const { request } = identity;
    return sealImage(image, seedOf(image, token === undefined ? undefined : { token, request }));
  }

  /** Stores the copies and queues their dispatch; or, for very many devices, has workers do that. */
  async #distribute(
    recipients: Recipients,
    { parties: { app }, fields, identity: { request, umid, receivedAt } }: Draft,
    { jobKey, keep }: Repeatable,
    receipt: Receipt | undefined,
    image: SealedImage | undefined,
  ): Promise<Pick<Accepted, 'devices' | 'users'>> {
    const received = Math.floor(receivedAt / 1000);
    const expiresAt = received + lifetimeOf(fields, this.#context.retention);
    const envelope: Envelope = {
      ...envelopeOf(fields, app, umid, received),
      ...asksOf(receipt, fields.emergency),
      ...(image && { attachment: image.ref }),
    };
    const repeatable: Repeatable = { ...(jobKey && { jobKey }), ...(keep && { keep }) };
    const entry = {
      owner: app.owner,
      umid,
      request,
      app,
      priority: envelope.priority,
      receivedAt: received,
      expiresAt,
      users: peopleOf(recipients).length,
      ...(receipt && { receipt: receipt.receipt }),
    };
    if ('users' in recipients) {
      const { history, jobs, fanOut: queue } = this.#context;
      const origin = { request, expiresAt, acceptedAt: receivedAt, ...repeatable };
      const chunks = chunksOf(recipients.users);
      await history.noting({ ...entry, chunks }, keep === true, () =>
        startFanOut(envelope, recipients.users, origin, { jobs, queue }),
      );
      return { users: recipients.users.length };
    }
    await this.#deliver(recipients.devices, envelope, entry, receivedAt, repeatable);
    return { devices: recipients.devices.length };
  }

  /** Stores the copies, queues their dispatch and notes them, or leaves nothing that it should not keep. */
  async #deliver(
    recipients: Recipient[],
    envelope: Envelope,
    entry: NewEntry,
    acceptedAt: number,
    { keep = false }: Repeatable,
  ): Promise<void> {
    const copies = this.#copies.make(recipients, envelope, entry);
    const attempts: StoredMessage[] = [];
    try {
      const stored = await settleAll(
        copies.map((copy, n) => this.#copies.store(copy, recipients[n]!, envelope, attempts)),
      );
      const devices = new Map(recipients.map(({ device }) => [device.id, device]));
      const { queues, repeats, history, clock } = this.#context;
      const noted = { ...entry, copies: recipients.map((recipient, n) => copyRef(recipient, stored[n]!.id)) };
      await history.noting(noted, keep, async () => {
        await queueDispatch(queues, stored, devices, acceptedAt, envelope.receipt);
        await startRepeats(repeats, envelope, acceptedAt, stored, clock);
      });
    } catch (error) {
      if (!keep) await takeBack(() => this.#context.mailbox.withdraw(attempts));
      throw error;
    }
  }
}

/** When the attachment of a message can no longer be fetched: no later than the message itself. Unix seconds. */
function attachmentExpiry({ fields, identity }: Draft, retention: Retention): number {
  const lifetime = Math.min(lifetimeOf(fields, retention), retention.attachments);
  return Math.floor(identity.receivedAt / 1000) + lifetime;
}

/** How many devices a message is for; unknown if it is fanned out. */
function countOf(recipients: Recipients): number | undefined {
  return 'devices' in recipients ? recipients.devices.length : undefined;
}

/** How long a message waits for its devices, seconds. */
function lifetimeOf({ ttl }: MessageFields, { messages }: Retention): number {
  return Math.min(ttl ?? messages, messages);
}

/**
 * The key of a fan-out job that may have to be stored again: derived, so that the records which an attempt queued
 * before it died open what the next one stores. The app's token is in no table.
 */
function jobKeyOf(token: string, { request }: Identity): Buffer {
  return createHmac('sha256', token).update(`job ${request}`).digest();
}
