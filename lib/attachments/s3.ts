/** The bucket on S3. Apart from what uses it, so that functions can load the client when they need it. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { awsClient } from '../net/aws-client.ts';
import { settleAll } from '../storage/settle.ts';
import type { Bucket, ObjectHeaders, StoredObject } from './bucket.ts';

/** A client whose presigned URLs have nothing in them but what they are for. */
export function s3Client(): S3Client {
  return awsClient('s3', S3Client, {
    // Of use where a body is sent in parts; in a presigned address it would be noise.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // What is read is authenticated by its own cipher, or looked at byte by byte.
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

type Body = NonNullable<GetObjectCommandOutput['Body']>;

/**
 * The bytes of an object. The SDK repeats a request until its headers are there; what breaks off or stops afterwards is
 * asked for once more.
 *
 * @param body of the first answer
 * @param again the same request
 */
export async function readAgain(
  body: Body,
  again: () => Promise<GetObjectCommandOutput>,
): Promise<Uint8Array> {
  try {
    return await body.transformToByteArray();
  } catch {
    return (await again()).Body!.transformToByteArray();
  }
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
      const { Body, ContentLength, LastModified } = await this.#get(key);
      return {
        storedAt: LastModified!.getTime(),
        size: ContentLength!,
        read: () => readAgain(Body!, () => this.#get(key)),
        discard: () => void (Body as { destroy?(): void }).destroy?.(),
      };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  #get(Key: string): Promise<GetObjectCommandOutput> {
    return this.#client.send(new GetObjectCommand({ Bucket: this.#name, Key }));
  }

  async remove(...keys: string[]): Promise<void> {
    await settleAll(
      keys.map(async (Key) => {
        await this.#client.send(new DeleteObjectCommand({ Bucket: this.#name, Key }));
      }),
    );
  }
}
