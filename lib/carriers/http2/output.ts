/** Bytes on their way to the socket: put together in one buffer, so that one write takes what one turn produces. */

/** Bytes of a buffer. */
const SLAB = 64 * 1024;

export class Output {
  /** Where to write; only after {@link Output.reserve}. */
  buffer: Buffer = Buffer.alloc(0);
  /** Where the next byte goes. */
  at = 0;
  #taken = 0;
  #full: Buffer[] = [];

  /** Makes room for so many bytes in a row at {@link Output.at}. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;

    // Never written twice: the socket may not have sent it all.
    if (this.at > this.#taken) this.#full.push(this.buffer.subarray(this.#taken, this.at));
    this.buffer = Buffer.allocUnsafeSlow(Math.max(SLAB, bytes));
    this.at = 0;
    this.#taken = 0;
  }

  /** Bytes that wait. */
  get length(): number {
    let bytes = this.at - this.#taken;
    for (const part of this.#full) bytes += part.length;
    return bytes;
  }

  /** Takes what waits, in order. */
  take(): Buffer[] {
    const parts = this.#full;
    this.#full = [];
    if (this.at > this.#taken) parts.push(this.buffer.subarray(this.#taken, this.at));
    this.#taken = this.at;
    return parts;
  }
}
