import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { afterEach, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import {
  createHttp2Client,
  type Http2Client,
  type Http2Options,
} from '../../../lib/carriers/http2/client.ts';
import { RequestError, type RequestErrorCode } from '../../../lib/carriers/http2/errors.ts';
import { MAX_ANSWER_BYTES } from '../../../lib/carriers/http2/exchange.ts';
import { createAuthority } from '../../../local/network/ca.ts';

type Handler = (stream: ServerHttp2Stream, path: string) => void;

interface Peer {
  origin: string;
  server: Http2SecureServer;
  sessions: ServerHttp2Session[];
  /** Path and number of the session of each request, in order. */
  asked: { path: string; session: number }[];
}

const LIMIT = 1000;
const run = promisify(execFile);
const certificate = await createAuthority();
const { key, cert } = await certificate.issue(['localhost']);
const cleanups: (() => Promise<unknown>)[] = [];

before(() => tls.setDefaultCACertificates([certificate.pem]));
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const ok: Handler = (stream) => {
  stream.respond({ ':status': 200 });
  stream.end('ok');
};

async function peer(handler: Handler, maxConcurrentStreams = 100): Promise<Peer> {
  const server = createSecureServer({ key, cert, settings: { maxConcurrentStreams } });
  const sessions: ServerHttp2Session[] = [];
  const asked: Peer['asked'] = [];
  server.on('session', (session) => sessions.push(session));
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    const path = String(headers[':path']);
    asked.push({ path, session: sessions.indexOf(stream.session as ServerHttp2Session) });
    stream.resume();
    handler(stream, path);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const session of sessions) session.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `https://localhost:${port}`, server, sessions, asked };
}

function client(options: Http2Options = {}): Http2Client {
  const made = createHttp2Client({ timeout: LIMIT, ...options });
  cleanups.push(() => made.close());
  return made;
}

function ask(from: Http2Client, origin: string, path = '/'): Promise<{ status: number; body: string }> {
  return from.request({ origin, path, headers: {}, body: 'body' });
}

async function failure(promise: Promise<unknown>): Promise<RequestErrorCode> {
  const error = await promise.then(
    () => assert.fail('was answered'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RequestError, String(error));
  return error.code;
}

describe('HTTP/2 client', () => {
  it('sends a POST with headers and body and gives the whole answer', async () => {
    const { origin } = await peer((stream, path) => {
      stream.respond({ ':status': 418, 'x-path': path });
      stream.write('a');
      stream.end('b');
    });

    const answer = await client().request({ origin, path: '/p', headers: { a: 'b' }, body: 'x' });

    assert.equal(answer.status, 418);
    assert.equal(answer.headers['x-path'], '/p');
    assert.equal(answer.body, 'ab');
  });

  it('keeps one session for many requests', async () => {
    const { origin, sessions } = await peer(ok);
    const http = client();

    await Promise.all(Array.from({ length: 50 }, () => ask(http, origin)));
    await ask(http, origin);

    assert.equal(sessions.length, 1);
  });

  it("opens further sessions when the peer's stream limit is reached, and never exceeds it", async () => {
    let open = 0;
    let most = 0;
    const waiting: ServerHttp2Stream[] = [];
    const { origin, asked } = await peer((stream) => {
      open++;
      most = Math.max(most, asked.filter(({ session }) => session === 0).length);
      waiting.push(stream);
      if (open === 6) for (const each of waiting) ok(each, '');
    }, 2);
    const http = client({ timeout: 5000 });

    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(http, origin)));

    assert.equal(answers.length, 6);
    assert.equal(new Set(asked.map(({ session }) => session)).size, 3);
    assert.equal(most, 2);
  });

  it('waits for a free stream when it may open no more sessions', async () => {
    const { origin, sessions } = await peer((stream) => setImmediate(ok, stream, ''), 1);
    const http = client({ maxSessions: 2, timeout: 2000 });

    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(http, origin)));

    assert.ok(answers.every(({ status }) => status === 200));
    assert.ok(sessions.length <= 2);
  });

  it('gives up in silence after the time limit, and uses another session then', {
    timeout: LIMIT * 5,
  }, async () => {
    const { origin, asked } = await peer((stream, path) => path === '/silent' || ok(stream, path));
    const http = client();

    const silent = ask(http, origin, '/silent');
    await assert.rejects(silent, { code: 'timeout', message: `no answer within ${LIMIT} ms` });
    const answer = await ask(http, origin, '/next');

    assert.equal(answer.status, 200);
    assert.deepEqual(
      asked.map(({ session }) => session),
      [0, 1],
    );
  });

  it('lets the other streams of a session finish when one of them fails', async () => {
    let slow: ServerHttp2Stream | undefined;
    const { origin } = await peer((stream, path) => {
      if (path === '/slow') slow = stream;
      else stream.close(2);
    });
    const http = client();
    const waiting = ask(http, origin, '/slow');

    const code = await failure(ask(http, origin, '/reset'));
    ok(slow!, '');
    const answer = await waiting;

    assert.equal(code, 'reset');
    assert.equal(answer.body, 'ok');
  });

  it('gives up on a body that never ends', async () => {
    const { origin } = await peer((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
    });

    assert.equal(await failure(ask(client(), origin)), 'timeout');
  });

  it('settles when the peer closes the connection without an answer', async () => {
    const { origin } = await peer((stream) => stream.session!.socket.destroySoon());

    assert.match(await failure(ask(client({ timeout: 5000 }), origin)), /closed|reset/);
  });

  it('settles when the peer closes the connection in the middle of a body', async () => {
    const { origin } = await peer((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half', () => setImmediate(() => stream.session?.socket.destroySoon()));
    });

    assert.match(await failure(ask(client({ timeout: 5000 }), origin)), /closed|reset/);
  });

  it('settles when the peer announces GOAWAY and closes', async () => {
    const { origin } = await peer((stream) => {
      stream.session!.goaway(0, 0);
      stream.session!.destroy();
    });

    assert.match(await failure(ask(client({ timeout: 5000 }), origin)), /closed|reset/);
  });

  it('takes the answer that comes after a GOAWAY, and another session for the next request', async () => {
    const { origin, asked } = await peer((stream, path) => {
      if (path === '/first') stream.session!.goaway(0, stream.id!);
      setImmediate(ok, stream, path);
    });
    const http = client();

    const first = await ask(http, origin, '/first');
    const second = await ask(http, origin, '/second');

    assert.deepEqual([first.status, second.status], [200, 200]);
    assert.deepEqual(
      asked.map(({ session }) => session),
      [0, 1],
    );
  });

  it('opens a new session while streams are still open on one that got GOAWAY', async () => {
    const held: ServerHttp2Stream[] = [];
    const { origin, asked } = await peer((stream, path) => {
      if (path === '/held') held.push(stream);
      else ok(stream, path);
    });
    const http = client({ timeout: 5000 });
    const first = ask(http, origin, '/held');
    await ask(http, origin, '/warm');
    held[0]!.session!.goaway(0, 2 ** 20 + 1);
    // The PING's answer proves that the client has read the GOAWAY, once that has gone out (PINGs overtake).
    await new Promise(setImmediate);
    await new Promise((resolve) => held[0]!.session!.ping(resolve));

    const next = await ask(http, origin, '/next');
    ok(held[0]!, '');

    assert.equal(next.status, 200);
    assert.equal((await first).status, 200);
    assert.equal(asked.at(-1)?.session, 1);
  });

  it('refuses to read an answer without end', async () => {
    const { origin } = await peer((stream) => {
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(MAX_ANSWER_BYTES + 1));
    });

    assert.equal(await failure(ask(client({ timeout: 5000 }), origin)), 'too-large');
  });

  it('reads an answer of the largest size', async () => {
    const { origin } = await peer((stream) => {
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(MAX_ANSWER_BYTES, 'a'));
    });

    assert.equal((await ask(client({ timeout: 5000 }), origin)).body.length, MAX_ANSWER_BYTES);
  });

  it('says that nobody listens', async () => {
    const { origin, server } = await peer(ok);
    await new Promise((resolve) => server.close(resolve));

    assert.equal(await failure(ask(client({ timeout: 5000 }), origin)), 'connect');
  });

  it('refuses a certificate of somebody else', async () => {
    const { origin } = await peer(ok);

    const code = await failure(ask(client({ timeout: 5000 }), origin.replace('localhost', '127.0.0.1')));

    assert.equal(code, 'connect');
  });

  it('gives up on a peer that accepts connections and says nothing, and can connect later', async () => {
    const sockets: net.Socket[] = [];
    const mute = net.createServer((socket) => sockets.push(socket));
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const http = client({ timeout: LIMIT });
    const origin = `https://localhost:${port}`;

    const code = await failure(ask(http, origin));
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => mute.close(resolve));
    const { server } = await peer(ok);
    server.close();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const answer = await ask(http, origin);

    assert.equal(code, 'timeout');
    assert.equal(answer.status, 200);
  });

  it('checks a session by PING after a pause, and keeps it if it lives', async () => {
    let now = 1_000_000;
    const { origin, sessions } = await peer(ok);
    const http = client({ now: () => now });
    await ask(http, origin);
    let pings = 0;
    sessions[0]!.on('ping', () => pings++);

    now += 61_000;
    await Promise.all([ask(http, origin), ask(http, origin)]);
    await ask(http, origin);

    assert.equal(pings, 1);
    assert.equal(sessions.length, 1);
  });

  it('replaces a session that does not answer the PING after a pause', async () => {
    let now = 1_000_000;
    const { server, sessions } = await peer(ok);
    const sockets: net.Socket[] = [];
    const relay = net.createServer((socket) => {
      sockets.push(socket);
      const onward = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      for (const end of [socket, onward]) end.on('error', () => {});
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => relay.close(resolve));
    });
    const through = `https://localhost:${(relay.address() as AddressInfo).port}`;
    const http = client({ now: () => now, timeout: 1000 });
    await ask(http, through);
    // As after a freeze: the connection looks open on our side, and what we send leads nowhere.
    sockets[0]!.unpipe();

    now += 61_000;
    const answer = await ask(http, through);

    assert.equal(answer.status, 200);
    assert.equal(sessions.length, 2);
  });

  it('sends one request first to a peer that has to know us, and the others after its answer', async () => {
    let first: ServerHttp2Stream | undefined;
    const { origin, asked } = await peer((stream, path) => {
      if (first) ok(stream, path);
      else first = stream;
    });
    const http = client({ proves: ({ status }) => status !== 403, timeout: 4000 });

    const answers = Promise.all(Array.from({ length: 20 }, (_, i) => ask(http, origin, `/${i}`)));
    while (!first) await new Promise(setImmediate);
    const before = asked.length;
    ok(first, '');
    await answers;

    assert.equal(before, 1);
    assert.equal(asked.length, 20);
    assert.equal(new Set(asked.map(({ session }) => session)).size, 1);
  });

  it('lets the next one try when the first was not known', async () => {
    let open = 0;
    let most = 0;
    const { origin } = await peer((stream) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        stream.respond({ ':status': 403 });
        stream.end();
      });
    });
    const http = client({ proves: ({ status }) => status !== 403, timeout: 4000 });

    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(http, origin)));

    assert.deepEqual(
      answers.map(({ status }) => status),
      [403, 403, 403, 403, 403],
    );
    assert.equal(most, 1);
  });

  it('does not hold everybody up behind a first request that meets silence', async () => {
    const { origin } = await peer((stream, path) => path === '/0' || ok(stream, path));
    const http = client({ proves: () => true });

    const results = await Promise.allSettled(Array.from({ length: 5 }, (_, i) => ask(http, origin, `/${i}`)));

    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled'],
    );
  });

  it('does not keep a process alive', async () => {
    const { origin } = await peer(ok);
    const program = `
      import tls from 'node:tls';
      import { createHttp2Client } from ${JSON.stringify(new URL('../../../lib/carriers/http2/client.ts', import.meta.url))};
      tls.setDefaultCACertificates([${JSON.stringify(certificate.pem)}]);
      const http = createHttp2Client();
      const { body } = await http.request({ origin: ${JSON.stringify(origin)}, path: '/', headers: {}, body: '' });
      console.log(body);`;

    // Runs until the child has ended by itself; the limit only keeps a failure short.
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 10_000,
    });

    assert.equal(stdout, 'ok\n');
  });

  it('fails what is in flight when it is closed', async () => {
    const { origin, asked } = await peer(() => {});
    const http = client({ timeout: 5000 });
    const waiting = failure(ask(http, origin));
    while (asked.length === 0) await new Promise(setImmediate);

    await http.close();

    assert.match(await waiting, /closed|reset/);
  });
});
