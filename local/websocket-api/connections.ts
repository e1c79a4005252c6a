/** The open connections of a WebSocket API, with the limits that API Gateway puts on each. */
import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Meter } from '../types.ts';
import type { ConnectionFacts } from './events.ts';

/** Time, so that a test need not wait ten minutes. */
export interface Timers {
  set(action: () => void, milliseconds: number): unknown;
  clear(timer: unknown): void;
  now(): number;
}

export interface ConnectionLimits {
  /** Milliseconds without a message in either direction; AWS: 10 min. Pings are not counted: do not rely on them. */
  idle: number;
  /** Milliseconds from the handshake; AWS: 2 h. */
  life: number;
}

/** An open connection. */
export interface Connection extends ConnectionFacts {
  readonly socket: WebSocket;
  /** Epoch milliseconds of the last message in either direction. */
  lastActiveAt: number;
  /** Test hook: milliseconds by which a post to this connection is delayed. */
  delay: number;
  /** Test hook: statuses with which the next posts to this connection are answered, one each. */
  failures: (429 | 500)[];
}

export interface Connections {
  add(facts: ConnectionFacts, socket: WebSocket): Connection;
  get(connectionId: string): Connection | undefined;
  list(): Connection[];
  /** Sends text to the client and meters it. Resolves when it is handed to the network; rejects if it is not. */
  send(connection: Connection, text: string): Promise<void>;
  /** Notes a message from the client. */
  received(connection: Connection, size: number): void;
}

/** AWS: messages are metered in parts of 32 KB, connections by the minute. */
const METERED_SIZE = 32 * 1024;
const MINUTE = 60_000;

export const realTimers: Timers = {
  set: (action, milliseconds) => setTimeout(action, milliseconds).unref(),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
  now: Date.now,
};

/** An id of the form that API Gateway gives to connections and requests: base64url and an equals sign. */
export const newId = (): string => `${randomBytes(11).toString('base64url')}=`;

export function createConnections(limits: ConnectionLimits, timers: Timers, meter: Meter): Connections {
  const open = new Map<string, Connection>();
  const idleTimers = new Map<string, unknown>();

  function touch(connection: Connection, size: number): void {
    meter.count('edge', 'websocket.messages', Math.max(1, Math.ceil(size / METERED_SIZE)));
    connection.lastActiveAt = timers.now();
    watchIdle(connection);
  }

  function watchIdle({ connectionId, socket }: Connection): void {
    timers.clear(idleTimers.get(connectionId));
    idleTimers.set(
      connectionId,
      timers.set(() => socket.close(1001, 'Going away'), limits.idle),
    );
  }

  return {
    add(facts, socket) {
      const connection = { ...facts, socket, lastActiveAt: facts.connectedAt, delay: 0, failures: [] };
      open.set(facts.connectionId, connection);
      meter.count('edge', 'websocket.connections', 1);
      watchIdle(connection);
      const life = timers.set(() => socket.close(1001, 'Going away'), limits.life);
      socket.once('close', () => {
        open.delete(facts.connectionId);
        timers.clear(life);
        timers.clear(idleTimers.get(facts.connectionId));
        idleTimers.delete(facts.connectionId);
        const minutes = Math.ceil((timers.now() - facts.connectedAt) / MINUTE);
        meter.count('edge', 'websocket.minutes', Math.max(1, minutes));
      });
      return connection;
    },
    get: (connectionId) => open.get(connectionId),
    list: () => [...open.values()],
    send(connection, text) {
      touch(connection, Buffer.byteLength(text));
      return new Promise((resolve, reject) => {
        connection.socket.send(text, (error) => (error ? reject(error) : resolve()));
      });
    },
    received: touch,
  };
}
