import { randomInt } from 'node:crypto';

/** Letters and digits without those that are mistaken for one another. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
/** 20 of 56 are 116 bits. */
const LENGTH = 20;

/** A password that nobody has chosen, and that can be read out over a telephone. */
export function generatePassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
