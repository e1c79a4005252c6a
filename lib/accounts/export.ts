import { Groups } from '../groups/groups.ts';
import { type Member, Members } from '../groups/members.ts';
import type { CopyRef, Entry } from '../history/entry.ts';
import { HistoryReader } from '../history/reader.ts';
import { isUnreadable, messageOf } from '../mailbox/item.ts';
import { acknowledgedKey } from '../mailbox/traces.ts';
import { listSounds } from '../media/custom-sounds.ts';
import { type DeliveredReceipt, Receipts } from '../receipts/receipts.ts';
import { acknowledgedTo } from '../receipts/view.ts';
import { Refusal } from '../refusal.ts';
import { type QueryPage, queryPage } from '../storage/query.ts';
import type { Clock, Table } from '../storage/table.ts';
import { readAccount } from './account.ts';
import { Apps } from './apps.ts';
import { DeviceRegistry } from './device-registry.ts';
import { deviceView } from './device-view.ts';
import { receiptOfOwnerKey, userPartition } from './directory.ts';
import type { SessionRegistry } from './session-registry.ts';

/** What it needs. */
export interface ExportContext {
  directory: Table;
  mailbox: Table;
  sessions: SessionRegistry;
  clock: Clock;
}

/** Entries of one section. A section may come in several parts, one after another. */
export interface ExportPart {
  section: string;
  entries: object[];
}

/** A piece of an export. */
export interface ExportPiece {
  parts: ExportPart[];
  /** What the next piece is asked for with; absent: this was the last. */
  next?: string;
}

/** Where an export goes on: in which section, at which of its things, behind which key. */
interface Cursor {
  section: number;
  thing: number;
  after?: Record<string, unknown>;
}

/** One step: entries, and whether there is more of this section. */
interface Step {
  entries: object[];
  next?: Pick<Cursor, 'after' | 'thing'>;
}

type Section = [name: string, step: (at: At) => Promise<Step>];
type Item = Record<string, unknown>;

/**
 * Bytes of JSON after which a piece is complete, and those at which a step is cut. A step of a single item has more: an
 * item of 400 KB, all control characters, is 2.4 MB of JSON. Together they stay below the 6 MiB that Lambda answers.
 */
const PIECE_BYTES = 2 * 1024 * 1024;
const STEP_BYTES = 1024 * 1024;

/** Receipts that are read at once: most of them are below 1 KB, but tags and a callback may be several. */
const RECEIPTS = 100;

/** Of the items in an account's partition, those that a section of their own shows. */
const SHOWN = /^(apps$|devices$|groups$|limits$|member#|session#|sounds$)/;

/**
 * All that is stored of an account, for who asks what is known about them: piece by piece, since an account may have a
 * thousand sessions, a hundred groups of ten thousand members each, and mailboxes of any size.
 *
 * Left out are hashes of secrets, push targets (credentials for a device), and the text of messages that are sealed:
 * nobody but the device has the key. Of those it says when they came and how long they are kept. Messages to a classic
 * Open Client, which has no key, are given whole. Left out as well is who the members of others' groups are whom its apps
 * have reached: the account may not know them (`groups/hidden.ts`).
 */
export class AccountExport {
  readonly #context: ExportContext;
  readonly #sections: readonly Section[];

  constructor(context: ExportContext) {
    this.#context = context;
    this.#sections = [
      ['account', this.#account],
      ['sessions', this.#sessions],
      ['devices', this.#devices],
      ['apps', this.#apps],
      ['sounds', this.#sounds],
      ['groups', this.#groups],
      ['group_members', this.#members],
      ['memberships', this.#memberships],
      ['receipts', this.#receipts],
      ['sent', this.#sent],
      ['other', this.#other],
      ['messages', this.#messages],
      ['acknowledged', this.#acknowledged],
    ];
  }

  /**
   * A piece of an account's data.
   *
   * @param cursor the `next` of the piece before
   * @throws Refusal naming `email` or `cursor`
   */
  async piece(email: string, cursor: string | undefined): Promise<ExportPiece> {
    const account = await readAccount(this.#context.directory, email);
    if (!account) throw new Refusal({ field: 'email', reason: 'has no account' });
    let at: Cursor | undefined = cursor === undefined ? { section: 0, thing: 0 } : readCursor(cursor);
    const parts: ExportPart[] = [];
    let bytes = 0;
    while (at !== undefined && bytes < PIECE_BYTES) {
      const found: Section | undefined = this.#sections[at.section];
      if (!found) throw badCursor();
      const [section, step]: Section = found;
      const { entries, next }: Step = await step.call(this, { ...at, email, user: account.user });
      parts.push({ section, entries });
      bytes += sizeOf(entries);
      if (next) at = { section: at.section, ...next };
      else at = at.section + 1 < this.#sections.length ? { section: at.section + 1, thing: 0 } : undefined;
    }
    return { parts, ...(at && { next: JSON.stringify(at) }) };
  }

  async #account({ email }: At): Promise<Step> {
    const { directory, clock } = this.#context;
    const account = await readAccount(directory, email);
    if (!account) return { entries: [] };
    const { user, createdAt, twofaNonce, recovery, deleting } = account;
    const quota = await new Apps(directory, clock).quotaOf(user);
    const state = {
      two_factor: twofaNonce !== undefined,
      recovery_codes: recovery?.size ?? 0,
      ...(quota !== undefined && { quota }),
      ...(deleting !== undefined && { deleting_since: deleting }),
    };
    return { entries: [{ email, user, created_at: createdAt, ...state }] };
  }

  async #sessions({ user }: At): Promise<Step> {
    const sessions = await this.#context.sessions.list(user, '');
    return { entries: sessions.map(({ current: _, ...session }) => session) };
  }

  async #devices({ user }: At): Promise<Step> {
    const { devices } = await this.#registry.list(user);
    return { entries: devices.map(deviceView) };
  }

  async #apps({ user }: At): Promise<Step> {
    const { directory, clock } = this.#context;
    const apps = await new Apps(directory, clock).list(user);
    return { entries: apps.map(({ createdAt, ...app }) => ({ ...app, created_at: createdAt })) };
  }

  async #sounds({ user }: At): Promise<Step> {
    return { entries: await listSounds(this.#context.directory, user) };
  }

  async #groups({ user }: At): Promise<Step> {
    const groups = await new Groups(this.#context.directory, this.#context.clock).list(user);
    return { entries: groups.map(({ key, name }) => ({ group: key, name })) };
  }

  /** One group a step, and of a large one a megabyte of members. */
  async #members({ user, thing, after }: At): Promise<Step> {
    const { directory, clock } = this.#context;
    const keys = await new Groups(directory, clock).keysOf(user);
    const key = keys[thing];
    if (key === undefined) return { entries: [] };
    const entryOf = (member: Member) => ({ group: key, ...member });
    const { members, next } = await new Members(directory).page(
      { key },
      after?.member as string | undefined,
      undefined,
      STEP_BYTES,
      (member) => sizeOf(entryOf(member)),
    );
    const entries = members.map(entryOf);
    if (next !== undefined) return { entries, next: { thing, after: { member: next } } };
    return { entries, ...(thing + 1 < keys.length && { next: { thing: thing + 1 } }) };
  }

  async #memberships(at: At): Promise<Step> {
    return this.#step(at, await this.#page(at, 'member#'), ({ sk }) => {
      const [, group, device] = (sk as string).split('#');
      return [{ group, ...(device && { device }) }];
    });
  }

  /** Of emergencies that its apps have sent within the last week. */
  async #receipts(at: At): Promise<Step> {
    const { directory, clock } = this.#context;
    const { pk, sk: prefix } = receiptOfOwnerKey(at.user, '');
    const page = await queryPage(directory, { pk, prefix, after: at.after, limit: RECEIPTS });
    const nameOf = ({ sk }: Item) => (sk as string).slice(prefix.length);
    const receipts = await new Receipts(directory, clock).findDelivered(page.items.map(nameOf));
    return this.#step(at, page, (item) =>
      receipts.filter(({ receipt }) => receipt === nameOf(item)).map(receiptEntry),
    );
  }

  /**
   * What its apps have sent within the last thirty days: when and to whom, as it was kept, which is without any text.
   * What was fanned out is a step by itself, and of many devices several.
   */
  async #sent({ user, thing, after }: At): Promise<Step> {
    const reader = new HistoryReader(this.#context.mailbox, this.#context.clock);
    const { id, chunk } = (after ?? {}) as { id?: number; chunk?: number };
    const page = await reader.list(user, id === undefined ? {} : { after: id });
    const [first] = page.items;
    if (first && !first.copies) {
      const { items: copies, after: last } = await reader.copies(first, chunk);
      const entries = [
        chunk === undefined
          ? sentEntry({ ...first, copies })
          : { id: first.id, copies: copies.map(copyEntry) },
      ];
      // Asked for with the number above its own, the same comes again.
      const rest = last === undefined ? { id: first.id } : { id: first.id + 1, chunk: last };
      return { entries, next: { thing, after: rest } };
    }
    const fanned = page.items.findIndex(({ copies }) => !copies);
    const items = fanned < 0 ? page.items : page.items.slice(0, fanned);
    const last = fanned < 0 ? page.after : items.at(-1)!.id;
    return {
      entries: items.map(sentEntry),
      ...(last !== undefined && { next: { thing, after: { id: last } } }),
    };
  }

  /** Whatever else is in the account's partition, as it is stored: counts by month, and what later versions keep. */
  async #other(at: At): Promise<Step> {
    return this.#step(at, await this.#page(at), ({ pk: _, sk, v: __, ...rest }) =>
      SHOWN.test(sk as string) ? [] : [{ item: sk, ...(plain(rest) as Item) }],
    );
  }

  /** What waits for its devices: one device a step, and of a full mailbox a megabyte. */
  async #messages(at: At): Promise<Step> {
    const { devices } = await this.#registry.list(at.user);
    const device = devices[at.thing];
    if (!device) return { entries: [] };
    const page = await queryPage(this.#context.mailbox, { pk: device.id, after: at.after });
    const step = this.#step(at, page, (item) => {
      if ((item.sk as number) <= 0 || isUnreadable(item)) return [];
      const { id, umid, priority, expiresAt, kind, body } = messageOf(item);
      const what =
        kind === 'plain' ? { message: JSON.parse(Buffer.from(body).toString()) } : { sealed: body.length };
      return [{ device: device.id, id, umid, priority, expires_at: expiresAt, ...what }];
    });
    return this.#thenNext(at, step, devices.length);
  }

  /** Which messages its devices have acknowledged within the last thirty days, the same way. */
  async #acknowledged(at: At): Promise<Step> {
    const { devices } = await this.#registry.list(at.user);
    const device = devices[at.thing];
    if (!device) return { entries: [] };
    const { pk } = acknowledgedKey({ device: device.id, id: 0 });
    const page = await queryPage(this.#context.mailbox, { pk, after: at.after });
    const step = this.#step(at, page, ({ sk, at: time }) => [{ device: device.id, id: sk, at: time }]);
    return this.#thenNext(at, step, devices.length);
  }

  get #registry(): DeviceRegistry {
    return new DeviceRegistry(this.#context.directory, this.#context.clock);
  }

  #page({ user, after }: At, prefix?: string): Promise<QueryPage> {
    const pk = userPartition(user);
    return queryPage(this.#context.directory, { pk, after, ...(prefix !== undefined && { prefix }) });
  }

  /** What is shown of items, as far as it fits a step. */
  #step({ thing }: At, { items, last }: QueryPage, shown: (item: Item) => object[]): Step {
    const entries: object[] = [];
    let bytes = 0;
    let before: Item | undefined;
    for (const item of items) {
      const more = shown(item);
      bytes += sizeOf(more);
      if (before && bytes > STEP_BYTES) {
        return { entries, next: { thing, after: { pk: before.pk, sk: before.sk } } };
      }
      entries.push(...more);
      before = item;
    }
    return { entries, ...(last && { next: { thing, after: last } }) };
  }

  /** The step, and behind the last one of a thing the next thing of so many. */
  #thenNext({ thing }: At, step: Step, things: number): Step {
    return step.next || thing + 1 >= things ? step : { ...step, next: { thing: thing + 1 } };
  }
}

/** Where a step is. */
interface At extends Cursor {
  email: string;
  user: string;
}

/** Bytes of JSON. */
const sizeOf = (value: object): number => Buffer.byteLength(JSON.stringify(value));

/** Of who has acknowledged it there is what the receipt's own endpoint tells its sender. */
function receiptEntry({ acknowledged, ...receipt }: DeliveredReceipt): object {
  return {
    ...receipt,
    ...(acknowledged && { acknowledged: { at: acknowledged.at, ...acknowledgedTo(acknowledged) } }),
  };
}

function sentEntry({ owner: _, chunks: __, receivedAt, expiresAt, copies, ...entry }: Entry): object {
  return {
    ...entry,
    received_at: receivedAt,
    expires_at: expiresAt,
    ...(copies && { copies: copies.map(copyEntry) }),
  };
}

/** Of somebody whom the sender may not know there is only that there was a copy: a device's id is always the same. */
function copyEntry({ user, device, id }: CopyRef): object {
  return user === undefined ? { id } : { user, device, id };
}

/** A stored value as JSON can say it: sets as lists, bytes as base64. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Set || Array.isArray(value)) return [...value].map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

function readCursor(text: string): Cursor {
  try {
    const { section, thing, after } = JSON.parse(text) as Partial<Cursor>;
    if (!Number.isInteger(section) || !Number.isInteger(thing)) throw badCursor();
    return { section: section!, thing: thing!, ...(after && { after }) };
  } catch {
    throw badCursor();
  }
}

function badCursor(): Refusal {
  return new Refusal({ field: 'cursor', reason: 'is not where a piece ended' });
}
