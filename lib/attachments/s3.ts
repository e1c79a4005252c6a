/** The bucket on S3. Apart from what uses it, so that functions can load the client when they need it. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { settleAll } from '../storage/settle.ts';
import type { Bucket, ObjectHeaders, StoredObject } from './bucket.ts';

/** Time limits of a call: 5 MiB take well under a second within a region. Milliseconds. */
const CALL = { connectionTimeout: 1_000, requestTimeout: 5_000 };

/** A client whose presigned URLs have nothing in them but what they are for. */
export function s3Client(): S3Client {
  return new S3Client({
    maxAttempts: 3,
    requestHandler: CALL,
    // Of use where a body is sent in parts; in a presigned address it would be noise.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // What is read is authenticated by its own cipher, or looked at byte by byte.
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** A bucket. The role behind it may list it, or S3 would call a missing object forbidden. */
export class S3Bucket implements Bucket {
  readonly #client: S3Client;
  readonly #name: string;

  constructor(client: S3Client, name: string) {
    this.#client = client;
    this.#name = name;
  }

  async put(key: string, bytes: Uint8Array, headers?: ObjectHeaders): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        Bucket: this.#name,
        Key: key,
        Body: bytes,
        ...(headers && { ContentType: headers.type, ContentDisposition: headers.disposition }),
      }),
    );
  }

  async get(key: string): Promise<StoredObject | undefined> {
    try {
      const { Body, ContentLength, LastModified } = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#name, Key: key }),
      );
      return {
        storedAt: LastModified!.getTime(),
        size: ContentLength!,
        read: () => Body!.transformToByteArray(),
        discard: () => void (Body as { destroy?(): void }).destroy?.(),
      };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async remove(...keys: string[]): Promise<void> {
    await settleAll(
      keys.map(async (Key) => {
        await this.#client.send(new DeleteObjectCommand({ Bucket: this.#name, Key }));
      }),
    );
  }
}
