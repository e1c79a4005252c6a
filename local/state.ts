import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DemoAccount } from './demo/account.ts';

/** What a running local Peal says of itself to tools. Addresses are whole. */
export interface LocalState {
  api: string;
  socket: string;
  web: string;
  carriers: { control: string };
  /** What `peal admin` needs: the operator's function, and where AWS is. */
  operator: { function: string; endpoint: string };
  demo: DemoAccount & { devices: { name: string; platform: string; id: string }[] };
}

const FOLDER = join(import.meta.dirname, '..', '.local');
const FILE = join(FOLDER, 'state.json');

/** Writes the state, for its owner only: it has a password in it. */
export function writeState(state: LocalState): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}

/** Removes the state; at exit, when it is true no more. */
export function removeState(): void {
  rmSync(FILE, { force: true });
}
