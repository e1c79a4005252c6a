import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Envelope } from '../protocol/envelope.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { type Place, takeOn } from '../storage/succession.ts';
import type { Table } from '../storage/table.ts';

/** Where a job is, and the key that opens it. */
export interface JobRef {
  /** Id of the message across all its recipients. */
  umid: number;
  /** Random id of the request that made it. */
  request: string;
  /** AES-256 key, base64. Only in the records on the fan-out queue. */
  key: string;
}

const JOB = kind('job', unchanged);
const CIPHER = 'aes-256-gcm';
const IV = 12;
const TAG = 16;

/**
 * Messages on their way to many devices. A job is stored once, in the Mailbox table, while workers seal it for chunk
 * after chunk of its recipients. It is encrypted with a key of its own that is only in the queue's records: neither
 * the table nor the queue alone gives the message away.
 */
export class Jobs {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * Stores a job, over an earlier one of the same request.
   *
   * @param ttl when it is purged, Unix seconds
   * @param key 32 bytes
   */
  async put(
    envelope: Envelope,
    request: string,
    ttl: number,
    key: Buffer = randomBytes(32),
  ): Promise<JobRef> {
    const iv = randomBytes(IV);
    const cipher = createCipheriv(CIPHER, key, iv);
    const sealed = Buffer.concat([
      iv,
      cipher.update(JSON.stringify(envelope), 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    const Item = versioned(JOB, { ...jobKey(envelope.umid, request), job: sealed, ttl });
    await this.#table.client.send(new PutCommand({ TableName: this.#table.name, Item }));
    return { umid: envelope.umid, request, key: key.toString('base64') };
  }

  /** Withdraws a job: its workers find nothing. */
  async remove({ umid, request }: JobRef): Promise<void> {
    await this.#table.client.send(
      new DeleteCommand({ TableName: this.#table.name, Key: jobKey(umid, request) }),
    );
  }

  /**
   * Has a record take on what is left of a chunk. One write unit, on an item beside the job. Repeatable.
   *
   * @param line name of the chunk
   * @param ttl Unix seconds
   * @returns false if another record does it
   */
  takeOn({ request }: JobRef, line: string, place: Place, ttl: number): Promise<boolean> {
    const key = { pk: `${jobKey(0, request).pk}#${line}`, sk: 0 };
    return takeOn({ table: this.#table, key, ttl }, place);
  }

  /** Reads a job. Strongly consistent. Undefined if it is gone. @throws Error if the key is not its */
  async get({ umid, request, key }: JobRef): Promise<Envelope | undefined> {
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: jobKey(umid, request), ConsistentRead: true }),
    );
    if (!found.Item) return undefined;
    const bytes = Buffer.from(newest(JOB, found.Item).job as Uint8Array);
    const decipher = createDecipheriv(CIPHER, Buffer.from(key, 'base64'), bytes.subarray(0, IV), {
      authTagLength: TAG,
    });
    decipher.setAuthTag(bytes.subarray(-TAG));
    const text = Buffer.concat([decipher.update(bytes.subarray(IV, -TAG)), decipher.final()]);
    return JSON.parse(text.toString('utf8')) as Envelope;
  }
}

function jobKey(umid: number, request: string): { pk: string; sk: number } {
  return { pk: `jobs#${request}`, sk: umid };
}
