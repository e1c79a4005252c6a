/** Addresses under which others put an object into the bucket, or get it, for a short time. */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** A form to be posted, with the file as its last field, `file`. */
export interface PresignedForm {
  url: string;
  fields: Record<string, string>;
}

/** The address of an object, good for so many seconds. Whoever has it can fetch the object: it is a secret. */
export function presignedGet(
  client: S3Client,
  bucket: string,
  key: string,
  seconds: number,
): Promise<string> {
  return getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: seconds });
}

/** A form that stores one object under this key, of 1 to `maxBytes` bytes: S3 itself refuses what is larger. */
export function presignedPost(
  client: S3Client,
  bucket: string,
  key: string,
  { seconds, maxBytes }: { seconds: number; maxBytes: number },
): Promise<PresignedForm> {
  return createPresignedPost(client, {
    Bucket: bucket,
    Key: key,
    Conditions: [['content-length-range', 1, maxBytes]],
    Expires: seconds,
  });
}
