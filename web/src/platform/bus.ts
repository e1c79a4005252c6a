/** What the tabs and the service worker of this browser tell each other. A note is heard by all, the sender included. */
import type { StoreChange } from '../store/device-store.ts';

/** How this browser is connected to Peal, as the tab that holds the socket says. */
export type Connection = 'connecting' | 'connected' | 'replaced' | 'stopped' | 'waiting';

export type Note =
  | ({ kind: 'messages' } & StoreChange)
  | { kind: 'connection'; connection: Connection }
  /** Somebody who has just opened asks for the connection. */
  | { kind: 'ask' }
  /** Logged in or out, here or by Peal. */
  | { kind: 'identity'; ended?: 'signed-out' }
  | { kind: 'acknowledged' }
  /** The account's encryption key was entered or removed. */
  | { kind: 'encryption' }
  | { kind: 'settings' }
  /** Somebody has come back to a tab, or the network has: the tab with the socket looks whether all is well. */
  | { kind: 'wake' }
  /** The tab with the socket is to connect, although the device is connected elsewhere. */
  | { kind: 'reconnect' }
  /** A notification was clicked: show this. */
  | { kind: 'open'; id: number };

const NAME = 'peal';
const out = new BroadcastChannel(NAME);

export function tell(note: Note): void {
  out.postMessage(note);
}

/** @returns ends the listening */
export function hear(listener: (note: Note) => void): () => void {
  // A channel does not hear itself, so listening has one of its own.
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }: MessageEvent<Note>) => listener(data);
  return () => channel.close();
}
