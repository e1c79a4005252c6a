/** `peal listen`: this machine as a device. Receives messages, prints them or runs a command for each. */
import type { Command } from 'commander';
import { createApi } from '../../lib/device/api.ts';
import type { FileStore } from '../../lib/device/file-store.ts';
import { createInbox } from '../../lib/device/inbox.ts';
import { createListener, type ListenerEnd } from '../../lib/device/listener.ts';
import type { SocketState } from '../../lib/device/socket.ts';
import type { StoredMessage } from '../../lib/device/store.ts';
import { type Context, openContext } from '../context.ts';
import { E2EE_KEY_OPTION, findE2eeKey } from '../e2ee.ts';
import { CliError, EXIT } from '../errors.ts';
import { explain } from '../failures.ts';
import { ensureRegistered, openDevice, requireSession } from '../listen/device.ts';
import { type Show, showByCommand, showJson, showOpened, showText, tellImage } from '../listen/show.ts';
import { note } from '../output.ts';

const HELP = `
The first time, it registers this machine as a device with keys of its own: messages travel sealed, and only this
machine can open them. Keys and messages are kept in the folder that \`peal config\` shows.

The command of --exec gets the message as JSON on its standard input, and in PEAL_MESSAGE, PEAL_TITLE, PEAL_APP,
PEAL_URL, PEAL_URL_TITLE, PEAL_PRIORITY, PEAL_DATE, PEAL_ID and so on; PEAL_ATTACHMENT names the file of an image. Put
quotes around "$PEAL_MESSAGE": others wrote it. With the account's E2EE key, messages that were encrypted with it are
opened; what cannot be opened is shown as it came, and marked (PEAL_ENCRYPTED). A message is shown once; only when the
machine dies while it is shown, it is shown again.

Examples:
  $ peal listen
  $ peal listen --json | jq -r .message
  $ peal listen --exec 'notify-send "\${PEAL_TITLE:-$PEAL_APP}" "$PEAL_MESSAGE"'
  $ peal listen --once`;

const SAME_SIGNAL_MS = 300;

interface ListenOptions {
  exec?: string;
  name?: string;
  once?: boolean;
  e2eeKeyFile?: string;
}

export function registerListen(program: Command): void {
  program
    .command('listen')
    .description('receive messages on this machine')
    .option('--exec <command>', 'run this for each message instead of printing it')
    .option('--name <name>', "the device's name when it is registered; this host's unless given")
    .option('--once', 'fetch what waits, and end')
    .option(...E2EE_KEY_OPTION)
    .addHelpText('after', HELP)
    .action(listen);
}

async function listen(options: ListenOptions, command: Command): Promise<void> {
  const context = openContext(command);
  const key = await findE2eeKey(options.e2eeKeyFile);
  const stop = new AbortController();
  const store = await openDevice(context, await requireSession(context));
  const release = onSignals(() => stop.abort());
  try {
    await ensureRegistered(context, store, options.name);
    const plain = chooseShow(context, options, stop.signal);
    const choice = key ? showOpened(plain, key) : plain;
    const show = (message: StoredMessage) => choice({ ...message, path: store.attachmentPath(message.id) });
    await (options.once ? fetchOnce : keepListening)(context, store, show, stop.signal);
  } finally {
    release();
    await store.close();
  }
}

function chooseShow({ json }: Context, { exec }: ListenOptions, stop: AbortSignal): Show {
  if (exec !== undefined) return showByCommand(exec, () => stop.aborted);
  return json ? showJson : showText;
}

/** Tells of images that come after their messages, on the standard error: what was shown stays as it is. */
function tellWith(store: FileStore) {
  return (message: StoredMessage) => tellImage({ ...message, path: store.attachmentPath(message.id) });
}

async function fetchOnce(context: Context, store: FileStore, show: Show, stop: AbortSignal): Promise<void> {
  const inbox = createInbox({ store, onMessage: show, onAttachment: tellWith(store) });
  const api = createApi({ url: context.server(), secret: (await store.identity())?.secret, signal: stop });
  try {
    await inbox.readAgain();
    await inbox.removeExpired();
    await inbox.showNew();
    await inbox.syncOnce(api);
  } catch (error) {
    if (stop.aborted) throw new CliError(EXIT.interrupted, 'interrupted');
    throw explain(error, context.server());
  }
}

/** Listens until a signal stops it, which is its regular end, or until the server ends it for good. */
async function keepListening(
  context: Context,
  store: FileStore,
  show: Show,
  stop: AbortSignal,
): Promise<void> {
  const stopped = Promise.withResolvers<ListenerEnd | 'stopped'>();
  const tell = createTeller(() => stop.aborted);
  const listener = createListener({
    api: createApi({ url: context.server(), signal: stop }),
    socket: context.socket(),
    store,
    onMessage: show,
    onAttachment: tellWith(store),
    onError: (error) => tell.error(explain(error, context.server())),
    onEnd: stopped.resolve,
    onState: tell.state,
  });
  stop.addEventListener('abort', () => stopped.resolve('stopped'));
  if (stop.aborted) return;
  try {
    await listener.start();
    // Not only when the socket is up: what waits can be had without one.
    listener.sync();
    const end = await stopped.promise;
    if (end !== 'stopped') throw await endError(end, context, store);
  } finally {
    await listener.stop();
  }
}

/** Why it has ended, as an error. What is wrong with the device, only the list of devices tells. */
async function endError(end: ListenerEnd, context: Context, store: FileStore): Promise<CliError> {
  const refused = (message: string, advice: string) => new CliError(EXIT.refused, message, advice);
  if (end === 'replaced') {
    return refused('another program listens as this device', 'Stop it, or use another PEAL_DATA folder.');
  }
  const known = await store.identity();
  // Whatever goes wrong here: that the session has ended is the likeliest, and logging in again tells the rest.
  const devices = await context.call((api) => api.listDevices(), known?.secret).catch(() => undefined);
  const device = devices?.find(({ id }) => id === known?.device);
  if (devices && !device) {
    return refused('this device was deleted at the server', 'Register this machine anew: peal listen');
  }
  if (device?.enabled === false) {
    return refused(
      `the device ${device.name} is disabled`,
      `Let it receive again: peal device enable ${device.name}`,
    );
  }
  return refused('the session has ended', 'Log in again: peal account login, then peal listen.');
}

/** Tells what goes wrong once, and not with every try. */
function createTeller(isSilent: () => boolean) {
  let last: string | undefined;
  const tell = (text: string) => {
    if (text !== last && !isSilent()) note(text);
    last = text;
  };
  return {
    error: (error: unknown) =>
      tell(`peal: ${error instanceof Error ? error.message : String(error)}, trying again`),
    state: (state: SocketState) => {
      // One lost connection is everyday life: the server asks for a new one every two hours.
      if (state.state === 'waiting' && state.failures > 1)
        tell(`peal: not connected (${state.reason}), trying again`);
      else if (state.state === 'connected' && last !== undefined) {
        tell('peal: connected');
        last = undefined;
      }
    },
  };
}

/**
 * The first signal ends in order, a later one at once. A signal that comes right after the first is the same one:
 * a terminal sends SIGINT to every process, and peal.js passes its own on.
 */
function onSignals(stop: () => void): () => void {
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  let first: number | undefined;
  const handler = () => {
    first ??= performance.now();
    if (performance.now() - first > SAME_SIGNAL_MS) process.exit(EXIT.interrupted);
    stop();
  };
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}
