import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Iam } from '../../local/iam/iam.ts';
import type { NotedGrant } from '../../scripts/grants/report.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Another stage has the same grants under other names, and a test of one uses few of them. */
const STAGE = 'prod';

/**
 * Notes how often each grant was used, in a file of its own (test files run side by side) in the folder that
 * `PEAL_GRANTS` names; without it, nowhere. `npm run grants` adds them up.
 */
export async function noteGrants(iam: Iam, folder = process.env.PEAL_GRANTS): Promise<void> {
  if (folder === undefined) return;
  const noted = iam
    .grants()
    .filter(({ role }) => role.includes(`-${STAGE}-`))
    .map(({ source: _, ...use }): NotedGrant => use);
  await mkdir(join(ROOT, folder), { recursive: true });
  await writeFile(join(ROOT, folder, `${randomUUID()}.json`), JSON.stringify(noted));
}
