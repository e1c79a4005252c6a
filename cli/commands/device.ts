/** `peal device`: the devices that receive. They register themselves; `peal listen` registers this one. */
import type { Command } from 'commander';
import type { DeviceInfo } from '../../lib/device/api.ts';
import { type Context, openContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { printResult, table } from '../output.ts';
import { confirm } from '../prompt.ts';
import { callLoggedIn } from '../session.ts';
import { day } from '../time.ts';

const HELP = `
A device is named by its name or its id.

Examples:
  $ peal device list
  $ peal device rename iPhone old-phone
  $ peal device disable old-phone`;

export function registerDevice(program: Command): void {
  const device = program.command('device').description('devices that receive').addHelpText('after', HELP);
  device.command('list').description('list your devices').action(list);
  device.command('rename <device> <name>').description('give a device another name').action(rename);
  device
    .command('enable <device>')
    .description('let it receive again')
    .action((name: string, _options: object, command: Command) => setEnabled(name, true, command));
  device
    .command('disable <device>')
    .description('let it receive nothing for now')
    .action((name: string, _options: object, command: Command) => setEnabled(name, false, command));
  device
    .command('delete <device>')
    .description('delete a device, and what waits for it on the server')
    .option('--yes', 'do not ask')
    .action(remove);
}

async function list(_options: object, command: Command): Promise<void> {
  const context = openContext(command);
  const devices = await callLoggedIn(context, (api) => api.listDevices());
  const rows = devices.map((device) => [
    device.name,
    device.platform,
    device.enabled ? 'yes' : 'no',
    device.public_key === null ? 'no' : 'yes',
    day(device.created_at),
    device.id,
  ]);
  const heading = ['NAME', 'PLATFORM', 'ENABLED', 'SEALED', 'CREATED', 'ID'];
  await printResult(
    context.json,
    devices,
    devices.length > 0 ? table(heading, rows) : 'No devices yet: peal listen',
  );
}

async function rename(which: string, name: string, _options: object, command: Command): Promise<void> {
  const context = openContext(command);
  const device = await findDevice(context, which);
  await callLoggedIn(context, (api) => api.updateDevice(device.id, { name }));
  await printResult(context.json, { id: device.id, name }, `${device.name} is called ${name} now.`);
}

async function setEnabled(which: string, enabled: boolean, command: Command): Promise<void> {
  const context = openContext(command);
  const { id, name } = await findDevice(context, which);
  await callLoggedIn(context, (api) => api.updateDevice(id, { enabled }));
  await printResult(context.json, { id, name, enabled }, `${name} is ${enabled ? 'enabled' : 'disabled'}.`);
}

async function remove(which: string, options: { yes?: boolean }, command: Command): Promise<void> {
  const context = openContext(command);
  const { id, name } = await findDevice(context, which);
  await confirm(`Delete ${name}? Messages that it has not fetched are lost.`, options.yes === true);
  await callLoggedIn(context, (api) => api.deleteDevice(id));
  await printResult(context.json, { id, name }, `Deleted ${name}.`);
}

/** By name before id: a name is what is listed first, and an id is too long to be mistaken for one. */
async function findDevice(context: Context, which: string): Promise<DeviceInfo> {
  const devices = await callLoggedIn(context, (api) => api.listDevices());
  const found = devices.find(({ name }) => name === which) ?? devices.find(({ id }) => id === which);
  if (!found) throw new UsageError(`you have no device ${which}`, 'See: peal device list');
  return found;
}
