/**
 * Bytes to text, strictly. Text of a message is stored, sealed and shown later: what is not text is refused
 * here, with the parameter named, and not turned into replacement characters that nobody sent.
 */
import { BodyError } from './errors.ts';

/** Character sets that real senders declare; all extend ASCII, so that names and `&`, `=` mean the same in each. */
const CHARSETS: Readonly<Record<string, string>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  // Senders that say ASCII and then send something else send UTF-8.
  'us-ascii': 'utf-8',
  ascii: 'utf-8',
  'iso-8859-1': 'windows-1252',
  latin1: 'windows-1252',
  'iso-8859-15': 'iso-8859-15',
  'windows-1252': 'windows-1252',
};

/** A decoder of one character set; throws BodyError naming `field` for bytes that are not text in it. */
export type Decode = (bytes: Uint8Array, field: string) => string;

/**
 * The decoder for a declared character set (any case; absent or empty: UTF-8). A byte order mark inside a
 * value is kept: it was sent. Throws BodyError for a character set that we do not know.
 */
export function decoderFor(charset: string | undefined): Decode {
  const label = CHARSETS[(charset || 'utf-8').toLowerCase()];
  if (label === undefined) throw new BodyError('body', 'has an unsupported charset, send UTF-8');
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
  return (bytes, field) => {
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      throw new BodyError(field, `is not valid ${label === 'utf-8' ? 'UTF-8' : label}`);
    }
    return text;
  };
}

/**
 * Checks a value. NUL is refused: databases, C strings and terminals each cut it at another place. All other
 * control characters are kept, as the sender's own (build logs carry colour codes): whoever shows the text
 * makes it harmless there. Half a surrogate pair, which is what a JavaScript sender leaves when it cuts a text
 * inside an emoji, becomes U+FFFD: the rest of the alert matters more.
 */
export function checkText(value: string, field: string): string {
  if (value.includes('\0')) throw new BodyError(field, 'cannot contain NUL characters');
  return value.toWellFormed();
}
