/** The script of the page under test: a device in a browser. It tells the test what happens through `report`. */
import {
  createApi,
  createListener,
  createMemoryStore,
  E2eeError,
  e2eeKey,
  enrol,
  fromBase64,
  type Listener,
  openE2eeText,
  type StoredMessage,
  sealE2eeText,
  toBase64,
} from '../../lib/device/index.ts';

/** What the page is told. */
export interface Address {
  api: string;
  socket: string;
}

/** Who the device is, in a form that can be handed to another tab. */
export interface PortableIdentity {
  user: string;
  secret: string;
  device: string;
  publicKey: string;
  secretKey: string;
}

/** What the page reports. */
export type Report =
  | { kind: 'state'; state: string }
  | { kind: 'message'; message: StoredMessage }
  | { kind: 'end'; end: string }
  | { kind: 'error'; error: string };

declare global {
  interface Window {
    /** Given by the test. */
    report(report: Report): void;
    /** Logs in, makes a key pair, registers a sealed desktop, and listens. */
    join(address: Address, email: string, password: string): Promise<PortableIdentity>;
    /** Listens as a device that is registered already. */
    resume(address: Address, identity: PortableIdentity): Promise<void>;
    /** Stops listening; resolves when nothing is under way any more. */
    leave(): Promise<void>;
    /** Opens a field with an account's key, and seals a text. Of what does not open, the reason. */
    e2ee(key: string, sealed: string, text: string): Promise<{ opened: string; sealed: string }>;
    /** Sends a message. */
    send(address: Address, token: string, user: string, message: string): Promise<string>;
  }
}

let listener: Listener | undefined;

async function listen({ api, socket }: Address, store: ReturnType<typeof createMemoryStore>): Promise<void> {
  listener = createListener({
    api: createApi({ url: api }),
    socket,
    store,
    onMessage: (message) => window.report({ kind: 'message', message }),
    onState: ({ state }) => window.report({ kind: 'state', state }),
    onEnd: (end) => window.report({ kind: 'end', end }),
    onError: (error) => window.report({ kind: 'error', error: String(error) }),
    limits: { backoff: { first: 50, most: 500 } },
  });
  await listener.start();
}

window.join = async (address, email, password) => {
  const api = createApi({ url: address.api });
  const store = createMemoryStore();
  const session = await api.login({ email, password });
  const { user, secret, device, keys } = await enrol(api, store, session, {
    name: 'browser',
    platform: 'desktop',
  });
  if (!keys) throw new Error('a desktop has keys');
  await listen(address, store);
  return {
    user,
    secret,
    device,
    publicKey: toBase64(keys.publicKey),
    secretKey: toBase64(keys.secretKey),
  };
};

window.resume = async (address, { publicKey, secretKey, ...identity }) => {
  const keys = { publicKey: fromBase64(publicKey), secretKey: fromBase64(secretKey) };
  if (!keys.publicKey || !keys.secretKey) throw new Error('the keys are not base64');
  const store = createMemoryStore();
  await store.setIdentity({
    ...identity,
    keys: { publicKey: keys.publicKey, secretKey: keys.secretKey },
  });
  await listen(address, store);
};

window.leave = async () => listener?.stop();

window.e2ee = async (hex, sealed, text) => {
  const key = await e2eeKey(hex);
  const opened = await openE2eeText(sealed, key).catch((error: unknown) => {
    if (error instanceof E2eeError) return error.reason;
    throw error;
  });
  return { opened, sealed: await sealE2eeText(text, key) };
};

window.send = async ({ api }, token, user, message) =>
  (await createApi({ url: api }).sendMessage({ token, user, message })).request;
