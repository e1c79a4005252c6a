import { randomCharacters } from '../../lib/protocol/characters.ts';

/** 115 bits. */
const LENGTH = 20;

/** A password that nobody has chosen, and that can be read out over a telephone. */
export function generatePassword(): string {
  return randomCharacters(LENGTH);
}
