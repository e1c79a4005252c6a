/** `peal send`: a message, as a CI job or a cron job sends it. */
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { OutgoingMessage } from '../../lib/device/api.ts';
import { sealE2ee } from '../../lib/device/e2ee.ts';
import { imageType, MAX_IMAGE_BYTES } from '../../lib/protocol/images.ts';
import { type Context, openContext } from '../context.ts';
import { E2EE_KEY_OPTION, findE2eeKey } from '../e2ee.ts';
import { TroubleError, UsageError } from '../errors.ts';
import { note, printResult } from '../output.ts';
import { readPipe } from '../prompt.ts';
import { parseDuration, parseTime } from '../time.ts';

const PRIORITIES: Readonly<Record<string, number>> = {
  lowest: -2,
  low: -1,
  normal: 0,
  high: 1,
  emergency: 2,
};

/** Larger images are uploaded ahead: an upload may take a minute, a request fifteen seconds. Bytes. */
const INLINE_BYTES = 1024 * 1024;

const HELP = `
Without a message, it is read from the standard input. Without --user, you are the recipient yourself. Lists are
joined by commas, or made by giving the option again.

When the server cannot be reached or is in trouble, it is tried again; when the answer to a try is lost, the
message can arrive twice.

With an E2EE key, text, title, link and its text are encrypted before they leave this machine; devices that have the
same key show them.

Examples:
  $ peal send "Disk is full" --title web1 --priority high
  $ peal send "At the door" --attach camera.jpg
  $ make 2>&1 | tail -20 | peal send --title "Build" --monospace
  $ peal send "Deployed" --url https://ci.example.com/42 --url-title "Log" --ttl 1d`;

interface SendOptions {
  token?: string;
  user?: string[];
  device?: string[];
  title?: string;
  url?: string;
  urlTitle?: string;
  priority?: number;
  sound?: string;
  ttl?: number;
  timestamp?: number;
  html?: boolean;
  monospace?: boolean;
  retry?: number;
  expire?: number;
  tags?: string[];
  e2eeKeyFile?: string;
  attach?: string;
  tries: number;
  wait: number;
}

export function registerSend(program: Command): void {
  program
    .command('send')
    .description('send a message')
    .argument('[message...]', 'the text; several words are joined by spaces')
    .option('--token <token>', 'app token (PEAL_TOKEN, or: peal config set token TOKEN)')
    .option('--user <key>', 'user or group key (PEAL_USER)', collect)
    .option('--device <name>', 'only to this device', collect)
    .option('--title <text>', "title; the app's name unless given")
    .option('--url <url>', 'link to open')
    .option('--url-title <text>', "the link's text")
    .option('--priority <level>', '-2 … 2, or lowest, low, normal, high, emergency', parsePriority)
    .option('--sound <name>', 'name of the sound')
    .option('--ttl <duration>', 'delete it on devices after this time: 90, 15m, 2h, 7d', parseDuration)
    .option('--timestamp <time>', 'time to show: Unix seconds or ISO 8601', parseTime)
    .addOption(new Option('--html', 'the text has b, i, u, font and a').conflicts('monospace'))
    .option('--monospace', 'show it in a monospaced face')
    .option('--retry <duration>', 'emergency: repeat this often', parseDuration)
    .option('--expire <duration>', 'emergency: stop repeating after this time', parseDuration)
    .option('--tags <tag>', 'emergency: tag of the receipt', collect)
    .option(...E2EE_KEY_OPTION)
    .option('--attach <file>', 'image to send along: PNG, JPEG, GIF, WebP or HEIC, up to 5 MiB')
    .option('--tries <n>', 'how often to try in all when the server is in trouble', parseTries, 3)
    .option(
      '--wait <seconds>',
      'wait before the second try, doubled before each further one',
      parseSeconds,
      5,
    )
    .addHelpText('after', HELP)
    .action(send);
}

async function send(words: string[], options: SendOptions, command: Command): Promise<void> {
  const context = openContext(command);
  const key = await findE2eeKey(options.e2eeKeyFile);
  const message: OutgoingMessage = {
    token: findToken(context, options),
    user: findUser(context, options),
    message: await findText(words),
    title: options.title,
    device: options.device?.join(','),
    url: options.url,
    url_title: options.urlTitle,
    priority: options.priority,
    sound: options.sound,
    timestamp: options.timestamp,
    ttl: options.ttl,
    html: options.html ? 1 : undefined,
    monospace: options.monospace ? 1 : undefined,
    retry: options.retry,
    expire: options.expire,
    tags: options.tags?.join(','),
  };
  const outgoing = key ? await sealE2ee(message, key) : message;
  const image = options.attach === undefined ? undefined : await readImage(options.attach);
  const answer = await withTries(options.tries, options.wait, () =>
    context.call(async (api) => {
      const large = image && image.size > INLINE_BYTES;
      const attachment = large ? await api.uploadAttachment(outgoing.token, image) : image;
      return api.sendMessage({ ...outgoing, ...(attachment && { attachment }) });
    }),
  );
  const receipt = answer.receipt === undefined ? '' : `, receipt ${answer.receipt}`;
  await printResult(context.json, { status: 1, ...answer }, `Sent (request ${answer.request}${receipt})`);
}

/**
 * Tries again what failed by trouble of the server or the network. Pushover asks for 5 seconds between tries;
 * up to a quarter is added by chance, so that machines that failed together do not come back together.
 */
async function withTries<T>(tries: number, seconds: number, attempt: () => Promise<T>): Promise<T> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TroubleError) || made >= tries) throw error;
      const pause = seconds * 2 ** (made - 1) * (1 + Math.random() / 4);
      note(`peal: ${error.message}, trying again in ${Math.round(pause)} s`);
      await wait(pause * 1000);
    }
  }
}

function findToken(context: Context, options: SendOptions): string {
  const token =
    options.token ?? (process.env.PEAL_TOKEN || context.local?.demo?.token || context.entry().token);
  if (token) return token;
  throw new UsageError(
    'no app token given',
    'Use --token or PEAL_TOKEN, or make one: peal app create NAME --save',
  );
}

function findUser(context: Context, options: SendOptions): string {
  const user =
    options.user?.join(',') ?? (process.env.PEAL_USER || context.local?.demo?.user || context.entry().user);
  if (user) return user;
  throw new UsageError(
    'no recipient given',
    'Use --user or PEAL_USER, or log in to send to yourself: peal account login',
  );
}

/** What the server would refuse is told before anything is sent. */
async function readImage(path: string): Promise<Blob> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${path}: ${error.code ?? error.message}`);
  });
  const type = imageType(bytes);
  if (!type) throw new UsageError(`${path} is not an image`, 'Send a PNG, JPEG, GIF, WebP or HEIC.');
  if (bytes.length > MAX_IMAGE_BYTES) throw new UsageError(`${path} is larger than 5 MiB`);
  return new Blob([new Uint8Array(bytes)], { type });
}

async function findText(words: string[]): Promise<string> {
  const fromPipe = words.length === 0 || (words.length === 1 && words[0] === '-');
  if (words.length === 0 && process.stdin.isTTY)
    throw new UsageError('no message given', 'See: peal send --help');
  const text = fromPipe ? await readPipe(process.stdin) : words.join(' ');
  if (text.trim() === '') throw new UsageError('the message is empty');
  return text;
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

function parsePriority(text: string): number {
  const priority = PRIORITIES[text.toLowerCase()] ?? (/^[-+]?[0-2]$/.test(text) ? Number(text) : undefined);
  if (priority === undefined)
    throw new InvalidArgumentError(`Give -2 … 2, or ${Object.keys(PRIORITIES).join(', ')}.`);
  return priority;
}

function parseTries(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('Give a number from 1 to 99.');
  return Number(text);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 3600))
    throw new InvalidArgumentError('Give seconds, up to 3600.');
  return seconds;
}
