/** Where the bytes of attachments are. */
export interface Bucket {
  put(key: string, bytes: Uint8Array, headers?: ObjectHeaders): Promise<void>;
  /** Undefined if there is none. */
  get(key: string): Promise<StoredObject | undefined>;
  /** Deletes objects; what is not there is no error. */
  remove(...keys: string[]): Promise<void>;
}

/** What whoever fetches an object is told of it. */
export interface ObjectHeaders {
  type: string;
  disposition: string;
}

export interface StoredObject {
  /** When it was stored, Unix milliseconds. */
  storedAt: number;
  /** Bytes. */
  size: number;
  /** Reads it. To be called, or `discard`. */
  read(): Promise<Uint8Array>;
  discard(): void;
}

/** Opens the bucket: a call, since its client is loaded with the first attachment. Most messages have none. */
export type OpenBucket = () => Promise<Bucket>;

/** Key of an encrypted image, as every sealed device fetches it. */
export const attachmentKey = (id: string): string => `attachments/${id}`;

/** Key of an image as devices without a key fetch it; there only if one has asked. */
export const plainKey = (id: string): string => `plain/${id}`;
