/** The notices of the packages that are in what browsers are sent: their licences want them to come along. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Files that hold a licence or a notice. */
const NOTICE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** Collects the packages of one build after the other. */
export class ThirdParty {
  readonly #folders = new Set<string>();

  /** Sees what a build puts together. */
  plugin(): Plugin {
    return {
      name: 'third-party',
      generateBundle: (_options, bundle) => {
        for (const part of Object.values(bundle)) {
          if (part.type !== 'chunk') continue;
          for (const module of part.moduleIds) {
            const folder = packageOf(module);
            if (folder !== undefined) this.#folders.add(folder);
          }
        }
      },
    };
  }

  /** All notices, as a text. @throws Error that names a package without one */
  text(): string {
    return [...this.#folders]
      .map(noticeOf)
      .sort()
      .join(`\n${'-'.repeat(78)}\n\n`);
  }
}

/** The folder of the package that a module is of; undefined for one of ours. */
export function packageOf(module: string): string | undefined {
  return /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1];
}

/** Name, version, and what the package's files say of its licence. */
export function noticeOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => NOTICE.test(file))
        .sort()
    : [];
  if (files.length === 0) throw new Error(`${name} has no licence file, which has to be sent along with it`);
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${name} ${version}\n\n${texts.join('\n\n')}\n`;
}
