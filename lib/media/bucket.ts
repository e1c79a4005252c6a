import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { readAgain } from '../attachments/s3.ts';

/** For how long a browser or a cache may keep what never changes: a year, and without asking again. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';

/** The two kinds of files. */
export type MediaKind = 'icons' | 'sounds';

/** Types of the files, and how their names end. */
export const MEDIA = {
  icons: { type: 'image/png', suffix: '.png' },
  sounds: { type: 'audio/mpeg', suffix: '.mp3' },
} as const;

/**
 * Icons and sounds that accounts have uploaded, in S3. A name never gets another content, so writing one again is
 * harmless and what was read once is true for good.
 */
export class MediaBucket {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async put(kind: MediaKind, name: string, content: Uint8Array): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        ...this.#object(kind, name),
        Body: content,
        ContentType: MEDIA[kind].type,
        CacheControl: IMMUTABLE,
      }),
    );
  }

  /** @returns undefined if there is none of this name */
  async get(kind: MediaKind, name: string): Promise<Uint8Array | undefined> {
    try {
      const ask = () => this.#client.send(new GetObjectCommand(this.#object(kind, name)));
      return await readAgain((await ask()).Body!, ask);
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  /** Deletes an object; one that is gone is no fault. */
  async delete(kind: MediaKind, name: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(kind, name)));
  }

  #object(kind: MediaKind, name: string) {
    return { Bucket: this.#bucket, Key: `${kind}/${name}${MEDIA[kind].suffix}` };
  }
}
