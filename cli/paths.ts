/** Where the configuration and the messages are kept, as each system expects it. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UsageError } from './errors.ts';

/** What decides about the paths. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  readonly home: string;
}

/** Those of this process. `home` throws UsageError when it is asked for and there is none. */
export function surroundings(): Surroundings {
  return {
    env: process.env,
    platform: process.platform,
    get home() {
      return findHome();
    },
  };
}

/** In a container, a user may have neither HOME nor an entry in /etc/passwd. */
function findHome(): string {
  try {
    return homedir();
  } catch {
    throw new UsageError('this user has no home folder', 'Set HOME, or both PEAL_CONFIG and PEAL_DATA.');
  }
}

/**
 * The configuration file: PEAL_CONFIG, else `config.json` in `$XDG_CONFIG_HOME/peal` (`~/.config/peal`),
 * `~/Library/Application Support/peal` on macOS, `%APPDATA%\peal` on Windows.
 */
export function configFile(where: Surroundings): string {
  const { env } = where;
  if (env.PEAL_CONFIG) return env.PEAL_CONFIG;
  return join(baseFolder(env.XDG_CONFIG_HOME, env.APPDATA, where, '.config'), 'peal', 'config.json');
}

/**
 * The folder of keys and messages: PEAL_DATA, else `$XDG_DATA_HOME/peal` (`~/.local/share/peal`),
 * `~/Library/Application Support/peal` on macOS, `%LOCALAPPDATA%\peal` on Windows.
 */
export function dataFolder(where: Surroundings): string {
  const { env } = where;
  if (env.PEAL_DATA) return env.PEAL_DATA;
  return join(baseFolder(env.XDG_DATA_HOME, env.LOCALAPPDATA, where, '.local/share'), 'peal');
}

/** XDG's variables count on every system, if they are absolute as their specification demands. */
function baseFolder(
  xdg: string | undefined,
  windows: string | undefined,
  where: Surroundings,
  fallback: string,
): string {
  if (xdg && isAbsolute(xdg)) return xdg;
  if (where.platform === 'win32' && windows) return windows;
  if (where.platform === 'darwin') return join(where.home, 'Library', 'Application Support');
  return join(where.home, fallback);
}
