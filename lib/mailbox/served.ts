/**
 * What a device was given in answers to sync: the record that an acknowledgement "up to this id" is checked against.
 *
 * Such an acknowledgement says that some answer with that id has arrived. It does not say which one, and of two answers
 * with the id, a message that was stored late may be in the second alone. So it may delete what was in every answer
 * that has the id.
 */

/** A served id. */
interface ServedId {
  /** The first of the answers since which it has been in every one that reaches it: see {@link Served}. */
  since: number;
  /** Whether that is the first answer of all that it was ever in. */
  first: boolean;
}

/**
 * The record of one device. Answers are numbered in the order in which they were recorded, each before it was given.
 * What answer `k` **gives** is what is on its page and, if it was asked for with `after`, what that says has arrived
 * (see {@link recordAnswer}).
 *
 * What holds after each write, for every `id` in `ids`:
 *
 * 1. Every answer from `since` on that gives an id as high as this one, or a higher one, gives this one too.
 * 2. If `first`, no answer before `since` gives it.
 * 3. No id above `top` was ever given.
 */
export interface Served {
  /** Number of the last answer, and the version of the record. */
  answer: number;
  /** The highest id that was ever given; 0 at first. */
  top: number;
  ids: ReadonlyMap<number, ServedId>;
}

/** An answer to sync, as the record needs it. */
export interface ServedPage {
  /** The id after which it was asked for; 0: from the first. */
  after: number;
  /** Ids on it, ascending. */
  ids: readonly number[];
  /** Whether there may be more behind the last. */
  more: boolean;
}

/** Of a device that was given nothing yet. */
export const NOTHING_SERVED: Served = { answer: 0, top: 0, ids: new Map() };

/**
 * Most ids in a record: at twelve bytes each, far less than the 400 KB of an item. It is more than one page holds. What
 * is beyond it is as if it had never been given.
 */
export const SERVED_LIMIT = 10_000;

/**
 * The record with one more answer.
 *
 * Rule 1 holds for an id that stays, since the new answer gives it or nothing as high as it; of what would break it,
 * the record forgets the id. Rule 2 holds for a new id above `top`, which by rule 3 was never given; one below may
 * have been given and forgotten. Forgetting an id at any other time breaks no rule, which is what makes the bound, and
 * a record that is written before its answer is lost, safe.
 *
 * A device that asks for what comes after an id has been given that id. So it has also been given what
 * {@link provenUpTo} says of it, and its next page adds to that.
 *
 * @returns undefined if the answer gives what the record says already: it is one that was recorded, once more
 */
export function recordAnswer(served: Served, { after, ids, more }: ServedPage): Served | undefined {
  const last = ids.at(-1);
  // Nobody can acknowledge anything of an empty answer.
  if (last === undefined) return undefined;
  const given = new Set([...provenUpTo(served, after), ...ids]);
  const isLeft = (id: number) => given.has(id) || (more && id > last);
  const kept = [...served.ids].filter(([id]) => isLeft(id));
  const fresh = ids.filter((id) => !served.ids.has(id));
  if (fresh.length === 0 && kept.length === served.ids.size) return undefined;
  const answer = served.answer + 1;
  const all = [
    ...kept,
    ...fresh.map((id): [number, ServedId] => [id, { since: answer, first: id > served.top }]),
  ];
  all.sort(([one], [other]) => one - other);
  return { answer, top: Math.max(served.top, last), ids: new Map(all.slice(-SERVED_LIMIT)) };
}

/**
 * The ids up to one that has arrived which must have arrived too.
 *
 * Some answer that gives `upTo` has arrived. If it is in the record with its first answer, the one that has arrived is
 * that or a later one. An id that has been in every answer since then, or since before, was in it (rule 1). Without
 * its first answer, only the id itself is certain; without the id in the record, nothing is.
 */
export function provenUpTo({ ids }: Served, upTo: number): number[] {
  const named = ids.get(upTo);
  if (!named) return [];
  return [...ids]
    .filter(([id, { since }]) => id === upTo || (id < upTo && named.first && since <= named.since))
    .map(([id]) => id);
}

/** The record without some of its ids. Safe at any time. */
export function forget({ answer, top, ids }: Served, forgotten: readonly number[]): Served {
  const gone = new Set(forgotten);
  return { answer: answer + 1, top, ids: new Map([...ids].filter(([id]) => !gone.has(id))) };
}

/** Bytes of one id in {@link packed}. */
const PACKED = 12;

/** The ids of a record as bytes: for each a double and a signed number, negative if `since` is not its first answer. */
export function packed({ ids }: Served): Uint8Array {
  const bytes = new Uint8Array(ids.size * PACKED);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [id, { since, first }] of ids) {
    view.setFloat64(at, id);
    view.setInt32(at + 8, first ? since : -since);
    at += PACKED;
  }
  return bytes;
}

/** What {@link packed} has made of ids. */
export function unpacked(bytes: Uint8Array): Served['ids'] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Map(
    Array.from({ length: bytes.byteLength / PACKED }, (_, n): [number, ServedId] => {
      const since = view.getInt32(n * PACKED + 8);
      return [view.getFloat64(n * PACKED), { since: Math.abs(since), first: since > 0 }];
    }),
  );
}
