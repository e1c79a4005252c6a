/** How a device gets an attachment, and says that it has it. */
import type { StoredMessage } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Envelope, EnvelopeAttachment } from '../protocol/envelope.ts';
import { IMAGE_TYPES, type ImageType } from '../protocol/images.ts';
import { Refusal } from '../refusal.ts';
import { type Clock, seconds } from '../storage/table.ts';
import type { Attachments } from './attachments.ts';
import { attachmentKey, type OpenBucket, plainKey } from './bucket.ts';
import { openImage } from './seal.ts';

/** How long an address is good for. Seconds; less if the attachment expires before. */
const URL_SECONDS = 300;

/** What fetching needs. */
export interface FetchContext {
  mailbox: Mailbox;
  attachments: Attachments;
  bucket: OpenBucket;
  /** The address of an object, good for so many seconds. */
  presign(key: string, seconds: number): Promise<string>;
  clock: Clock;
}

/** Where a device gets an attachment. */
export interface Location {
  url: string;
  /** Unix seconds. */
  expires: number;
  sealed: boolean;
}

/**
 * Fetching and reporting. A device may do either for the messages in its own mailbox, and for nothing else: a message
 * that it has acknowledged, that has expired, or that is another device's is not found.
 */
export class Fetching {
  readonly #context: FetchContext;

  constructor(context: FetchContext) {
    this.#context = context;
  }

  /**
   * Where a device gets the attachment of a message: the object as it is for a device with a key, an opened copy for
   * one without, which is made when it asks and is not found but through here.
   *
   * @throws Refusal naming `attachment`: 404 if there is none for this device, 410 if it is gone
   */
  async locate(device: string, id: number): Promise<Location> {
    const { attachments, presign, clock } = this.#context;
    const message = await this.#message(device, id);
    const record = await attachments.find(message.attachment);
    if (!record) throw gone();
    const sealed = message.kind === 'sealed';
    if (!sealed) await this.#openFor(message);
    const now = seconds(clock);
    const expires = Math.min(now + URL_SECONDS, record.expiresAt);
    if (expires <= now) throw gone();
    const key = sealed ? attachmentKey(message.attachment) : plainKey(message.attachment);
    return { url: await presign(key, expires - now), expires, sealed };
  }

  /**
   * A device has stored an attachment. Repeatable.
   *
   * @throws Refusal naming `attachment` (404) if the message is not the device's, or has none
   */
  async report(device: string, id: number): Promise<void> {
    const { attachment } = await this.#message(device, id);
    await this.#context.attachments.report(attachment, device);
  }

  async #message(device: string, id: number): Promise<StoredMessage & { attachment: string }> {
    const message = await this.#context.mailbox.find({ device, id });
    const attachment = message?.attachment;
    if (!message || attachment === undefined) {
      throw new Refusal({ field: 'attachment', reason: 'not found' }, 404);
    }
    return { ...message, attachment };
  }

  /** Stores the opened image beside the encrypted one. Each time anew: whether it is there costs as much to know. */
  async #openFor({ body }: StoredMessage): Promise<void> {
    const bucket = await this.#context.bucket();
    const { attachment: ref } = JSON.parse(Buffer.from(body).toString('utf8')) as Envelope;
    if (!ref) throw new Error('the envelope has not the attachment that its item has');
    const object = await bucket.get(attachmentKey(ref.id));
    if (!object) throw gone();
    const bytes = openImage(ref, await object.read());
    await bucket.put(plainKey(ref.id), bytes, { type: ref.type, disposition: dispositionOf(ref) });
  }
}

/** The number of a message in a path. @throws Refusal naming `attachment` (404) for what is none */
export function messageId(segment: string): number {
  const id = /^\d{1,16}$/.test(segment) ? Number(segment) : 0;
  if (!Number.isSafeInteger(id) || id < 1) {
    throw new Refusal({ field: 'attachment', reason: 'not found' }, 404);
  }
  return id;
}

/** To be saved, never shown as a page, whatever it is opened with. */
function dispositionOf({ type }: EnvelopeAttachment): string {
  return `attachment; filename="attachment.${IMAGE_TYPES[type as ImageType]}"`;
}

function gone(): Refusal {
  return new Refusal({ field: 'attachment', reason: 'is no longer there' }, 410);
}
