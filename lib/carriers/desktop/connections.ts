import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { connectionKey } from '../../accounts/directory.ts';
import { batchGet } from '../../storage/batches.ts';
import { kind, newest, unchanged, versioned } from '../../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../../storage/table.ts';

const CONNECTION = kind('connection', unchanged);

/** A managed WebSocket lives two hours at most (API Gateway); the item may be purged soon after. Seconds. */
const LIFE = 2 * 3600 + 60;

/** A device at its connection. */
export interface OpenConnection {
  device: string;
  connection: string;
}

/**
 * Which connection a device is at: one item a device, so that a newer login replaces an older one. `$disconnect` is
 * best effort, so nothing relies on it: a connection is forgotten when a post to it answers 410, when the device
 * logs in elsewhere, or by its age.
 */
export class Connections {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Says that a device is at a connection now.
   *
   * @param session hash of the session that it logged in with, by which the connection is found when that is ended
   * @returns the connection that it was at before, if another
   */
  async open(device: string, connection: string, session: string): Promise<string | undefined> {
    const ttl = seconds(this.#clock) + LIFE;
    const before = await this.#table.client.send(
      new PutCommand({
        TableName: this.#table.name,
        Item: versioned(CONNECTION, { ...connectionKey(device), connection, session, ttl }),
        ReturnValues: 'ALL_OLD',
      }),
    );
    const old = before.Attributes as { connection: string; ttl: number } | undefined;
    return old && old.connection !== connection && old.ttl > seconds(this.#clock)
      ? old.connection
      : undefined;
  }

  /** The connection of a device. Strongly consistent: dispatch reads it after the message was stored. */
  async find(device: string): Promise<string | undefined> {
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: connectionKey(device), ConsistentRead: true }),
    );
    const item = found.Item && (newest(CONNECTION, found.Item) as { connection: string; ttl: number });
    return item && item.ttl > seconds(this.#clock) ? item.connection : undefined;
  }

  /** The connections of devices that were made with certain sessions. Strongly consistent. */
  async ofSessions(devices: string[], isWanted: (session: string) => boolean): Promise<OpenConnection[]> {
    const [items] = await batchGet([
      { table: this.#table, keys: devices.map(connectionKey), consistent: true },
    ]);
    return (items as { pk: string; connection: string; session?: string }[])
      .filter(({ session }) => session !== undefined && isWanted(session))
      .map(({ pk, connection }) => ({ device: pk.slice('device#'.length), connection }));
  }

  /** Forgets a connection that is gone, unless the device is at another by now. */
  async forget(device: string, connection: string): Promise<void> {
    try {
      await this.#table.client.send(
        new DeleteCommand({
          TableName: this.#table.name,
          Key: connectionKey(device),
          ConditionExpression: '#connection = :connection',
          ExpressionAttributeNames: { '#connection': 'connection' },
          ExpressionAttributeValues: { ':connection': connection },
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
  }
}
