/** A small Peal for the device tests: a mailbox for one device over real HTTP, and its WebSocket. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** A request as it came. */
export interface Seen {
  method: string;
  path: string;
  query: Record<string, string>;
  authorization: string | undefined;
  body: Record<string, unknown>;
}

/** What to answer in the place of the usual answer. */
export type Answer = { status: number; body: unknown; headers?: Record<string, string> } | 'hang' | 'drop';

/** A running fake. */
export interface FakePeal {
  url: string;
  socketUrl: string;
  /** What waits for the device, by id. */
  mailbox: Map<number, Record<string, unknown>>;
  seen: Seen[];
  /** Decides about a request before the fake does. */
  intercept: ((request: Seen) => Answer | undefined | Promise<Answer | undefined>) | undefined;
  /** Messages on a page of a sync answer. */
  pageSize: number;
  /** Connections that are logged in. */
  sockets: WebSocket[];
  /** What the answer to a login is; default by the mailbox. */
  greeting: string | undefined;
  /** Resolves with the next login frame. */
  nextLogin(): Promise<string>;
  close(): Promise<void>;
}

/** Starts a fake on a free port of the loopback. */
export async function startFakePeal(): Promise<FakePeal> {
  const server = createServer();
  const webSockets = new WebSocketServer({ server, path: '/push' });
  let waitingForLogin: ((frame: string) => void)[] = [];
  const fake: FakePeal = {
    url: '',
    socketUrl: '',
    mailbox: new Map(),
    seen: [],
    intercept: undefined,
    pageSize: 100,
    sockets: [],
    greeting: undefined,
    nextLogin: () => new Promise((resolve) => waitingForLogin.push(resolve)),
    close: async () => {
      for (const client of webSockets.clients) client.terminate();
      webSockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function usual({ method, path, query, body }: Seen): Answer {
    const ok = (fields: object = {}) => ({ status: 200, body: { status: 1, request: 'r-1', ...fields } });
    if (method === 'GET' && path === '/1/messages.json') {
      const after = Number(query.after ?? 0);
      const ids = [...fake.mailbox.keys()].filter((id) => id > after).sort((a, b) => a - b);
      const page = ids.slice(0, fake.pageSize);
      const messages = page.map((id) => fake.mailbox.get(id));
      return ok({ messages, user: {}, device: {}, ...(ids.length > page.length ? { more: true } : {}) });
    }
    if (method === 'POST' && /^\/1\/devices\/.*\/acknowledge\.json$/.test(path)) {
      for (const id of body.messages as number[]) fake.mailbox.delete(id);
      return ok();
    }
    const lists = { devices: [], apps: [], sessions: [], sounds: [], messages: [], message: {}, days: [] };
    return ok({ id: 'id-1', secret: 'secret-1', token: 'token-1', ...lists });
  }

  server.on('request', async (request, response) => {
    const seen = await read(request);
    fake.seen.push(seen);
    const answer = (await fake.intercept?.(seen)) ?? usual(seen);
    if (answer === 'hang') return;
    if (answer === 'drop') return void response.destroy();
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(text);
  });

  webSockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const frame = data.toString();
      if (frame === '#') return socket.send('#');
      fake.sockets.push(socket);
      socket.send(fake.greeting ?? (fake.mailbox.size > 0 ? '!' : '#'));
      for (const resolve of waitingForLogin) resolve(frame);
      waitingForLogin = [];
    });
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  fake.url = `http://127.0.0.1:${port}`;
  fake.socketUrl = `ws://127.0.0.1:${port}/push`;
  return fake;
}

async function read(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
  const headers = new Headers({ 'content-type': request.headers['content-type'] ?? '' });
  const body = new Response(Buffer.concat(chunks), { headers });
  const isForm = request.headers['content-type']?.startsWith('multipart/');
  const fields = isForm ? Object.fromEntries(await body.formData()) : JSON.parse((await body.text()) || '{}');
  return {
    method: request.method ?? '',
    path: pathname,
    query: Object.fromEntries(searchParams),
    authorization: request.headers.authorization,
    body: fields as Record<string, unknown>,
  };
}
