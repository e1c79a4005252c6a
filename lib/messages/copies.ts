import type { StoredMessage } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Envelope } from '../protocol/envelope.ts';
import { createSealer } from '../sealing/seal.ts';
import type { Recipient } from './recipients.ts';

/** What the copies of one message have in common. */
export type Common = Pick<StoredMessage, 'expiresAt' | 'request' | 'umid'>;

/** The copies of a message: one a device, sealed to its key, or plain for a device without one. */
export class Copies {
  readonly #mailbox: Mailbox;
  readonly #sealer = createSealer();

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** Makes a copy for each recipient, in their order. One ephemeral key serves all of them. */
  make(recipients: Recipient[], envelope: Envelope, common: Common): StoredMessage[] {
    const plain = new TextEncoder().encode(JSON.stringify(envelope));
    const keys = recipients.flatMap(({ device }) => (device.publicKey ? [device.publicKey] : []));
    const boxes = this.#sealer.sealForAll(plain, keys).values();
    const { expiresAt, request, umid } = common;
    return recipients.map(({ user, device }) => ({
      expiresAt,
      request,
      umid,
      user,
      device: device.id,
      id: envelope.id,
      priority: envelope.priority,
      ...(envelope.attachment && { attachment: envelope.attachment.id }),
      ...(device.publicKey ? { kind: 'sealed', body: boxes.next().value! } : { kind: 'plain', body: plain }),
    }));
  }

  /**
   * Stores a copy. If another message has its id on this device (two Lambdas, the same millisecond, one of 4,096), it
   * gets the next id and is sealed again: the id is inside, and a new plaintext needs a new ephemeral key. Repeating
   * the whole call finds what it stored before, since the ids that it tries are always the same.
   *
   * @param attempts collects everything that was or may have been written
   * @returns the copy as it was stored
   */
  async store(
    copy: StoredMessage,
    recipient: Recipient,
    envelope: Envelope,
    attempts: StoredMessage[] = [],
  ): Promise<StoredMessage> {
    let attempt = copy;
    attempts.push(attempt);
    while (!(await this.#mailbox.put(attempt))) {
      [attempt] = this.make([recipient], { ...envelope, id: attempt.id + 1 }, copy) as [StoredMessage];
      attempts.push(attempt);
    }
    return attempt;
  }
}
