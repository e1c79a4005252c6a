/**
 * `npm start`: Peal on this machine, with a demo account and a device of each kind.
 *
 * `PORT` (default 7325, PEAL on a phone's keys): the API's; the socket, the web app and the carriers' control follow.
 * 0: any ports. `--data DIR` keeps everything there; without it, nothing is kept.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '../cdk/settings.ts';
import type { StoredMessage } from '../lib/device/index.ts';
import { currentAssembly } from './assembly.ts';
import { localConfig } from './config.ts';
import { demoAccount } from './demo/account.ts';
import { type DemoDevice, startDemoDevices } from './demo/devices.ts';
import { patientApi } from './demo/patience.ts';
import { startPeal } from './peal.ts';
import { removeState, writeState } from './state.ts';
import type { CloudLog } from './types.ts';

const DEFAULT_PORT = 7325;

const { values } = parseArgs({
  options: { data: { type: 'string' }, verbose: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  console.log('npm start -- [--data DIR] [--verbose]\n\nPORT=n sets the ports n to n+3; PORT=0 takes any.');
  process.exit(0);
}

const began = performance.now();
const closers: (() => Promise<void> | void)[] = [];
process.once('SIGINT', () => void end(0));
process.once('SIGTERM', () => void end(0));

try {
  await start();
} catch (error) {
  if (error instanceof ConfigError) console.error(error.message);
  else console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  await end(1);
}

async function start(): Promise<void> {
  const port = portOf(process.env.PORT);
  const at = (offset: number) => (port === 0 ? 0 : port + offset);
  const dataDir = values.data === undefined ? undefined : resolve(values.data);
  if (dataDir) mkdirSync(dataDir, { recursive: true, mode: 0o700 });

  say('Synthesizing the templates, if they have changed …');
  const assembly = await currentAssembly(await localConfig());
  say('Starting the cloud …');
  const peal = await startPeal({
    assembly,
    log,
    ports: { api: at(0), socket: at(1), web: at(2) },
    control: at(3),
    ...(dataDir && { dataDir: join(dataDir, 'cloud') }),
  });
  closers.unshift(() => peal.close());

  const api = patientApi(peal.api);
  const { account, secret } = await demoAccount(api, dataDir);
  const curl = `curl -d token=${account.token} -d user=${account.user} -d message="Hello from $(hostname)" ${peal.api}/1/messages.json`;
  const devices = await startDemoDevices({
    api,
    socket: peal.socket,
    carriers: peal.carriers,
    session: { user: account.user, secret },
    folder: dataDir && join(dataDir, 'devices'),
    onMessage: announce,
    onError: (device, error) => log('error', `${device.name}: ${String(error)}`),
  });
  closers.unshift(async () => void (await Promise.all(devices.map((device) => device.stop()))));
  writeState({
    api: peal.api,
    socket: peal.socket,
    web: peal.web,
    carriers: { control: peal.control },
    operator: { function: peal.cloud.functionNamed('Admin').spec.name, endpoint: peal.cloud.front.url },
    demo: { ...account, devices: devices.map(({ name, platform, id }) => ({ name, platform, id })) },
  });
  closers.unshift(removeState);

  say(`Peal is ready (${((performance.now() - began) / 1000).toFixed(1)} s).
  API       ${peal.api}
  Socket    ${peal.socket}
  Web       ${peal.web} (log in with the account below)
  Carriers  ${peal.control}/received (what FCM, APNs and push services took)
  Account   ${account.email}, password ${account.password}
  Devices   ${devices.map(({ name, reached }) => `${name} (${reached})`).join(', ')}

Send a message:

  ${curl}

It arrives here. Ctrl-C ends everything. The first one is on its way:
`);
  await api.sendMessage({
    token: account.token,
    user: account.user,
    title: 'Welcome to Peal',
    message: 'This message was sealed for each of these devices by itself.',
  });
}

/** Prints what arrived where. */
function announce(device: DemoDevice, stored: StoredMessage): void {
  const time = new Date().toLocaleTimeString('en-GB');
  console.log(`${time}  ${device.name.padEnd(13)}  ${device.reached.padEnd(16)}  ${lineOf(stored)}`);
}

/** A message in one line, with its image if it has one. */
function lineOf(stored: StoredMessage): string {
  if (stored.kind === 'unreadable') return `Unreadable: ${stored.reason}`;
  const { title, app, message, attachment } = stored.message;
  const image = attachment ? ` [${attachment.type}, ${attachment.size} bytes]` : '';
  return `${title ?? app}: ${message}${image}`;
}

async function end(code: number): Promise<void> {
  for (const close of closers.splice(0)) await close();
  process.exit(code);
}

function portOf(text: string | undefined): number {
  const port = Number(text ?? DEFAULT_PORT);
  if (Number.isInteger(port) && port >= 0 && port <= 65_532) return port;
  throw new Error(`PORT must be a number from 0 to 65532, not ${JSON.stringify(text)}`);
}

function say(text: string): void {
  console.log(text);
}

/** What the cloud did is only interesting if it went wrong, or if asked for; so is what a function warns of. */
function log(...[level, message, fields]: Parameters<CloudLog>): void {
  const wrong = level === 'error' || (level === 'warn' && fields?.function === undefined);
  if (!wrong && !values.verbose) return;
  console.error(
    `${level}: ${message}`,
    fields && Object.keys(fields).length > 0 ? JSON.stringify(fields) : '',
  );
}
