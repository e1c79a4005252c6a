/**
 * `npm run stateful`: what holds data in the deployment, and what a deployment of the sources as they are would do to it.
 * `npm run stateful -- --accept` takes that as right, on purpose.
 */
import { parseArgs } from 'node:util';
import { lossesOf, unkeptOf } from './stateful/inventory.ts';
import { accept, acceptedInventory, currentInventory } from './stateful/snapshot.ts';

const { values } = parseArgs({ options: { accept: { type: 'boolean' } } });
const now = await currentInventory();
if (values.accept) {
  accept(now);
  console.log(`cdk/stateful.json has ${Object.keys(now).length} resources that hold data.`);
} else {
  for (const [at, { type }] of Object.entries(now)) console.log(`${at}  ${type}`);
  const faults = [...lossesOf(acceptedInventory(), now), ...unkeptOf(now)];
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
