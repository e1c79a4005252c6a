import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { EDGE_HEADERS } from '../lib/net/edge.ts';
import type { Origin } from './http.ts';
import { choice } from './variables.ts';

/**
 * Where requests come from, for functions that ask. Where CloudFront is before the API (`BEHIND_EDGE`), API Gateway sees
 * CloudFront's address; who asks is in a header that CloudFront has set, which is believed there alone: the API lets in
 * nothing else. Undefined where there is no CloudFront, and the header is any client's word.
 */
export function edgeOrigin(): ((event: APIGatewayProxyEventV2) => Origin) | undefined {
  if (choice('BEHIND_EDGE', ['yes', 'no']) === 'no') return undefined;
  return ({ headers }) => {
    const address = headers[EDGE_HEADERS.viewer];
    const host = headers[EDGE_HEADERS.host];
    if (address === undefined || host === undefined) throw new Error('a request has come around CloudFront');
    return { address, host };
  };
}
