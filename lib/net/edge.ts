/**
 * The edge: where a firewall stands before the API, requests come through CloudFront, which adds headers. None of them
 * is believed of a request that did not come that way, and the API lets none in.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Headers that CloudFront sets, over whatever a client has sent. */
export const EDGE_HEADERS = {
  /** The key, which only CloudFront and the API know. */
  key: 'x-peal-edge',
  /** The address of who connected to CloudFront. */
  viewer: 'x-peal-viewer',
  /** The host that was asked. */
  host: 'x-peal-host',
} as const;

/** Whether a text is one of the keys, in a time that tells nothing of them. An empty key is none. */
export function isEdgeKey(given: string | undefined, keys: readonly string[]): boolean {
  if (given === undefined) return false;
  const wanted = digest(given);
  return keys.filter((key) => key !== '' && timingSafeEqual(digest(key), wanted)).length > 0;
}

/** Of one length whatever the text's, which is what the comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
