/** Reads header blocks (RFC 7541). */

import { ConnectionError, ErrorCode } from './errors.ts';
import { DEFAULT_TABLE_SIZE, ENTRY_OVERHEAD, type Field, STATIC_TABLE } from './hpack-table.ts';
import { decodeHuffman } from './huffman.ts';

/** Decodes the header blocks of one connection, in their order. */
export class HpackDecoder {
  /** The newest entry last. */
  readonly #entries: Field[] = [];
  readonly #maxListSize: number;
  #size = 0;
  #maxSize = DEFAULT_TABLE_SIZE;
  #limit = DEFAULT_TABLE_SIZE;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #end = 0;

  /** @param maxListSize most bytes of a block's fields when decoded (RFC 9113, SETTINGS_MAX_HEADER_LIST_SIZE) */
  constructor(maxListSize: number) {
    this.#maxListSize = maxListSize;
  }

  /** The peer has acknowledged our SETTINGS_HEADER_TABLE_SIZE: its encoder may use no more from now on. Bytes. */
  limit(size: number): void {
    this.#limit = size;
    this.#resize(Math.min(this.#maxSize, size));
  }

  /**
   * Calls `field` for each field of a complete block.
   *
   * @throws {ConnectionError} COMPRESSION_ERROR if the block is none; ENHANCE_YOUR_CALM if the list is too long
   */
  decode(block: Uint8Array, start: number, end: number, field: (name: string, value: string) => void): void {
    this.#bytes = block;
    this.#at = start;
    this.#end = end;
    let listSize = 0;
    let resizable = true;
    while (this.#at < end) {
      const byte = block[this.#at]!;
      if ((byte & 0xe0) === 0x20) {
        // A size update (section 6.3): at the beginning of a block only (section 4.2).
        const size = this.#integer(5);
        if (!resizable || size > this.#limit) throw broken('dynamic table size update');
        this.#resize(size);
        continue;
      }
      resizable = false;
      let name: string;
      let value: string;
      if (byte & 0x80) {
        [name, value] = this.#entry(this.#integer(7));
      } else {
        const indexed = (byte & 0x40) !== 0;
        const index = this.#integer(indexed ? 6 : 4);
        name = index === 0 ? this.#string() : this.#entry(index)[0];
        value = this.#string();
        if (indexed) this.#add(name, value);
      }
      listSize += name.length + value.length + ENTRY_OVERHEAD;
      if (listSize > this.#maxListSize)
        throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, 'header list is too long');
      field(name, value);
    }
  }

  #entry(index: number): Field {
    const entry =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.#entries[this.#entries.length - (index - STATIC_TABLE.length)];
    if (!entry) throw broken(`index ${index}`);
    return entry;
  }

  #add(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(this.#maxSize - size);
    if (size > this.#maxSize) return;
    this.#entries.push([name, value]);
    this.#size += size;
  }

  #resize(size: number): void {
    this.#maxSize = size;
    this.#evict(size);
  }

  /** Drops the oldest entries until the others fit. */
  #evict(room: number): void {
    let count = 0;
    while (this.#size > room && count < this.#entries.length) {
      const [name, value] = this.#entries[count]!;
      this.#size -= name.length + value.length + ENTRY_OVERHEAD;
      count++;
    }
    if (count > 0) this.#entries.splice(0, count);
  }

  /** An integer with a prefix of so many bits (section 5.1). */
  #integer(prefix: number): number {
    const mask = (1 << prefix) - 1;
    let value = this.#bytes[this.#at++]! & mask;
    if (value < mask) return value;
    // Four more bytes reach 2^28: more than any index or length here, and less than what would overflow.
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.#at >= this.#end) break;
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    throw broken('integer');
  }

  /** A string literal (section 5.2). */
  #string(): string {
    if (this.#at >= this.#end) throw broken('string');
    const huffman = (this.#bytes[this.#at]! & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw broken('string');
    this.#at = end;
    if (!huffman) return latin1(this.#bytes, start, end);
    const text = decodeHuffman(this.#bytes, start, end);
    if (text === undefined) throw broken('Huffman code');
    return text;
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

function broken(what: string): ConnectionError {
  return new ConnectionError(ErrorCode.COMPRESSION_ERROR, `header block with a bad ${what}`);
}
