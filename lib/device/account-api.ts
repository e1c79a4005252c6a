/**
 * What manages an account: sessions, the password, the second factor, icons and sounds. Apart from `api.ts`, and not in
 * `index.ts`, so that a device that only receives does not load it.
 */
import { form, items, list, missing, text } from './answers.ts';
import { type HistoryApi, historyApi } from './history-api.ts';
import { call, type HttpOptions } from './http.ts';

export type {
  SentDeviceInfo,
  SentInfo,
  SentReceipt,
  SentState,
  UsageInfo,
} from './history-api.ts';

/** A session of the account as Peal lists it. */
export interface SessionInfo {
  id: string;
  /** What it said it was when it logged in. */
  name: string;
  /** Unix seconds. */
  created_at: number;
  /** Unix seconds; to the day. */
  seen_at: number;
  /** Whether it is the session that asks. */
  current: boolean;
}

/** A sound that the account has uploaded. */
export interface SoundInfo {
  /** Names its file: `/sounds/{id}.mp3`. */
  id: string;
  /** What a sender names. */
  name: string;
  description: string;
}

/** A group of users, who are sent to by one key. */
export interface GroupInfo {
  /** Its key, `g…`. */
  group: string;
  name: string;
  /** How many entries it has; after a fault, a few too many. */
  members: number;
}

/** A user in a group: with all devices, or with one. */
export interface GroupMember {
  user: string;
  /** Name of the device; null: all. */
  device: string | null;
  memo: string | null;
  /** Stays in the group, but gets nothing. */
  disabled: boolean;
}

/** Some members of a group. */
export interface MemberPage {
  name: string;
  members: GroupMember[];
  /** Where the next page begins; undefined: there is none. */
  next: string | undefined;
}

/** All entries of a user in a group, or the one for a device. */
export interface MemberRef {
  user: string;
  device?: string | undefined;
}

/** The managing part of Peal's API. Every method rejects with PealError, NetworkError or ProtocolError. */
export interface AccountApi extends HistoryApi {
  /** By name. */
  listGroups(): Promise<GroupInfo[]>;
  /** @returns its key */
  createGroup(name: string): Promise<string>;
  renameGroup(group: string, name: string): Promise<void>;
  /** Nobody can send to it any more. If it fails, repeat it. */
  deleteGroup(group: string): Promise<void>;
  /** @param page.after the `next` of the page before @param page.limit most members of it, up to 1,000 */
  listMembers(
    group: string,
    page?: { after?: string | undefined; limit?: number | undefined },
  ): Promise<MemberPage>;
  addMember(group: string, member: MemberRef & { memo?: string | undefined }): Promise<void>;
  removeMember(group: string, member: MemberRef): Promise<void>;
  setMemberEnabled(group: string, member: MemberRef, enabled: boolean): Promise<void>;
  /** Sends a message of Peal's own to this device alone, the way that every message goes. */
  testDevice(id: string): Promise<void>;
  /** @param image a square PNG of 72 to 256 pixels, at most 64 KiB @returns the icon's name: `/icons/{icon}.png` */
  setIcon(app: string, image: Blob): Promise<string>;
  /** Gives an app the default icon again. */
  deleteIcon(app: string): Promise<void>;
  /** The sounds that the account has uploaded. */
  listSounds(): Promise<SoundInfo[]>;
  /** @param sound.file an MP3 */
  addSound(sound: { name: string; description?: string | undefined; file: Blob }): Promise<void>;
  deleteSound(name: string): Promise<void>;
  /** The latest used first. */
  listSessions(): Promise<SessionInfo[]>;
  revokeSession(id: string): Promise<void>;
  /** Ends all sessions but this one. */
  revokeOtherSessions(): Promise<void>;
  /**
   * Ends all other sessions too.
   *
   * @throws CodeNeededError if the account has a second factor, and the code is missing or wrong
   */
  changePassword(change: {
    password: string;
    newPassword: string;
    twofa?: string | undefined;
  }): Promise<void>;
  twofaState(): Promise<{ enabled: boolean; recoveryCodes: number }>;
  /** @returns the new second factor's secret in base32, and the same as an address for a QR code */
  beginTwofa(password: string): Promise<{ secret: string; otpauth: string }>;
  /** Turns the second factor on with a code of it. @returns recovery codes, which are shown this once */
  confirmTwofa(code: string): Promise<string[]>;
  /** @throws CodeNeededError if the code is missing or wrong */
  disableTwofa(proof: { password: string; twofa?: string | undefined }): Promise<void>;
}

/** Creates a client for the account of a session. */
export function createAccountApi(options: HttpOptions): AccountApi {
  const post = (path: string, body: Record<string, unknown> | FormData = {}) =>
    call(options, { method: 'POST', path, body });
  /** What is absent is not in the query. */
  const get = (path: string, query: Record<string, string | undefined> = {}) => {
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return call(options, {
      method: 'GET',
      path,
      ...(given.length > 0 && { query: Object.fromEntries(given) }),
    });
  };
  const at = (kind: 'apps' | 'devices' | 'groups' | 'sessions' | 'sounds', id: string, rest: string) =>
    `${kind}/${encodeURIComponent(id)}${rest}.json`;

  return {
    ...historyApi(get),
    listGroups: async () => items<GroupInfo>(await get('groups.json'), 'groups', 'group'),
    createGroup: async (name) => text(await post('groups.json', { name }), 'group'),
    renameGroup: async (group, name) => void (await post(at('groups', group, '/rename'), { name })),
    deleteGroup: async (group) => void (await post(at('groups', group, '/delete'))),
    listMembers: async (group, { after, limit } = {}) => {
      const answer = await get(at('groups', group, ''), {
        after,
        limit: limit === undefined ? undefined : String(limit),
      });
      const members = items<GroupMember>(answer, 'users', 'user');
      const next = answer.more === true ? text(answer, 'after') : undefined;
      return { name: text(answer, 'name'), members, next };
    },
    addMember: async (group, member) => void (await post(at('groups', group, '/add_user'), { ...member })),
    removeMember: async (group, member) =>
      void (await post(at('groups', group, '/remove_user'), { ...member })),
    setMemberEnabled: async (group, member, enabled) =>
      void (await post(at('groups', group, enabled ? '/enable_user' : '/disable_user'), { ...member })),
    testDevice: async (id) => void (await post(at('devices', id, '/test'))),
    setIcon: async (app, icon) => text(await post(at('apps', app, '/icon'), form({ icon })), 'icon'),
    deleteIcon: async (app) => void (await post(at('apps', app, '/icon/delete'))),
    listSounds: async () => list<SoundInfo>(await get('account/sounds.json'), 'sounds'),
    addSound: async ({ name, description, file }) =>
      void (await post('sounds.json', form({ name, description, sound: file }))),
    deleteSound: async (name) => void (await post(at('sounds', name, '/delete'))),
    listSessions: async () => list<SessionInfo>(await get('sessions.json'), 'sessions'),
    revokeSession: async (id) => void (await post(at('sessions', id, '/revoke'))),
    revokeOtherSessions: async () => void (await post('sessions/revoke_others.json')),
    changePassword: async ({ password, newPassword, twofa }) =>
      void (await post('users/password.json', { password, new_password: newPassword, twofa })),
    twofaState: async () => {
      const { enabled, recovery_codes: left } = await get('users/twofa.json');
      if (typeof enabled !== 'boolean') throw missing('enabled');
      return { enabled, recoveryCodes: Number(left) };
    },
    beginTwofa: async (password) => {
      const answer = await post('users/twofa.json', { password });
      return { secret: text(answer, 'secret'), otpauth: text(answer, 'otpauth') };
    },
    confirmTwofa: async (twofa) => {
      const { recovery_codes: codes } = await post('users/twofa/confirm.json', { twofa });
      if (!Array.isArray(codes)) throw missing('recovery_codes');
      return codes.map(String);
    },
    disableTwofa: async (proof) => void (await post('users/twofa/disable.json', { ...proof })),
  };
}
