/** What the local cloud says about itself while it runs, for `--local`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { UsageError } from './errors.ts';

const LocalStateSchema = v.object({
  api: v.string(),
  socket: v.string(),
  operator: v.optional(v.object({ function: v.string(), endpoint: v.string() })),
  demo: v.optional(
    v.object({
      email: v.string(),
      password: v.string(),
      user: v.string(),
      token: v.string(),
    }),
  ),
});

export type LocalState = v.InferOutput<typeof LocalStateSchema>;

/** Reads `.local/state.json` in a folder. Throws UsageError if no local cloud was started there. */
export function readLocalState(folder: string): LocalState {
  const file = join(folder, '.local', 'state.json');
  try {
    return v.parse(LocalStateSchema, JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'is not there' : 'is unreadable';
    throw new UsageError(
      `${file} ${reason}`,
      'Start the local cloud in this folder first, or leave out --local.',
    );
  }
}
