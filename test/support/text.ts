import fc from 'fast-check';

/** Below and above them are characters; they themselves are halves of characters. */
const [FIRST_SURROGATE, SURROGATES] = [0xd800, 0x800];

/**
 * Any character of Unicode, for `fc.string`: its own `binary` makes a table of all million of them first, which takes a
 * second.
 */
export const anyCharacter = fc
  .nat(0x10ffff - SURROGATES)
  .map((n) => String.fromCodePoint(n < FIRST_SURROGATE ? n : n + SURROGATES));
