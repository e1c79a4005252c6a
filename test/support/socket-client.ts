import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A socket, and what it received so far. */
export class SocketClient {
  readonly socket: WebSocket;
  readonly frames: string[] = [];

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('message', (data) => this.frames.push(String(data)));
  }

  /** Sends a frame when the socket is open. */
  async say(frame: Buffer | string): Promise<void> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    this.socket.send(frame);
  }

  /** The frames, as soon as there are so many. */
  async heard(count: number): Promise<string[]> {
    while (this.frames.length < count) await once(this.socket, 'message');
    return this.frames;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
