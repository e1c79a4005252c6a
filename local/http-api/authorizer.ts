/** A Lambda authorizer of an HTTP API: payload format 2.0 with simple answers, remembered by what identifies a client. */
import { isObject } from '../template/json.ts';
import type { InvokeResult } from '../types.ts';
import type { HttpEvent } from './event.ts';

/** An authorizer as the template describes it. */
export interface Authorizer {
  id: string;
  functionArn: string;
  /** Headers that identify a client, in lower case. */
  headers: readonly string[];
  /** Seconds for which an answer is remembered. */
  ttl: number;
}

/** How a request is answered that is not let in; undefined for one that is. */
export type Refused = 401 | 403 | 500 | undefined;

/** Asks the authorizer's function. */
type Ask = (event: object) => Promise<InvokeResult | 'timeout'>;

/**
 * What decides over requests as API Gateway does: one without all that identifies it is not even asked about; an answer
 * is used again for whoever shows the same, on every route.
 */
export function createAuthorizer({ headers, ttl }: Authorizer, ask: Ask, now: () => number) {
  const remembered = new Map<string, { refused: Refused; until: number }>();
  return async (event: HttpEvent, routeArn: string): Promise<Refused> => {
    const identity = headers.map((name) => event.headers[name]);
    if (identity.some((value) => value === undefined || value === '')) return 401;
    const key = JSON.stringify(identity);
    const before = remembered.get(key);
    if (before && before.until > now()) return before.refused;
    const { body: _, isBase64Encoded: __, ...request } = event;
    const result = await ask({ ...request, type: 'REQUEST', routeArn, identitySource: identity });
    if (result === 'timeout' || result.error !== undefined || !isObject(result.payload)) return 500;
    const { isAuthorized } = result.payload;
    if (typeof isAuthorized !== 'boolean') return 500;
    const refused = isAuthorized ? undefined : 403;
    if (ttl > 0) remembered.set(key, { refused, until: now() + ttl * 1000 });
    return refused;
  };
}
