#!/usr/bin/env node
// Starts peal.ts. In plain JavaScript that old versions of Node can read: Node 24 runs TypeScript as it is, an
// older one hands over to the Node that `npm ci` has installed beside the other packages.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants, homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

if (Number(process.versions.node.split('.')[0]) >= 24) {
  keepCompiled();
  await import('./peal.ts');
} else {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const node = fileURLToPath(new URL(`../node_modules/node/bin/node${suffix}`, import.meta.url));
  if (!existsSync(node)) {
    console.error(
      `peal: needs Node 24, this is ${process.version}.\nInstall Node 24, or run \`npm ci\` in the folder of Peal.`,
    );
    process.exit(2);
  }
  handOver(node);
}

/**
 * Keeps what was compiled for the next start, which then takes half the time. In a folder of the user's own: what others
 * can write, such as the temporary folder that is the default, others could fill. Whoever has none does without.
 */
function keepCompiled() {
  let folder = process.env.XDG_CACHE_HOME;
  try {
    folder ||= join(homedir(), '.cache');
  } catch {
    return;
  }
  module.enableCompileCache(join(folder, 'peal'));
}

/**
 * Runs this file on another Node as if it were this process: same streams, arguments, signals and exit code. The
 * channel between both ends when this process does, however it does: then the other one ends, too.
 */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`peal: cannot start ${node}: ${error.message}`);
    process.exit(2);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
