/** The committed list of what holds data. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { currentAssembly } from '../../local/assembly.ts';
import { type Inventory, inventoryOf } from './inventory.ts';

const FILE = join(import.meta.dirname, '..', '..', 'cdk', 'stateful.json');

/** What holds data in the templates as they are now. */
export async function currentInventory(): Promise<Inventory> {
  const folder = await currentAssembly();
  const files = globSync('*.template.json', { cwd: folder });
  return inventoryOf(
    Object.fromEntries(
      files.map((file) => [
        basename(file, '.template.json'),
        JSON.parse(readFileSync(join(folder, file), 'utf8')).Resources,
      ]),
    ),
  );
}

/** What held data when somebody last looked. */
export function acceptedInventory(): Inventory {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}

export function accept(inventory: Inventory): void {
  writeFileSync(FILE, `${JSON.stringify(inventory, null, 2)}\n`);
}
