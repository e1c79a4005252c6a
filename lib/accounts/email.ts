import { domainToASCII } from 'node:url';

declare const CANONICAL: unique symbol;

/** An address of e-mail in the one form under which accounts are stored, found and counted. */
export type Email = string & { readonly [CANONICAL]: true };

/** Longest e-mail address (RFC 5321, 4.5.3.1.3, without the angle brackets). */
const MAX_EMAIL = 254;

/** What a domain that is not ASCII must not contain: `domainToASCII` would read these as parts of an address of the web. */
const NOT_OF_DOMAINS = /[/?#%:\\[\]]/;

/**
 * The one form of an address: without blanks around it, in lower case, composed (Unicode NFC), its domain in ASCII (IDNA)
 * and without the dot of the root. People write one address in many ways, and telephones begin it with a capital letter;
 * no provider that matters gives `A@x` and `a@x` to different people.
 *
 * @returns undefined if it is no address
 * @example
 * canonicalEmail(' Ann@Bücher.example ') // 'ann@xn--bcher-kva.example'
 */
export function canonicalEmail(given: string): Email | undefined {
  const [, local, domain] = /^([^\s@]+)@([^\s@]+)$/.exec(given.trim().normalize('NFC')) ?? [];
  if (local === undefined || domain === undefined) return undefined;
  const host = asciiDomain(lowerCase(domain).replace(/\.$/, ''));
  const email = `${lowerCase(local)}@${host}`;
  return host === '' || email.length > MAX_EMAIL ? undefined : (email as Email);
}

/** An address that is no account's: what cannot be an address is looked up all the same, which takes the same time. */
export const NO_EMAIL = '-' as Email;

/** Letter by letter, as the last sigma of a word would else depend on what follows. */
function lowerCase(text: string): string {
  return [...text]
    .map((letter) => letter.toLowerCase())
    .join('')
    .normalize('NFC');
}

function asciiDomain(domain: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is meant.
  if (/^[\x00-\x7f]*$/.test(domain)) return domain;
  return NOT_OF_DOMAINS.test(domain) ? '' : domainToASCII(domain);
}
