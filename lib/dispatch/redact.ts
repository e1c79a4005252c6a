import type { PushTarget } from '../carriers/carrier.ts';

/** Shorter texts are no secrets: a type, an environment. */
const LEAST = 16;

/** A carrier's words without the target that they were about, should it repeat it: who has that can push to the device. */
export function withoutTarget(reason: string, target: PushTarget | undefined): string {
  const secrets = Object.values(target ?? {}).filter((value) => String(value).length >= LEAST);
  return secrets.reduce((text: string, secret) => text.replaceAll(String(secret), '…'), reason);
}
