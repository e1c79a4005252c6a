/** The app's own files, kept so that it opens without a network. */
import { type FetchEvent, scope } from './scope.ts';

/** Written by the build: what to keep, and what to call this version. */
declare const SHELL_FILES: readonly string[];
declare const SHELL_VERSION: string;

const CACHE = `peal-${SHELL_VERSION}`;
/** Where Peal is, as last heard. */
const CONFIG = '/config.json';
/** A network that says nothing for so long counts as none: what was last heard is used. Milliseconds. */
const CONFIG_MS = 5_000;

export async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Past the browser's own cache: what is kept here has to be of this version.
  await cache.addAll(SHELL_FILES.map((file) => new Request(file, { cache: 'reload', credentials: 'omit' })));
  await configNow(new Request(CONFIG, { credentials: 'omit' }));
}

/** Pages of the version before have loaded all their code; what they may still ask for is on the server. */
export async function dropOldShells(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith('peal-') && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** Answers for the app's own files; everything else goes the way it would go without us. */
export function answer(event: FetchEvent): void {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (pathname === CONFIG) event.respondWith(configNow(request));
  else if (request.mode === 'navigate') event.respondWith(kept('/', request));
  else if (SHELL_FILES.includes(pathname)) event.respondWith(kept(pathname, request));
}

async function kept(name: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(name)) ?? fetch(request);
}

async function configNow(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(CONFIG_MS) });
    if (response.ok) await cache.put(CONFIG, response.clone());
    return response;
  } catch (error) {
    const known = await cache.match(CONFIG);
    if (known) return known;
    throw error;
  }
}

/** The addresses, for the worker itself. */
export async function readConfig<Config>(): Promise<Config> {
  const response = await configNow(new Request(CONFIG, { credentials: 'omit' }));
  return (await response.json()) as Config;
}

/** Starts the new version at once: pages and worker share nothing but the database, whose changes are versioned. */
export function takeOver(): void {
  scope.addEventListener('install', (event) => {
    event.waitUntil(keepShell().then(() => scope.skipWaiting()));
  });
  scope.addEventListener('activate', (event) => {
    event.waitUntil(dropOldShells().then(() => scope.clients.claim()));
  });
}
