import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readConfig } from './config.ts';
import type { Settings } from './settings.ts';

const FOLDER = join(import.meta.dirname, '..', 'examples');

export interface Example {
  /** Its folder; with a stage's name after it where it is of one that has a file of its own. */
  name: string;
  settings: Settings;
}

/** The configurations in `examples/`: each is a folder with files as they would be in the root. */
export async function examples(): Promise<Example[]> {
  const files = globSync('*/peal.config*.ts', { cwd: FOLDER }).sort();
  return Promise.all(
    files.map(async (file) => {
      const folder = dirname(file);
      const [, stage] = /peal\.config\.(.+)\.ts$/.exec(file) ?? [];
      const settings = await readConfig(
        (name) => (name === 'stage' ? stage : undefined),
        join(FOLDER, folder),
      );
      return { name: stage === undefined ? folder : `${folder}-${stage}`, settings };
    }),
  );
}
