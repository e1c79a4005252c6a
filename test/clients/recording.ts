/** Reads the recorded requests of clients; recordings/README.md says how they are written. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** What stands in for the client's own credentials and ids. */
export type Values = Partial<
  Record<'token' | 'user' | 'secret' | 'device' | 'receipt' | 'group' | 'message', string>
>;

/** A transparent dot. */
const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63f8cfc0f01f' +
    '00050001ff56c72f0d0000000049454e44ae426082',
  'hex',
);

/** The recordings of a client. */
export interface Recording {
  /** Names of its requests, in the client's order. */
  names: string[];
  /** The bytes of a request. */
  request(name: string, values: Values): Buffer;
}

/** Reads `recordings/<client>.http`. */
export function readRecording(client: string): Recording {
  const file = readFileSync(new URL(`recordings/${client}.http`, import.meta.url), 'utf8');
  const [, ...sections] = file.split(/^=== /m);
  const texts = new Map(
    sections.map((section) => {
      const [name, ...lines] = section.split('\n');
      return [name!, lines.join('')];
    }),
  );
  return {
    names: [...texts.keys()],
    request(name, values) {
      const text = texts.get(name);
      assert.ok(text !== undefined, `${client} has no request "${name}"`);
      return toBytes(text, values);
    },
  };
}

/** Escapes undone, placeholders filled in, and the lengths that depend on these. */
function toBytes(text: string, values: Values): Buffer {
  const all: Record<string, Buffer> = {
    png: PNG,
    basic: Buffer.from(Buffer.from(`${values.token}:`).toString('base64')),
  };
  for (const [name, value] of Object.entries(values)) all[name] = Buffer.from(value);
  const pieces = text.split(/\{\{(\w+)\}\}|\\(x[0-9a-f]{2}|.)/u);
  let bytes = Buffer.alloc(0);
  let length: number | undefined;
  let chunk: number | undefined;
  for (let at = 0; at < pieces.length; at += 3) {
    const [piece, mark, code] = pieces.slice(at, at + 3);
    bytes = Buffer.concat([bytes, Buffer.from(piece!)]);
    if (code !== undefined) bytes = Buffer.concat([bytes, escaped(code)]);
    else if (mark === 'length') length = bytes.length;
    else if (mark === 'chunk') chunk = bytes.length;
    else if (mark !== undefined) {
      assert.ok(all[mark], `nothing is given for {{${mark}}}`);
      bytes = Buffer.concat([bytes, all[mark]]);
    }
  }
  if (length !== undefined) return insert(bytes, length, String(bodyOf(bytes).length));
  // One chunk: its own line end, its data, a line end, the last chunk.
  if (chunk !== undefined) return insert(bytes, chunk, (bodyOf(bytes).length - 9).toString(16));
  return bytes;
}

function escaped(code: string): Buffer {
  const controls: Record<string, string> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };
  const control = controls[code];
  return control === undefined ? Buffer.from(code.slice(1), 'hex') : Buffer.from(control);
}

function bodyOf(bytes: Buffer): Buffer {
  return bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
}

function insert(bytes: Buffer, at: number, text: string): Buffer {
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(at)]);
}
