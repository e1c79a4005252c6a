import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { newest } from '../storage/schema.ts';
import type { Table } from '../storage/table.ts';
import { type App, TOKEN } from './apps.ts';
import { tokenKey } from './directory.ts';
import { hashSecret, isKey } from './keys.ts';

/** Items of the Directory by their keys. */
type Item = Record<string, unknown>;

/** How much an app has sent recently, as its token's item says for the burst limit. */
export interface Sent {
  /** Minutes since 1970. */
  minute: number;
  /** Messages in that minute, about. */
  count: number;
}

/** An app, and what was read together with it. */
export interface Authorized {
  app: App;
  /** Absent if nothing was ever counted. */
  sent?: Sent;
  /** The monthly quota of its account, if that has one of its own; 0 for no limit. */
  quota?: number;
  /** The other items that were found, in no order. */
  items: Item[];
}

/**
 * Finds the app of a token, and other items of the Directory, in one strongly consistent request. A token that is
 * pending is none yet, and one that is gone none any more: see `Apps`.
 *
 * @param token as given
 * @param keys what else to read; nothing is read for a token that has not the form of one
 * @throws Refusal naming `token`, in Pushover's words
 */
export async function authorize(
  directory: Table,
  token: string | undefined,
  keys: Item[] = [],
): Promise<Authorized> {
  if (token === undefined || !isKey(token)) throw badToken();
  const byToken = tokenKey(hashSecret(token));
  const [items] = await batchGet([{ table: directory, keys: [byToken, ...keys], consistent: true }]);
  const found = items!.find(({ pk }) => pk === byToken.pk);
  if (!found || found.pending === true || found.gone === true) throw badToken();
  const { id, name, icon, owner, sent, quota } = newest(TOKEN, found) as unknown as App &
    Pick<Authorized, 'quota' | 'sent'>;
  return {
    app: { id, name, icon, owner },
    ...(sent && { sent }),
    ...(quota !== undefined && { quota }),
    items: items!.filter((item) => item !== found),
  };
}

function badToken(): Refusal {
  const sentence = 'application token is invalid, see https://pushover.net/api';
  return new Refusal({ field: 'token', reason: 'invalid', sentence });
}
