/** Where Peal is: written at deployment, so that the app itself is the same everywhere. */

export interface Config {
  /** `https://…`, without `/1`. */
  api: string;
  /** `wss://…/push`. */
  socket: string;
}

/** Limit for the addresses to come, above the service worker's own. Milliseconds. */
const CONFIG_MS = 15_000;

/** Reads the addresses; offline, the service worker has those of the last time. */
export async function loadConfig(): Promise<Config> {
  const signal = AbortSignal.timeout(CONFIG_MS);
  const response = await fetch('/config.json', { credentials: 'omit', signal });
  if (!response.ok) throw new Error(`config.json: status ${response.status}`);
  return (await response.json()) as Config;
}

/** Where an app's icon is; undefined for the default one, which is drawn here. */
export function iconUrl({ api }: Config, icon: string): string | undefined {
  return icon === 'default' || icon === '' ? undefined : `${api}/icons/${encodeURIComponent(icon)}.png`;
}
