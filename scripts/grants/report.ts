/** What the tests used of the grants that the templates give: read, added up, and told. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GrantUse } from '../../local/iam/iam.ts';

/** What a run of a cloud notes of each grant. */
export type NotedGrant = Omit<GrantUse, 'source'>;

/** All that was noted in a folder, each grant once, with its uses in all runs together. */
export async function readUses(folder: string): Promise<NotedGrant[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const runs = names
    .filter((name) => name.endsWith('.json'))
    .map((name) => readFile(join(folder, name), 'utf8'));
  return addUp((await Promise.all(runs)).flatMap((text): NotedGrant[] => JSON.parse(text)));
}

/** Each grant once, by role, with the sum of its uses. */
export function addUp(noted: NotedGrant[]): NotedGrant[] {
  const sums = new Map<string, NotedGrant>();
  for (const { role, action, resource, partition, times } of noted) {
    const key = JSON.stringify([role, action, resource, partition]);
    const before = sums.get(key)?.times ?? 0;
    const part = partition === undefined ? {} : { partition };
    sums.set(key, { role, action, resource, ...part, times: before + times });
  }
  return [...sums.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
}

/** The report: every role with its grants, and how often each was used. */
export function reportOf(uses: NotedGrant[]): string {
  const roles = Map.groupBy(uses, ({ role }) => role);
  return [...roles]
    .map(([role, grants]) => {
      const rows = grants.map((grant): [string, string] => [grant.action, whereOf(grant)]);
      const [first, second] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
      const lines = grants.map(({ times }, n) => {
        const [action, where] = rows[n]!;
        const used = times === 0 ? 'NEVER' : `${times} ${times === 1 ? 'time' : 'times'}`;
        return `  ${action.padEnd(first!)}  ${where.padEnd(second!)}  used by the suite: ${used}`;
      });
      return `${role}\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** What a grant is on, without the parts of an ARN that are the same everywhere. */
function whereOf({ resource, partition }: NotedGrant): string {
  const [, , service, , , ...rest] = resource.split(':');
  const short = rest.length === 0 ? resource : `${service} ${rest.join(':')}`;
  return partition === undefined ? short : `${short} in ${partition}`;
}
