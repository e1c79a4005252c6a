/**
 * Versions of stored items.
 *
 * Every kind of item that is stored whole carries the version of its shape in `v`; one without it is of version 0, from
 * before there were versions. A kind is declared beside the code that reads it, with a step from each version to the
 * next. A reader takes every version that it knows through the steps and so has to do with the newest alone; what
 * writes next to an item that it has read writes the newest. Nothing is read or written for it.
 *
 * An item of a later version than the code knows (while a deployment rolls out, or after one was rolled back) is not
 * read at all: guessing at what it means could lose it. Where one is needed, `NewerItem` fails the request as a fault of
 * the server, which callers repeat.
 *
 * Two things are therefore left to whoever makes a new version. Writes that do not read first (counts, delivery marks,
 * a note of a time) set attributes of their own, so a new version must leave those what they are. And version `n + 1`
 * is deployed to read before it is written wherever a rollback has to be possible: see docs/upgrade.md.
 */

type Item = Record<string, unknown>;

/** What makes an item of one version one of the next. Pure: takes nothing away from the item that it is given. */
export type Step = (item: Item) => Item;

/** A kind of item. */
export interface Kind {
  readonly name: string;
  /** The version that is written. */
  readonly version: number;
  readonly steps: readonly Step[];
}

/** The step to a version that differs by nothing but its number. */
export const unchanged: Step = (item) => item;

/**
 * Declares a kind of item.
 *
 * @param steps from version 0 to 1, from 1 to 2, and so on
 * @example
 * const SESSION = kind('session', (item) => ({ seenAt: item.createdAt, ...item }));
 */
export function kind(name: string, ...steps: Step[]): Kind {
  return { name, version: steps.length, steps };
}

/** An item that later code has written. */
export class NewerItem extends Error {
  override readonly name = 'NewerItem';

  constructor(kind: Kind, version: unknown) {
    super(`an item (${kind.name}) has version ${String(version)}, this code knows up to ${kind.version}`);
  }
}

/** Whether an item is one that later code has written. What is no version at all counts as that. */
export function isNewer({ version }: Kind, { v = 0 }: Item): boolean {
  return !(typeof v === 'number' && Number.isInteger(v) && v >= 0 && v <= version);
}

/**
 * An item in its newest shape.
 *
 * @throws NewerItem
 */
export function newest(kind: Kind, item: Item): Item {
  if (isNewer(kind, item)) throw new NewerItem(kind, item.v);
  const { v = 0 } = item;
  if (v === kind.version) return item;
  const migrated = kind.steps.slice(v as number).reduce((now, step) => step(now), item);
  return versioned(kind, migrated);
}

/** An item that is to be written whole, with its version. */
export function versioned<T extends Item>({ version }: Kind, item: T): T & { v: number } {
  return { ...item, v: version };
}

/** What an update of an item says. */
export interface Update {
  UpdateExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
}

/**
 * An update of an item that was read, which also brings it to its newest version. The attributes that it sets itself
 * are its own business: the steps' values of those are left out. What the steps add is only set where it is still
 * absent, so that it never undoes what another write has set since; a step that changes an attribute needs updates
 * whose condition is that nobody has written since. What a step leaves out stays in the item, unread, until it is
 * written whole.
 *
 * @param stored as it was read
 * @param own names of the attributes that the update sets
 */
export function migrating<T extends Update>(
  kind: Kind,
  stored: Item,
  update: T,
  own: string[] = [],
): T & Update {
  const migrated = newest(kind, stored);
  const changed = Object.keys(migrated).filter(
    (name) => !own.includes(name) && migrated[name] !== stored[name],
  );
  if (changed.length === 0) return update;
  const sets = changed
    .map((name, n) => {
      const value = `:migrated${n}`;
      return `#migrated${n} = ${name in stored ? value : `if_not_exists(#migrated${n}, ${value})`}`;
    })
    .join(', ');
  const { UpdateExpression: text } = update;
  return {
    ...update,
    UpdateExpression: text.startsWith('SET ') ? `SET ${sets}, ${text.slice(4)}` : `SET ${sets} ${text}`,
    ExpressionAttributeNames: {
      ...update.ExpressionAttributeNames,
      ...Object.fromEntries(changed.map((name, n) => [`#migrated${n}`, name])),
    },
    ExpressionAttributeValues: {
      ...update.ExpressionAttributeValues,
      ...Object.fromEntries(changed.map((name, n) => [`:migrated${n}`, migrated[name]])),
    },
  };
}
