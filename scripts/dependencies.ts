/**
 * `npm run dependencies`: every package that is in what is deployed, with its licence, and whether all packages may be
 * used as they are. Fails if a licence is not on the list, or the lock file lets in what npm cannot check.
 *
 * `--signatures` also has npm check the registry's signatures, where it has any; `--sbom FILE` writes a bill of materials
 * (CycloneDX).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundledPackages } from './dependencies/bundled.ts';
import { isAllowed, licenceOf } from './dependencies/licences.ts';
import { faultsOf, type Lock, type Manifest, nameOf } from './dependencies/lock.ts';
import { signaturesOf } from './dependencies/signatures.ts';

const ROOT = join(import.meta.dirname, '..');
const { values: options } = parseArgs({
  options: { signatures: { type: 'boolean' }, sbom: { type: 'string' } },
});

const read = <T>(file: string): T => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
const lock = read<Lock>('package-lock.json');
const faults = faultsOf(lock, read<Manifest>('package.json'));
const users = await bundledPackages();

const rows: string[][] = [];
let tools = 0;
for (const [place, { version = '', license, dev, devOptional }] of Object.entries(lock.packages)) {
  if (place === '') continue;
  const name = nameOf(place);
  const licence = licenceOf(name, version, license);
  const used = [...(users.get(place) ?? [])];
  const deployed = used.length > 0 || !(dev || devOptional);
  const use = used.includes('web') ? 'sent' : deployed ? 'deployed' : 'tool';
  if (!isAllowed(licence, use)) {
    faults.push(`${name} ${version} has a licence that is not on the list: ${licence ?? 'none'}`);
  }
  if (!deployed) tools++;
  else rows.push([name, version, licence ?? 'none', usersOf(used)]);
}

const heads = ['Package', 'Version', 'Licence', 'Is in'];
const widths = heads.map((head, n) =>
  Math.max(...[head, ...rows.map((row) => row[n]!)].map((text) => text.length)),
);
for (const row of [heads, ...rows])
  console.log(
    row
      .map((text, n) => text.padEnd(widths[n]!))
      .join('  ')
      .trimEnd(),
  );
console.log(`\n${rows.length} packages of production, and ${tools} tools of which nothing is deployed.`);

if (options.sbom !== undefined) {
  const made = spawnSync('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (made.status === 0) writeFileSync(options.sbom, made.stdout);
  else faults.push(`npm sbom failed: ${made.stderr}`);
}
if (options.signatures) {
  const { verdict, says } = signaturesOf(
    spawnSync('npm', ['audit', 'signatures'], { cwd: ROOT, encoding: 'utf8', timeout: 120_000 }),
  );
  console.log(`Signatures: ${verdict}. ${says}`);
  if (verdict === 'wrong')
    faults.push('npm audit signatures found packages that are not what the registry signed');
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;

/** Where a package is, in few words. */
function usersOf(names: string[]): string {
  const functions = names.filter((name) => name !== 'web');
  const words = functions.length > 3 ? [`${functions.length} functions`] : functions;
  return [...words, ...names.filter((name) => name === 'web')].join(', ') || 'no bundle';
}
