/** Registers the service worker: the one script address that this app gives the browser (Trusted Types). */

interface Policy {
  createScriptURL(url: string): string;
}

interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

/** A worker that takes longer does not come; nothing waits for it. */
const PATIENCE_MS = 10_000;

/** Registers the worker. @returns undefined where there is none */
export async function registerWorker(): Promise<ServiceWorkerRegistration | undefined> {
  if (!('serviceWorker' in navigator)) return undefined;
  const { trustedTypes } = window as { trustedTypes?: Factory };
  const policy = trustedTypes?.createPolicy('peal-worker', { createScriptURL: () => '/sw.js' });
  await navigator.serviceWorker.register(policy?.createScriptURL('') ?? '/sw.js');
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MS));
  return Promise.race([navigator.serviceWorker.ready, late]);
}
