/** A received message on a terminal, as JSON, or as the input of a command. */
import { spawn } from 'node:child_process';
import { type E2eeKey, openE2ee } from '../../lib/device/e2ee.ts';
import type { Message } from '../../lib/device/envelope.ts';
import { htmlToText } from '../../lib/device/html-text.ts';
import type { AttachmentLoss, StoredMessage } from '../../lib/device/store.ts';
import { CliError, EXIT } from '../errors.ts';
import { harmless, jsonLine, note, write } from '../output.ts';
import { clock } from '../time.ts';

/** A message as it is shown, and where its attachment is. */
export type Shown = StoredMessage & {
  /** Of the stored attachment. */
  path?: string | undefined;
};

/** Shows a message; when it resolves the message counts as shown, when it rejects it comes again. */
export type Show = (message: Shown) => Promise<void>;

const PRIORITY: Readonly<Record<string, string>> = {
  '-2': 'lowest',
  '-1': 'low',
  '1': 'high',
  '2': 'emergency',
};

/** Prints a message for people. */
export const showText: Show = async (stored) => {
  if (stored.kind === 'message') {
    const lines = [messageText(stored.message), ...attachmentLines(stored)];
    await write(process.stdout, `${lines.join('\n')}\n`);
  } else note(unreadableText(stored.id, stored.reason));
};

/** Tells people of an image that came after its message. */
export function tellImage({ id, attachment, path }: Shown): void {
  const what = attachment === 'stored' ? path : attachment && LOSSES[attachment];
  note(`peal: message ${id}: ${what ?? 'an image'}`);
}

/** Prints a message as one line of JSON: the envelope's fields, or `{"id":…,"unreadable":"reason"}`. */
export const showJson: Show = async (stored) => {
  await write(process.stdout, `${jsonLine(asJson(stored))}\n`);
};

/** Opens what its sender encrypted, before it is shown. It is stored as it came, and can be opened again. */
export function showOpened(show: Show, key: E2eeKey): Show {
  return async (stored) => {
    if (stored.kind === 'unreadable') return show(stored);
    const { message } = await openE2ee(stored.message, key);
    return show({ ...stored, message });
  };
}

/** What a message lost its attachment by, in words. */
const LOSSES: Readonly<Record<AttachmentLoss, string>> = {
  gone: 'the image is no longer there',
  damaged: 'the image was damaged on the way',
  'given-up': 'the image could not be fetched',
};

function attachmentLines({ kind, attachment, path, ...stored }: Shown): string[] {
  const has = kind === 'message' && 'message' in stored && stored.message.attachment !== undefined;
  if (!has) return [];
  if (attachment === undefined) return ['  [the image is still to be fetched]'];
  return [`  [${attachment === 'stored' ? (path ?? 'an image') : LOSSES[attachment]}]`];
}

/** A message as text of several lines. */
export function messageText(message: Message): string {
  const { app, title, priority } = message;
  const level = PRIORITY[String(priority)];
  const heading = [clock(message.date), title === undefined || title === app ? app : `${app}: ${title}`];
  if (level !== undefined) heading.push(`(${level})`);
  if (message.encrypted) heading.push('(encrypted, not opened)');
  const body = message.html ? htmlToText(message.message) : message.message;
  const lines = harmless(body).split('\n');
  if (message.url !== undefined) {
    lines.push(
      harmless(message.url_title === undefined ? message.url : `${message.url_title}: ${message.url}`),
    );
  }
  if (message.receipt !== undefined) lines.push(harmless(`peal acknowledge ${message.receipt}`));
  const first = harmless(heading.join('  ')).replaceAll('\n', ' ');
  return [first, ...lines.map((line) => `  ${line}`.trimEnd())].join('\n');
}

/**
 * Runs a command of the shell for each message, one after another: JSON on its standard input, the fields in
 * PEAL_… variables. A command that fails is told and is not run again; one that ends because the listening is
 * interrupted is run again at the next start.
 */
export function showByCommand(commandLine: string, interrupted: () => boolean): Show {
  return async (stored) => {
    const { code, signal } = await run(commandLine, environment(stored), `${jsonLine(asJson(stored))}\n`);
    if (signal !== null && interrupted()) throw new CliError(EXIT.interrupted, 'interrupted');
    if (code !== 0) note(`peal: the command for message ${stored.id} ended with ${signal ?? code}`);
  };
}

function run(
  commandLine: string,
  env: NodeJS.ProcessEnv,
  input: string,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(commandLine, { shell: true, env, stdio: ['pipe', 'inherit', 'inherit'] });
    child.once('error', (error) =>
      reject(new CliError(EXIT.usage, `cannot run the command: ${error.message}`)),
    );
    child.once('close', (code, signal) => resolve({ code, signal }));
    // A command need not read its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Fields that become variables, so that none of an earlier message or of our own surroundings is left. */
const FIELDS: readonly (keyof Message)[] = [
  ...([
    'id',
    'umid',
    'app',
    'aid',
    'icon',
    'date',
    'received',
    'message',
    'title',
    'url',
    'url_title',
  ] as const),
  ...(['priority', 'sound', 'html', 'monospace', 'encrypted', 'expires', 'receipt'] as const),
];

function environment(stored: Shown): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env.PEAL_PASSWORD;
  delete env.PEAL_E2EE_KEY;
  for (const field of FIELDS) {
    const name = `PEAL_${field.toUpperCase()}`;
    const value = stored.kind === 'message' ? stored.message[field] : undefined;
    // An environment cannot hold NUL.
    if (value === undefined) delete env[name];
    else env[name] = String(value).replaceAll('\0', '');
  }
  if (stored.path === undefined) delete env.PEAL_ATTACHMENT;
  else env.PEAL_ATTACHMENT = stored.path;
  if (stored.kind === 'unreadable')
    Object.assign(env, { PEAL_ID: String(stored.id), PEAL_UNREADABLE: stored.reason });
  else delete env.PEAL_UNREADABLE;
  return env;
}

/** Of the attachment what is of use to others: where it is, or why not. Its key is not. */
function asJson(stored: Shown): object {
  if (stored.kind !== 'message') return { id: stored.id, unreadable: stored.reason };
  const { attachment, ...message } = stored.message;
  if (!attachment) return message;
  const { type, size } = attachment;
  const state = stored.path === undefined ? { state: stored.attachment ?? 'awaited' } : { path: stored.path };
  return { ...message, attachment: { type, size, ...state } };
}

function unreadableText(id: number, reason: string): string {
  return `peal: message ${id} cannot be read (${reason}); it is kept, and read when a later version can`;
}
