/** Images that come ahead of their message, because they are too large to come with it. */
import { createHash } from 'node:crypto';
import type { App } from '../accounts/apps.ts';
import { isCharacters, randomCharacters } from '../protocol/characters.ts';
import { MAX_IMAGE_BYTES } from '../protocol/images.ts';
import { Refusal } from '../refusal.ts';
import type { Clock } from '../storage/table.ts';
import type { OpenBucket } from './bucket.ts';
import { checkedImage } from './given.ts';
import { UPLOAD_ID_LENGTH } from './parameters.ts';
import type { Image } from './seal.ts';

/** How long an upload can be named by a message, from when it was stored. Seconds. */
export const UPLOAD_SECONDS = 24 * 3600;

/** How long the form can be posted. Seconds. */
export const FORM_SECONDS = 600;

/** A new upload's id. */
export const newUploadId = (): string => randomCharacters(UPLOAD_ID_LENGTH);

/** Whether a text has the form of an upload's id. */
export const isUploadId = (text: string): boolean => isCharacters(text, UPLOAD_ID_LENGTH);

/**
 * Where an upload is. The app is part of the name, so another app's id names nothing. Hashed, because user keys have
 * no place in a bucket's access logs.
 */
export function uploadKey({ owner, id: app }: Pick<App, 'id' | 'owner'>, id: string): string {
  const whose = createHash('sha256').update(`${owner}#${app}`).digest('base64url');
  return `uploads/${whose}/${id}`;
}

/** The uploads of apps, as sending sees them. */
export class Uploads {
  readonly #bucket: OpenBucket;
  readonly #clock: Clock;

  constructor(bucket: OpenBucket, clock: Clock) {
    this.#bucket = bucket;
    this.#clock = clock;
  }

  /**
   * Reads an upload. It stays until it is removed: a repeat of the message must find it again.
   *
   * @throws Refusal naming `attachment` if the app has none with this id (any more), or it is no image
   */
  async read(app: App, id: string): Promise<Image> {
    const bucket = await this.#bucket();
    const found = await bucket.get(uploadKey(app, id));
    const reason = 'is not an upload of this application, or was used or has expired';
    if (!found) throw new Refusal({ field: 'attachment', reason });
    // Lifecycle deletes up to a day late.
    const expired = found.storedAt + UPLOAD_SECONDS * 1000 <= this.#clock();
    if (expired || found.size > MAX_IMAGE_BYTES) {
      found.discard();
      throw new Refusal({ field: 'attachment', reason: expired ? reason : 'is too large' });
    }
    return checkedImage(await found.read(), 'attachment');
  }

  /** Deletes an upload that a message has taken. */
  async remove(app: App, id: string): Promise<void> {
    await (await this.#bucket()).remove(uploadKey(app, id));
  }
}
