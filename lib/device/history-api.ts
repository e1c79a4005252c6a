/** What an account asks of its own sends: the part of `account-api.ts` that the history and its chart need. */
import { list, missing } from './answers.ts';
import { isRecord } from './envelope.ts';

/** What became of a message on a device. */
export type SentState = 'acknowledged' | 'delivered' | 'expired' | 'waiting';

/** Whether an emergency was acknowledged. Times in Unix seconds; 0 and empty where there is nothing to say. */
export interface SentReceipt {
  acknowledged: 0 | 1;
  acknowledged_at: number;
  /** User key; empty also of a member of another account's group. */
  acknowledged_by: string;
  /** Name of the device; empty where it is not known, or not told. */
  acknowledged_by_device: string;
  expired: 0 | 1;
  expires_at: number;
}

/** A message that an app of the account has sent. Times in Unix seconds. */
export interface SentInfo {
  id: string;
  /** By the name that it had. */
  app: { id: string; name: string };
  priority: number;
  received_at: number;
  expires_at: number;
  users: number;
  /** Absent where there were very many. */
  devices?: number;
  /** Its devices by their state, where they are few. */
  counts?: Record<SentState, number>;
  /** Of an emergency, for a week. */
  receipt?: SentReceipt;
}

/** A device that a message was sent to. Of members of another account's group there is only the state. */
export interface SentDeviceInfo {
  state: SentState;
  user?: string;
  /** Its name; null: it was removed. */
  device?: string | null;
  /** Which carriers took it, and when, Unix seconds. */
  delivered?: { carrier: string; at: number }[];
  /** When it said that it has stored it, Unix seconds. */
  acknowledged_at?: number;
}

/** How many users the account's messages have reached. */
export interface UsageInfo {
  /** The last thirty days in UTC, `2026-11-28`, today at the end. */
  days: { date: string; users: number }[];
  /** This month. */
  used: number;
  /** When the month ends, Unix seconds. */
  reset: number;
  /** Of the month; absent: there is no quota. */
  limit?: number;
  remaining?: number;
}

/** A page of a list, and where the next one begins. */
export interface Paged {
  after?: string;
}

/** The calls. */
export interface HistoryApi {
  /** What the account's apps have sent, the newest first; of one app, a page may be short or empty and go on. */
  listSent(page?: {
    after?: string | undefined;
    app?: string | undefined;
  }): Promise<Paged & { messages: SentInfo[] }>;
  /** What became of a message on each device, or on some, and going on. */
  viewSent(id: string, after?: string): Promise<Paged & { message: SentInfo; devices: SentDeviceInfo[] }>;
  usage(): Promise<UsageInfo>;
}

type Get = (path: string, query?: Record<string, string | undefined>) => Promise<Record<string, unknown>>;

/** The calls, made by what makes calls. */
export function historyApi(get: Get): HistoryApi {
  return {
    listSent: async ({ after, app } = {}) => {
      const answer = await get('history.json', { after, app });
      return { messages: list<SentInfo>(answer, 'messages'), ...paged(answer) };
    },
    viewSent: async (id, after) => {
      const answer = await get(`history/${encodeURIComponent(id)}.json`, { after });
      const { message, devices } = answer;
      if (!isRecord(message)) throw missing('message');
      if (!Array.isArray(devices) || !devices.every(isRecord)) throw missing('devices');
      return {
        message: message as unknown as SentInfo,
        devices: devices as unknown as SentDeviceInfo[],
        ...paged(answer),
      };
    },
    usage: async () => {
      const answer = await get('usage.json');
      const { days } = answer;
      if (!Array.isArray(days) || !days.every(isRecord)) throw missing('days');
      return answer as unknown as UsageInfo;
    },
  };
}

const paged = ({ after }: Record<string, unknown>): Paged => (typeof after === 'string' ? { after } : {});
