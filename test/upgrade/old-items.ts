/** Items as an earlier version stored them, put into a new Peal as if they had been there all the time. */
import { readFileSync } from 'node:fs';
import { createInbox, createMemoryStore, type StoredMessage } from '../../lib/device/index.ts';
import type { TestPeal } from '../support/peal.ts';

/** An attribute on DynamoDB's wire. */
type Attribute = Record<string, unknown>;
type WireItem = Record<string, Attribute>;

interface OldDevice {
  user: string;
  device: string;
  secret: string;
  publicKey?: string;
  secretKey?: string;
}

/** What `take.ts` took. */
export interface OldItems {
  /** Unix seconds. */
  takenAt: number;
  account: { email: string; password: string; user: string; secret: string; token: string };
  friend: { email: string; password: string; user: string; secret: string };
  devices: Record<'classic' | 'desk' | 'friends' | 'phone', OldDevice>;
  group: string;
  receipt: string;
  invitation: string;
  Directory: WireItem[];
  Mailbox: WireItem[];
}

/** Reads what a version has stored. */
export function oldItems(version: number): OldItems {
  return JSON.parse(readFileSync(new URL(`items-${version}.json`, import.meta.url), 'utf8'));
}

/** Times at which something ends, which have to lie ahead as they did. */
const ENDS = ['ttl', 'expiresAt'];

/** Puts the items into the tables of a Peal, as late as if they had been stored just now. */
export async function restore({ cloud }: TestPeal, items: OldItems): Promise<void> {
  const late = Math.floor(Date.now() / 1000) - items.takenAt;
  for (const name of ['Directory', 'Mailbox'] as const) {
    for (const item of items[name]) {
      const moved = Object.entries(item).map(([attribute, value]) => [
        attribute,
        ENDS.includes(attribute) ? { N: String(Number(value.N) + late) } : value,
      ]);
      await cloud.front.send('local-root', 'dynamodb', 'PutItem', {
        TableName: cloud.tableName(name),
        Item: Object.fromEntries(moved),
      });
    }
  }
}

/** An item by its key, as it is on the wire. */
export async function wireItem(
  { cloud }: TestPeal,
  table: 'Directory' | 'Mailbox',
  Key: Record<string, Record<string, string>>,
): Promise<WireItem | undefined> {
  const answer = await cloud.front.send('local-root', 'dynamodb', 'GetItem', {
    TableName: cloud.tableName(table),
    Key,
  });
  return answer.Item as WireItem | undefined;
}

/** A device as it was, with its keys and an empty database. */
export async function deviceAgain({ publicKey, secretKey, ...identity }: OldDevice) {
  const store = createMemoryStore();
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
  const keys =
    publicKey !== undefined && secretKey !== undefined
      ? { publicKey: bytes(publicKey), secretKey: bytes(secretKey) }
      : undefined;
  await store.setIdentity({ ...identity, ...(keys && { keys }) });
  const shown: StoredMessage[] = [];
  const inbox = createInbox({ store, onMessage: (message) => void shown.push(message) });
  const texts = () =>
    shown.map((message) => (message.kind === 'message' ? message.message.message : message.reason));
  return { id: identity.device, inbox, texts };
}
