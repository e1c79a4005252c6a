/** Builders for the device tests: a device's keys, messages as the server sends them, time that tests move. */
import { createKeyPair, type KeyPair, toBase64 } from '../../lib/device/keys.ts';
import type { NewMessage } from '../../lib/device/message.ts';
import type { Timers } from '../../lib/device/timers.ts';
import type { Envelope } from '../../lib/protocol/envelope.ts';
import { createSealer } from '../../lib/sealing/seal.ts';

const sealer = createSealer();

/** A device's identity. */
export function identityOf(keys: KeyPair | undefined = createKeyPair()) {
  return { user: `u${'1'.repeat(29)}`, device: 'd'.repeat(40), secret: 's'.repeat(60), keys };
}

/** An envelope; only what a test is about need be said. */
export function envelopeOf(id: number, more: Partial<Envelope> = {}): Envelope {
  return {
    v: 1,
    id,
    umid: id,
    app: 'App',
    aid: 1,
    icon: 'default',
    date: 1000,
    message: `text ${id}`,
    priority: 0,
    ...more,
  };
}

/** Seals any text to a device, in base64. */
export function sealText(text: string, keys: KeyPair): string {
  const [box = new Uint8Array()] = sealer.sealForAll(new TextEncoder().encode(text), [keys.publicKey]);
  return toBase64(box);
}

/** A message as a sync answer has it for a device with a key. */
export function sealedItem(id: number, keys: KeyPair, more: Partial<Envelope> = {}) {
  const sealed = sealText(JSON.stringify(envelopeOf(id, more)), keys);
  return { id, id_str: String(id), umid: id, umid_str: String(id), sealed };
}

/** A message as a sync answer has it for a classic device. */
export function plainItem(id: number, more: Record<string, unknown> = {}) {
  return {
    id,
    id_str: String(id),
    umid: id,
    umid_str: String(id),
    message: `text ${id}`,
    app: 'App',
    aid: 1,
    aid_str: '1',
    icon: 'default',
    date: 1000,
    priority: 0,
    acked: 0,
    ...more,
  };
}

/** A message on its way into a store. */
export function newMessage(id: number, more: Partial<Envelope> = {}): NewMessage {
  const { v: _, ...message } = envelopeOf(id, more);
  return { kind: 'message', id, message };
}

/** Time that stands still until it is moved, and chance that is always the same. */
export class ManualTimers implements Timers {
  #now = 1_700_000_000_000;
  #waiting: { at: number; action: () => void }[] = [];
  chance = 1;

  now = () => this.#now;
  random = () => this.chance;

  after = (milliseconds: number, action: () => void) => {
    const entry = { at: this.#now + milliseconds, action };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  };

  /** Lets time pass; what is due happens in order, at its time. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = this.#waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
    }
    this.#now = end;
  }

  /** How long until each of what waits. */
  waits(): number[] {
    return this.#waiting.map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }
}

/** Lets everything happen that is ready to. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
