/**
 * **What people type, paste, read out, or find in a path**: every key, token, code, id and password that Peal makes
 * up is of one alphabet.
 *
 * Letters and digits alone, so that nothing of it begins like an option of a command line, ends a sentence, or has to
 * be escaped in a URL or a shell; and none that is mistaken for another (0 O o, 1 l I i), so that it survives a
 * telephone and a bad font. It lies within the `[A-Za-z0-9]` that Pushover's clients check keys for.
 */
import { createHash, randomBytes } from 'node:crypto';

/** Lower-case letters and digits, for codes that are typed in whatever case: 31 of them, 4.95 bits each. */
export const LOWER_CASE = 'abcdefghjkmnpqrstuvwxyz23456789';

/** All characters: 55 of them, 5.78 bits each. */
export const CHARACTERS = `${LOWER_CASE}ABCDEFGHJKLMNPQRSTUVWXYZ`;

/**
 * Random characters, from the system's secure source.
 *
 * @param alphabet of at most 256
 * @example
 * const code = randomCharacters(24); // 138 bits
 */
export function randomCharacters(length: number, alphabet: string = CHARACTERS): string {
  return charactersOf(() => randomBytes(2 * length), length, alphabet);
}

/**
 * Characters that follow from a text: the same for the same text, and telling nothing of it that its hash would not.
 *
 * @example
 * const receipt = derivedCharacters(`receipt ${request}`, 29);
 */
export function derivedCharacters(text: string | Uint8Array, length: number): string {
  let block = 0;
  const next = () => createHash('sha512').update(text).update(Uint8Array.of(block++)).digest();
  return charactersOf(next, length, CHARACTERS);
}

/** The form of so many characters. */
export function formOf(length: number): RegExp {
  return new RegExp(`^[2-9A-HJ-NP-Za-hjkmnp-z]{${length}}$`);
}

/** Whether a text is characters of the alphabet, so many of them. */
export function isCharacters(text: string, length: number): boolean {
  return formOf(length).test(text);
}

/**
 * Characters by bytes that are evenly distributed. Bytes beyond the last whole multiple of the alphabet's length are
 * rejected: taken modulo that length, they would favour its first characters.
 *
 * @param next gives more bytes
 */
export function charactersOf(next: () => Uint8Array, length: number, alphabet: string): string {
  const fair = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of next()) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
