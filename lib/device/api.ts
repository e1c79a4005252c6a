/**
 * Peal's HTTP API, typed: what a device or a command line calls. docs/protocol.md describes it. `account-api.ts` has
 * what manages an account.
 */
import type { PushTarget } from '../carriers/carrier.ts';
import { form, list, missing, text } from './answers.ts';
import { isRecord } from './envelope.ts';
import { PealError } from './errors.ts';
import { call, download, type HttpOptions, upload } from './http.ts';
import { toBase64 } from './keys.ts';
import { idOf } from './message.ts';

export type { PushTarget };

/** A logged-in session. */
export interface Session {
  /** User key, `u…`: what senders send to. */
  user: string;
  /** 60 characters. Keep it as a password. */
  secret: string;
}

/** A device to be registered: with a key, or (classic Open Client) without one, which gets plain messages. */
export type DeviceRegistration =
  | {
      name: string;
      platform: 'android' | 'ios' | 'web' | 'desktop';
      publicKey: Uint8Array;
      push?: PushTarget | undefined;
    }
  | { name: string; platform: 'open' };

/** What may be changed of a device. `push: null` removes the push target. */
export interface DeviceChange {
  name?: string | undefined;
  enabled?: boolean | undefined;
  publicKey?: Uint8Array | undefined;
  push?: PushTarget | null | undefined;
}

/** A device as Peal lists it. */
export interface DeviceInfo {
  id: string;
  name: string;
  platform: string;
  enabled: boolean;
  /** base64, or null if it gets plain messages. */
  public_key: string | null;
  /** Only the type is certain: the rest is for Peal and the carrier. */
  push: { type: string } | null;
  /** Unix seconds. */
  created_at: number;
  /** When it last synced or connected, Unix seconds; to the day. */
  seen_at: number;
  /** When its carrier said that its push target was dead, Unix seconds. */
  push_retired_at: number | null;
}

/** What became of an emergency that this account got. */
export interface ReceiptState {
  /** It is still repeated until somebody acknowledges it. */
  asking: boolean;
  /** Of one that asks no more and was not acknowledged, the time ended, or its sender cancelled it. */
  acknowledged: boolean;
  /** When it was acknowledged. Unix seconds. */
  at: number | undefined;
  /** Name of the device that acknowledged, if it is one of this account. */
  device: string | undefined;
}

/** An application as Peal lists it. The token is shown when it is made, never again. */
export interface AppInfo {
  id: string;
  name: string;
  /** Name of its icon: `/icons/{icon}.png`. */
  icon: string;
  /** Unix seconds. */
  created_at: number;
}

/** Parameters of `messages.json`, as senders know them from Pushover. */
export interface OutgoingMessage {
  /** Application token, `a…`. */
  token: string;
  /** User or group key; up to 50, joined by commas. */
  user: string;
  message: string;
  title?: string | undefined;
  /** Names of devices, joined by commas; absent: all. */
  device?: string | undefined;
  url?: string | undefined;
  url_title?: string | undefined;
  priority?: number | undefined;
  sound?: string | undefined;
  /** Unix seconds. */
  timestamp?: number | undefined;
  /** Seconds. */
  ttl?: number | undefined;
  html?: 1 | undefined;
  monospace?: 1 | undefined;
  /** `message`, `title`, `url` and `url_title` are encrypted: see `sealE2ee`. */
  encrypted?: 1 | undefined;
  retry?: number | undefined;
  expire?: number | undefined;
  callback?: string | undefined;
  tags?: string | undefined;
  /** An image, or the id of an upload. */
  attachment?: Blob | string | undefined;
}

/** An attachment as Peal has it. */
export interface FetchedAttachment {
  /** Absent: there are more than were allowed. */
  bytes?: Uint8Array;
  /** Whether it is to be opened with the key in the message. */
  sealed: boolean;
}

/** One page of what waits for a device. */
export interface SyncPage {
  /** As they came, ascending: `readMessage` reads them. */
  messages: unknown[];
  user: Record<string, unknown>;
  device: Record<string, unknown>;
  /** The page was cut at a size limit: ask again, after the last id. */
  more: boolean;
}

/** Most ids that Peal takes in one acknowledgement. */
const ACKNOWLEDGED_AT_ONCE = 500;

/** Peal's API. Every method rejects with PealError, NetworkError or ProtocolError. */
export interface PealApi {
  /** The same API, logged in. */
  withSecret(secret: string | undefined): PealApi;
  /** `name`: what the session is called in the account's list of them. */
  signUp(account: {
    email: string;
    password: string;
    invitation?: string | undefined;
    name?: string | undefined;
  }): Promise<Session>;
  /**
   * `twofa`: a code of the account's second factor, or a recovery code.
   *
   * @throws CodeNeededError if the account has one, and the code is missing or wrong
   */
  login(account: {
    email: string;
    password: string;
    twofa?: string | undefined;
    name?: string | undefined;
  }): Promise<Session>;
  /** Ends the session; its secret is worth nothing afterwards. */
  logout(): Promise<void>;
  /** @returns the device's id, 40 characters */
  registerDevice(device: DeviceRegistration): Promise<string>;
  updateDevice(id: string, change: DeviceChange): Promise<void>;
  listDevices(): Promise<DeviceInfo[]>;
  deleteDevice(id: string): Promise<void>;
  /** @returns the key to subscribe to Web Push with (base64url); undefined if Peal has none, and so no Web Push */
  pushKey(): Promise<string | undefined>;
  createApp(name: string): Promise<{ id: string; token: string }>;
  listApps(): Promise<AppInfo[]>;
  /** @returns the new token; the old one is worth nothing afterwards */
  rotateApp(id: string): Promise<string>;
  deleteApp(id: string): Promise<void>;
  /** When it resolves, the message is stored for every recipient device. */
  sendMessage(message: OutgoingMessage): Promise<{ request: string; receipt?: string }>;
  /**
   * Uploads an image that is too large to come with its message: above 4.4 MiB, up to 5.
   *
   * @param token the application's
   * @returns what the message names as its `attachment`
   */
  uploadAttachment(token: string, image: Blob): Promise<string>;
  /**
   * Fetches the attachment of a message that waits for this device.
   *
   * @param limit bytes above which it is not read
   * @throws PealError with status 404 or 410 if there is none (any more)
   */
  fetchAttachment(device: string, message: number, limit: number): Promise<FetchedAttachment>;
  /** Says that the device has stored an attachment. */
  reportAttachment(device: string, message: number): Promise<void>;
  /** @param after only messages with a higher id */
  sync(device: string, after?: number): Promise<SyncPage>;
  /**
   * Peal deletes these messages of this device: name what is safely stored. Ids that are gone do no harm; a repeat
   * does nothing more. 500 ids a request.
   */
  acknowledge(device: string, ids: readonly number[]): Promise<void>;
  /** Ends the repetitions of an emergency message for everybody. @param device who did it */
  acknowledgeReceipt(receipt: string, device?: string): Promise<void>;
  /**
   * Whether an emergency message still asks to be acknowledged.
   *
   * @throws PealError naming `receipt` if this account got no such message, or it is long ago
   */
  receiptState(receipt: string): Promise<ReceiptState>;
}

/**
 * Creates a client.
 *
 * @example
 * const api = createApi({ url: 'https://peal.example.org' });
 * const { secret } = await api.login({ email, password });
 * await api.withSecret(secret).listDevices();
 */
export function createApi(options: HttpOptions): PealApi {
  const post = (path: string, body: Record<string, unknown> | FormData = {}) =>
    call(options, { method: 'POST', path, body });
  const get = (path: string, query?: Record<string, string>) =>
    call(options, { method: 'GET', path, ...(query ? { query } : {}) });
  const at = (kind: 'devices' | 'apps' | 'receipts', id: string, rest = '') =>
    `${kind}/${encodeURIComponent(id)}${rest}.json`;

  return {
    withSecret: (secret) => createApi({ ...options, secret }),
    signUp: async (account) => session(await post('users.json', { ...account })),
    login: async (account) => session(await post('users/login.json', { ...account })),
    logout: async () => void (await post('users/logout.json')),
    registerDevice: async (device) => text(await post('devices.json', registration(device)), 'id'),
    updateDevice: async (id, change) => void (await post(at('devices', id), changes(change))),
    listDevices: async () => list<DeviceInfo>(await get('devices.json'), 'devices'),
    deleteDevice: async (id) => void (await post(at('devices', id, '/delete'))),
    pushKey: async () => {
      try {
        return text(await get('push_key.json'), 'public_key');
      } catch (error) {
        if (error instanceof PealError && error.status === 404) return undefined;
        throw error;
      }
    },
    createApp: async (name) => {
      const answer = await post('apps.json', { name });
      return { id: text(answer, 'id'), token: text(answer, 'token') };
    },
    listApps: async () => list<AppInfo>(await get('apps.json'), 'apps'),
    rotateApp: async (id) => text(await post(at('apps', id, '/rotate')), 'token'),
    deleteApp: async (id) => void (await post(at('apps', id, '/delete'))),
    sendMessage: async (message) => {
      // The sender's credential is the application's token: a session's secret has no business in this call.
      const anonymous = { ...options, secret: undefined };
      const body = message.attachment instanceof Blob ? form(message) : { ...message };
      const answer = await call(anonymous, { method: 'POST', path: 'messages.json', body });
      const request = text(answer, 'request');
      return typeof answer.receipt === 'string' ? { request, receipt: answer.receipt } : { request };
    },
    uploadAttachment: async (token, image) => {
      const anonymous = { ...options, secret: undefined };
      const answer = await call(anonymous, { method: 'POST', path: 'attachments.json', body: { token } });
      const form = isRecord(answer.upload) ? answer.upload : {};
      if (!isRecord(form.fields)) throw missing('upload');
      await upload(options, text(form, 'url'), form.fields, image);
      return text(answer, 'id');
    },
    fetchAttachment: async (device, message, limit) => {
      const answer = await get(`messages/${message}/attachment.json`, { device_id: device });
      const bytes = await download(options, text(answer, 'url'), limit);
      return { ...(bytes && { bytes }), sealed: answer.sealed === true };
    },
    reportAttachment: async (device, message) => {
      await post(`messages/${message}/attachment/downloaded.json`, { device_id: device });
    },
    sync: async (device, after) => {
      const answer = await get('messages.json', {
        device_id: device,
        ...(after === undefined ? {} : { after: String(after) }),
      });
      if (!Array.isArray(answer.messages)) throw missing('messages');
      return {
        messages: answer.messages,
        user: isRecord(answer.user) ? answer.user : {},
        device: isRecord(answer.device) ? answer.device : {},
        more: answer.more === true,
      };
    },
    acknowledge: async (device, ids) => {
      const wrong = ids.find((id) => idOf(id) === undefined);
      if (wrong !== undefined) throw new RangeError(`message id: expected 1 … 2^53 − 1, got ${wrong}`);
      for (let start = 0; start < ids.length; start += ACKNOWLEDGED_AT_ONCE) {
        const messages = ids.slice(start, start + ACKNOWLEDGED_AT_ONCE);
        await post(at('devices', device, '/acknowledge'), { messages });
      }
    },
    acknowledgeReceipt: async (receipt, device) =>
      void (await post(at('receipts', receipt, '/acknowledge'), { device_id: device })),
    receiptState: async (receipt) => {
      const answer = await get(at('receipts', receipt, '/state'));
      const { acknowledged_at: time, acknowledged_by_device: device } = answer;
      if (typeof answer.asking !== 'number') throw missing('asking');
      return {
        asking: answer.asking === 1,
        acknowledged: answer.acknowledged === 1,
        at: typeof time === 'number' && time > 0 ? time : undefined,
        device: typeof device === 'string' && device !== '' ? device : undefined,
      };
    },
  };
}

function registration(device: DeviceRegistration): Record<string, unknown> {
  if (device.platform === 'open') return { name: device.name, os: 'O' };
  const { name, platform, publicKey, push } = device;
  return { name, platform, public_key: toBase64(publicKey), push };
}

function changes({ name, enabled, publicKey, push }: DeviceChange): Record<string, unknown> {
  return {
    name,
    enabled: enabled === undefined ? undefined : Number(enabled),
    public_key: publicKey && toBase64(publicKey),
    push,
  };
}

const session = (answer: Record<string, unknown>): Session => ({
  user: text(answer, 'id'),
  secret: text(answer, 'secret'),
});
