/** A small Peal server in memory, as far as the command line needs one. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { type Params, readParams } from '../../lib/http/body.ts';
import { createSealer } from '../../lib/sealing/seal.ts';

/** What an endpoint answers: a status with a body, or a body with 200. */
type Answer = { status: number; body: Record<string, unknown> } | Record<string, unknown>;

interface FakeDevice {
  id: string;
  name: string;
  platform: string;
  enabled: boolean;
  public_key: string | null;
  push: null;
  created_at: number;
}

export const USER = `u${'1'.repeat(29)}`;
export const TOKEN = `a${'2'.repeat(29)}`;
export const EMAIL = 'me@example.com';
export const PASSWORD = 'correct horse';

export class FakeServer {
  readonly devices: FakeDevice[] = [];
  readonly apps: { id: string; name: string; created_at: number }[] = [];
  /** Parameters of each message that was sent. */
  readonly sent: Record<string, string>[] = [];
  /** Method and path of each request. */
  readonly requests: string[] = [];
  /** Sealed messages that are not acknowledged. */
  readonly mailbox: { id: number; sealed: string }[] = [];
  readonly secrets = new Set<string>();
  /** Statuses to answer the next messages with, before they are accepted. */
  failures: number[] = [];
  /** What the server asks of a login over the socket: `#`, `!`, or `E`. */
  loginFrame = '#';
  /** Kept after the end, so that commands can be sent to where no server is. */
  #port = 0;
  #secretCount = 0;
  readonly #sealer = createSealer();
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor() {
    this.#http = createServer((request, response) => {
      this.#handle(request).then(
        ({ status, body }) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
    this.#http.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data) => client.send(String(data) === '#' ? '#' : this.loginFrame));
      });
    });
  }

  static async start(): Promise<FakeServer> {
    const server = new FakeServer();
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve));
    const address = server.#http.address() as AddressInfo;
    server.#port = address.port;
    return server;
  }

  async stop(): Promise<void> {
    this.disconnect();
    if (!this.#http.listening) return;
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get socket(): string {
    return `ws://127.0.0.1:${this.#port}/push`;
  }

  /** Puts a message into the mailbox, sealed for the last device, without telling it. */
  store(id: number, message: string, fields: Record<string, unknown> = {}): void {
    const envelope = {
      v: 1,
      id,
      umid: id,
      app: 'Backup',
      aid: 7,
      icon: 'default',
      date: 1_800_000_000,
      message,
      priority: 0,
    };
    const key = Buffer.from(this.devices.at(-1)?.public_key ?? '', 'base64');
    const [sealed] = this.#sealer.sealForAll(Buffer.from(JSON.stringify({ ...envelope, ...fields })), [key]);
    this.mailbox.push({ id, sealed: Buffer.from(sealed!).toString('base64') });
  }

  /** Sends a frame to every connected device. */
  signal(frame: string): void {
    for (const client of this.#sockets.clients) client.send(frame);
  }

  disconnect(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  newSecret(): string {
    this.#secretCount += 1;
    const secret = `secret${this.#secretCount}`.padEnd(60, 'x');
    this.secrets.add(secret);
    return secret;
  }

  async #handle(request: IncomingMessage): Promise<{ status: number; body: Record<string, unknown> }> {
    const url = new URL(request.url ?? '/', this.url);
    const path = url.pathname.replace('/1/', '').replace('.json', '');
    this.requests.push(`${request.method} ${path}`);
    const headers = { 'content-type': request.headers['content-type'] };
    const params = readParams({ query: url.search.slice(1), headers, body: await buffer(request) });
    const secret = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const answer = this.#answer(`${request.method} ${path}`, params, secret);
    if ('status' in answer && typeof answer.status === 'number' && 'body' in answer) {
      return { status: answer.status, body: Object(answer.body) };
    }
    return { status: 200, body: { status: 1, request: 'r-1', ...answer } };
  }

  #answer(route: string, params: Params, secret: string): Answer {
    if (route === 'POST messages') return this.#receive(params);
    if (route === 'POST users') return { id: USER, secret: this.newSecret() };
    if (route === 'POST users/login') {
      if (params.get('password') !== PASSWORD) return refuse('password', 'is wrong');
      return { id: USER, secret: this.newSecret() };
    }
    if (!this.secrets.has(secret)) return refuse('secret', 'is invalid');
    return this.#answerLoggedIn(route, params, secret);
  }

  #answerLoggedIn(route: string, params: Params, secret: string): Answer {
    const [method, kind, id, action] = route.split(/[ /]/);
    if (route === 'POST users/logout') return { done: this.secrets.delete(secret) };
    if (route === 'GET messages') return { messages: [...this.mailbox], user: {}, device: {} };
    if (route === 'GET devices') return { devices: this.devices };
    if (route === 'POST devices') return this.#register(params);
    if (method === 'POST' && kind === 'devices' && action === 'acknowledge') {
      const ids = (params.get('messages') ?? '').split(',').map(Number);
      const left = this.mailbox.filter((message) => !ids.includes(message.id));
      this.mailbox.splice(0, this.mailbox.length, ...left);
      return {};
    }
    if (route === 'GET apps') return { apps: this.apps };
    if (route === 'POST apps') {
      this.apps.push({
        id: `app${this.apps.length + 1}`,
        name: params.get('name') ?? '',
        created_at: 1_800_000_000,
      });
      return { id: `app${this.apps.length}`, token: TOKEN };
    }
    if (method === 'POST' && kind === 'apps' && action === 'rotate') return { token: TOKEN };
    const list: { id: string }[] = kind === 'apps' ? this.apps : this.devices;
    const index = list.findIndex((item) => item.id === id);
    if (index === -1) return refuse('id', 'is unknown');
    if (action === 'delete') list.splice(index, 1);
    else if (kind === 'devices') {
      Object.assign(
        list[index]!,
        params.has('name') ? { name: params.get('name') } : { enabled: params.flag('enabled') },
      );
    }
    return {};
  }

  #register(params: Params): Answer {
    const id = `d${this.devices.length + 1}`.padEnd(40, 'D');
    this.devices.push({
      id,
      name: params.get('name') ?? '',
      platform: params.get('platform') ?? 'open',
      enabled: true,
      public_key: params.get('public_key') ?? null,
      push: null,
      created_at: 1_800_000_000,
    });
    return { id };
  }

  #receive(params: Params): Answer {
    const failure = this.failures.shift();
    if (failure !== undefined) return { status: failure, body: { message: 'in trouble' } };
    if (params.get('token') !== TOKEN) {
      return refuse('token', 'invalid', 'application token is invalid, see https://pushover.net/api');
    }
    this.sent.push({ ...params.texts() });
    return {};
  }
}

function refuse(field: string, reason: string, sentence = `${field} ${reason}`): Answer {
  return { status: 400, body: { [field]: reason, errors: [sentence], status: 0, request: 'r-0' } };
}
