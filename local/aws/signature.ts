/** Reads who signed a request and for which service (Signature Version 4). The signature itself is not checked. */

export interface Signer {
  accessKeyId: string;
  /** Service of the credential scope, for example `dynamodb`. */
  service: string;
  /** Of a presigned URL: when it stops working (milliseconds since 1970). */
  expires?: number;
}

/**
 * The signer of a request, from its `Authorization` header or a presigned URL's query; undefined if it is not signed.
 *
 * @param url path and query
 */
export function readSigner(authorization: string | undefined, url: string): Signer | undefined {
  if (authorization !== undefined) {
    const found = /^AWS4-HMAC-SHA256 .*?Credential=([^,\s]+)/.exec(authorization);
    return found?.[1] === undefined ? undefined : readScope(found[1]);
  }
  if (!url.includes('X-Amz-Credential=')) return undefined;
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  const signer = readScope(query.get('X-Amz-Credential') ?? '');
  const signed = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '');
  if (!signer || !signed) return undefined;
  const [year, month, day, hour, minute, second] = signed.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const from = Date.UTC(year, month - 1, day, hour, minute, second);
  return { ...signer, expires: from + Number(query.get('X-Amz-Expires') ?? 0) * 1000 };
}

/** `keyId/20261123/us-east-1/dynamodb/aws4_request` */
export function readScope(credential: string): Signer | undefined {
  const parts = credential.split('/');
  if (parts.length < 5) return undefined;
  const accessKeyId = parts.slice(0, -4).join('/');
  return { accessKeyId, service: parts.at(-2) as string };
}
