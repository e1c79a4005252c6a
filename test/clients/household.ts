/** One account with a device of each kind, all of them listening. */
import { EventEmitter, on } from 'node:events';
import type { StoredMessage } from '../../lib/device/index.ts';
import { startDemoDevices } from '../../local/demo/devices.ts';
import { newAccount, type TestPeal } from '../support/peal.ts';

/** An account, its devices, and what they showed. */
export interface Household {
  user: string;
  token: string;
  /** Names of the devices: one each for FCM, APNs, the sealed desktop socket, and a plain Open Client. */
  names: string[];
  /**
   * Resolves to what each device showed for the message with this text, by the device's name, once all have.
   *
   * @throws Error that names the devices which are missing, after 20 seconds
   */
  arrival(text: string): Promise<Record<string, StoredMessage>>;
  /** How many messages each device showed so far. */
  counts(): Record<string, number>;
  stop(): Promise<void>;
}

interface Events {
  shown: [];
  error: [Error];
}

/** Milliseconds. */
const PATIENCE = 20_000;

/** Starts the devices of a new account; each is reachable when this resolves. */
export async function openHousehold(peal: TestPeal): Promise<Household> {
  const { api, user, secret, token } = await newAccount(peal);
  const shown = new Map<string, StoredMessage[]>();
  const events = new EventEmitter<Events>();
  const devices = await startDemoDevices({
    api,
    socket: peal.socket,
    carriers: peal.carriers,
    session: { user, secret },
    folder: undefined,
    onMessage(device, message) {
      shown.set(device.name, [...(shown.get(device.name) ?? []), message]);
      events.emit('shown');
    },
    onError: (device, error) => void events.emit('error', new Error(device.name, { cause: error })),
  });
  const names = devices.map(({ name }) => name);

  const found = (text: string): Record<string, StoredMessage> => {
    const hits: Record<string, StoredMessage> = {};
    for (const [name, messages] of shown) {
      const hit = messages.find((one) => one.kind === 'message' && one.message.message === text);
      if (hit) hits[name] = hit;
    }
    return hits;
  };

  return {
    user,
    token,
    names,
    async arrival(text) {
      const signal = AbortSignal.timeout(PATIENCE);
      const complete = () => Object.keys(found(text)).length === names.length;
      try {
        if (!complete()) for await (const _ of on(events, 'shown', { signal })) if (complete()) break;
      } catch (error) {
        const missing = names.filter((name) => !(name in found(text)));
        throw new Error(`"${text}" has not arrived at ${missing.join(', ')}`, { cause: error });
      }
      return found(text);
    },
    counts: () => Object.fromEntries(names.map((name) => [name, shown.get(name)?.length ?? 0])),
    stop: async () => void (await Promise.all(devices.map((device) => device.stop()))),
  };
}
