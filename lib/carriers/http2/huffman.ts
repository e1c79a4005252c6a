/**
 * HPACK's Huffman code (RFC 7541, section 5.2 and appendix B). We only decode: what we send is mostly random letters,
 * for which the code saves a fifth and costs both sides more than the bytes do.
 */

/**
 * Bits of each byte's code; the last is the end of string. The code is canonical (shorter codes first, then by byte), so
 * that the lengths say it all.
 */
export const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const END_OF_STRING = 256;
/** A transition that leads nowhere: the end of string must not be coded. */
const INVALID = -1;
const HAS_SYMBOL = 0x1_0000;

interface Machine {
  /** By state × 16 + next four bits: in bits 8–15 the byte that is complete, if {@link HAS_SYMBOL}; above, the next state. */
  step: Int32Array;
  /** Whether a string may end in the state: after less than eight ones, the padding. */
  accepts: Uint8Array;
}

function build(): Machine {
  // The tree: two children a node; positive: a node, negative: the leaf of byte −1 − x.
  const tree: number[] = [0, 0];
  let code = 0;
  let length = 0;
  const symbols = CODE_LENGTHS.map((_, symbol) => symbol);
  symbols.sort((a, b) => CODE_LENGTHS[a]! - CODE_LENGTHS[b]! || a - b);
  for (const symbol of symbols) {
    code <<= CODE_LENGTHS[symbol]! - length;
    length = CODE_LENGTHS[symbol]!;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const at = node + ((code >> bit) & 1);
      if (tree[at] === 0) {
        tree[at] = tree.length;
        tree.push(0, 0);
      }
      node = tree[at]!;
    }
    tree[node + (code & 1)] = -1 - symbol;
    code++;
  }

  const states = tree.length / 2;
  const step = new Int32Array(states * 16).fill(INVALID);
  for (let state = 0; state < states; state++) {
    for (let bits = 0; bits < 16; bits++) step[state * 16 + bits] = walk(tree, state * 2, bits);
  }
  const accepts = new Uint8Array(states);
  for (let node = 0, depth = 0; depth < 8; depth++) {
    accepts[node / 2] = 1;
    node = tree[node + 1]!;
  }
  return { step, accepts };
}

function walk(tree: number[], from: number, bits: number): number {
  let node = from;
  let symbol = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = tree[node + ((bits >> bit) & 1)]!;
    if (next === -1 - END_OF_STRING) return INVALID;
    if (next < 0) symbol = HAS_SYMBOL | ((-1 - next) << 8);
    node = Math.max(next, 0);
  }
  // A byte and the mark fill the lower 17 bits.
  return symbol | ((node / 2) << 17);
}

const { step, accepts } = build();
let scratch = Buffer.allocUnsafe(1024);

/** Decodes `bytes` from `start` to `end`, a byte a character; undefined if they are not a string in this code. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | undefined {
  // The shortest code has five bits.
  const most = (((end - start) * 8) / 5) | 0;
  if (scratch.length < most) scratch = Buffer.allocUnsafe(most);
  let state = 0;
  let size = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    const first = step[state * 16 + (byte >> 4)]!;
    if (first === INVALID) return undefined;
    if (first & HAS_SYMBOL) scratch[size++] = first >> 8;
    const second = step[(first >> 17) * 16 + (byte & 15)]!;
    if (second === INVALID) return undefined;
    if (second & HAS_SYMBOL) scratch[size++] = second >> 8;
    state = second >> 17;
  }
  return accepts[state] === 1 ? scratch.toString('latin1', 0, size) : undefined;
}
