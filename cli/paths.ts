/** Where the configuration and the messages are kept, as each system expects it. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** What decides about the paths. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  home: string;
}

export function surroundings(): Surroundings {
  return { env: process.env, platform: process.platform, home: homedir() };
}

/**
 * The configuration file: PEAL_CONFIG, else `config.json` in `$XDG_CONFIG_HOME/peal` (`~/.config/peal`),
 * `~/Library/Application Support/peal` on macOS, `%APPDATA%\peal` on Windows.
 */
export function configFile({ env, platform, home }: Surroundings): string {
  if (env.PEAL_CONFIG) return env.PEAL_CONFIG;
  return join(baseFolder(env.XDG_CONFIG_HOME, env.APPDATA, platform, home, '.config'), 'peal', 'config.json');
}

/**
 * The folder of keys and messages: PEAL_DATA, else `$XDG_DATA_HOME/peal` (`~/.local/share/peal`),
 * `~/Library/Application Support/peal` on macOS, `%LOCALAPPDATA%\peal` on Windows.
 */
export function dataFolder({ env, platform, home }: Surroundings): string {
  if (env.PEAL_DATA) return env.PEAL_DATA;
  return join(baseFolder(env.XDG_DATA_HOME, env.LOCALAPPDATA, platform, home, '.local/share'), 'peal');
}

/** XDG's variables count on every system, if they are absolute as their specification demands. */
function baseFolder(
  xdg: string | undefined,
  windows: string | undefined,
  platform: NodeJS.Platform,
  home: string,
  fallback: string,
): string {
  if (xdg && isAbsolute(xdg)) return xdg;
  if (platform === 'win32' && windows) return windows;
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  return join(home, fallback);
}
