/**
 * Writes header blocks (RFC 7541), for a client that sends the same names over and over with some values that repeat.
 *
 * Names, and values that come a second time, are put into the dynamic table while there is room; nothing is ever
 * evicted, so an entry keeps its place. Paths are not put there, as they hardly repeat, and credentials never: they go
 * as never-indexed literals (section 7.1.3; Apple asks for the same).
 */

import { DEFAULT_TABLE_SIZE, ENTRY_OVERHEAD, STATIC_NAMES, STATIC_TABLE } from './hpack-table.ts';
import type { Output } from './output.ts';

const NAME = /^:?[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** Fields that make no sense in HTTP/2 (RFC 9113, section 8.2.2). */
const HOP_BY_HOP = /^(connection|host|keep-alive|proxy-connection|transfer-encoding|upgrade|te)$/;
const NEVER_INDEXED = new Set(['authorization', 'proxy-authorization', 'cookie']);
const NOT_INDEXED = new Set([':path', 'content-length']);
/** Most names that are remembered; callers have a dozen. */
const MAX_NAMES = 256;
/** Most bytes of a field besides its characters: two lengths and an index of up to five bytes each. */
const FIELD_OVERHEAD = 16;

/** What is known of a name. */
interface Known {
  /** Place in the static table, or 0. */
  fixed: number;
  /** Number of the entry that brought the name into the dynamic table, or −1. */
  entry: number;
  /** Value → place in the static table if positive, number of the entry in the dynamic table −1 − x if negative. */
  values: Map<string, number>;
  last: string | undefined;
  indexing: 'yes' | 'no' | 'never';
}

/** Encodes the header blocks of one connection, in their order. */
export class HpackEncoder {
  readonly #names = new Map<string, Known>();
  #maxSize = DEFAULT_TABLE_SIZE;
  #size = 0;
  #entries = 0;
  /** The peer must hear of a table that was emptied, at the beginning of the next block. */
  #emptied = false;
  #output!: Output;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. We use no more than the default. Bytes. */
  limit(size: number): void {
    const next = Math.min(size, DEFAULT_TABLE_SIZE);
    if (next === this.#maxSize) return;
    this.#maxSize = next;
    this.#empty();
  }

  /**
   * Writes a block.
   *
   * @throws {TypeError} if a field cannot be sent; the output is then as before
   */
  encode(output: Output, pseudo: Record<string, string>, headers: Record<string, string>): void {
    this.#output = output;
    const { at } = output;
    try {
      if (this.#emptied) {
        this.#emptied = false;
        this.#integer(0x20, 5, 0);
        if (this.#maxSize > 0) this.#integer(0x20, 5, this.#maxSize);
      }
      for (const name in pseudo) this.#field(name, pseudo[name]!);
      for (const name in headers) this.#field(name, headers[name]!);
    } catch (error) {
      // The peer does not see this block, and so not what it has put into the table.
      output.at = at;
      this.#empty();
      throw error;
    }
  }

  /** Most bytes that a block may take. */
  static most(pseudo: Record<string, string>, headers: Record<string, string>): number {
    let bytes = FIELD_OVERHEAD;
    for (const name in pseudo) bytes += name.length + pseudo[name]!.length + FIELD_OVERHEAD;
    for (const name in headers) bytes += name.length + headers[name]!.length + FIELD_OVERHEAD;
    return bytes;
  }

  #empty(): void {
    this.#names.clear();
    this.#size = 0;
    this.#entries = 0;
    this.#emptied = true;
  }

  #field(name: string, value: string): void {
    const known = this.#names.get(name) ?? this.#learn(name);
    const place = known.values.get(value);
    if (place !== undefined) {
      this.#integer(0x80, 7, place > 0 ? place : this.#index(-1 - place));
      return;
    }

    const nameIndex = known.fixed > 0 ? known.fixed : known.entry >= 0 ? this.#index(known.entry) : 0;
    const size = name.length + value.length + ENTRY_OVERHEAD;
    const worthIt = known.last === value || nameIndex === 0;
    if (known.indexing === 'yes' && worthIt && this.#size + size <= this.#maxSize) {
      this.#integer(0x40, 6, nameIndex);
      if (nameIndex === 0) this.#string(name);
      this.#string(value);
      if (nameIndex === 0) known.entry = this.#entries;
      known.values.set(value, -1 - this.#entries);
      this.#entries++;
      this.#size += size;
    } else {
      if (known.indexing === 'never') this.#integer(0x10, 4, nameIndex);
      else this.#integer(0, 4, nameIndex);
      if (nameIndex === 0) this.#string(name);
      this.#string(value);
    }
    known.last = value;
  }

  #learn(name: string): Known {
    if (!NAME.test(name) || HOP_BY_HOP.test(name)) throw new TypeError(`no header field for HTTP/2: ${name}`);
    const known: Known = {
      fixed: STATIC_NAMES.get(name) ?? 0,
      entry: -1,
      values: new Map(),
      last: undefined,
      indexing: NEVER_INDEXED.has(name) ? 'never' : NOT_INDEXED.has(name) ? 'no' : 'yes',
    };
    for (let i = known.fixed; i > 0 && STATIC_TABLE[i - 1]?.[0] === name; i++) {
      if (STATIC_TABLE[i - 1]![1] !== '') known.values.set(STATIC_TABLE[i - 1]![1], i);
    }
    if (this.#names.size < MAX_NAMES) this.#names.set(name, known);
    else known.indexing = known.indexing === 'never' ? 'never' : 'no';
    return known;
  }

  /** The present index of an entry: the newest has the lowest (section 2.3.3). */
  #index(entry: number): number {
    return STATIC_TABLE.length + this.#entries - entry;
  }

  #integer(mark: number, prefix: number, value: number): void {
    const { buffer } = this.#output;
    const most = (1 << prefix) - 1;
    if (value < most) {
      buffer[this.#output.at++] = mark | value;
      return;
    }
    buffer[this.#output.at++] = mark | most;
    let rest = value - most;
    for (; rest >= 0x80; rest >>= 7) buffer[this.#output.at++] = 0x80 | (rest & 0x7f);
    buffer[this.#output.at++] = rest;
  }

  #string(text: string): void {
    this.#integer(0, 7, text.length);
    const { buffer } = this.#output;
    let { at } = this.#output;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      // What a field value may hold (RFC 9110, section 5.5).
      if ((code < 0x20 && code !== 9) || code === 0x7f || code > 0xff)
        throw new TypeError('a header field holds a character that cannot be sent');
      buffer[at++] = code;
    }
    this.#output.at = at;
  }
}
