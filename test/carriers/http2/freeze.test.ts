import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as passes } from 'node:timers/promises';
import { createAuthority } from '../../../local/network/ca.ts';

/** As for a Lambda environment that is frozen between two invocations, in less time. Milliseconds. */
const IDLE_LIMIT = 200;
const FROZEN = 400;

const authority = await createAuthority();
let folder: string;
let server: Http2SecureServer;
let relay: net.Server;
let child: ChildProcess;
let sessions: ServerHttp2Session[] = [];
let sockets: net.Socket[] = [];

before(() => {
  folder = mkdtempSync(join(os.tmpdir(), 'peal-freeze-'));
  const client = new URL('../../../lib/carriers/http2/client.ts', import.meta.url);
  writeFileSync(
    join(folder, 'sender.mjs'),
    `import tls from 'node:tls';
    import { createHttp2Client } from ${JSON.stringify(client)};
    tls.setDefaultCACertificates([${JSON.stringify(authority.pem)}]);
    const http = createHttp2Client({ timeout: 5000, idleLimit: ${IDLE_LIMIT} });
    const send = () => http.request({ origin: process.argv[2], path: '/', headers: {}, body: 'body' });
    process.on('message', async () => {
      const results = await Promise.allSettled([send(), send(), send()]);
      process.send(results.map(({ value, reason }) => value?.status ?? reason.message));
    });`,
  );
});
after(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  child.kill('SIGKILL');
  for (const socket of sockets) socket.destroy();
  for (const session of sessions) session.destroy();
  await Promise.all([server, relay].map((each) => new Promise((resolve) => each.close(resolve))));
});

/** A peer behind a relay that can fall silent, and a sender that has sent to it. */
async function start(): Promise<void> {
  sessions = [];
  sockets = [];
  server = createSecureServer(await authority.issue(['localhost']));
  server.on('session', (session) => sessions.push(session));
  server.on('sessionError', () => {});
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.resume();
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  relay = net.createServer((socket) => {
    const onward = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket, onward);
    socket.pipe(onward).pipe(socket);
    for (const end of [socket, onward]) end.on('error', () => {});
  });
  for (const each of [server, relay])
    await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
  const origin = `https://localhost:${(relay.address() as AddressInfo).port}`;
  child = fork(join(folder, 'sender.mjs'), [origin]);
  assert.deepEqual(await send(), [200, 200, 200]);
}

async function send(): Promise<unknown> {
  const answered = once(child, 'message');
  child.send('send');
  return (await answered)[0];
}

const deaths: Record<string, () => void> = {
  'was closed': () => sessions[0]!.destroy(),
  'got GOAWAY': () => sessions[0]!.goaway(),
  'got GOAWAY and was closed': () => sessions[0]!.close(),
  'leads nowhere any more': () => {
    for (const socket of sockets) socket.unpipe();
  },
};

describe('HTTP/2 client in a process that was frozen', () => {
  for (const [what, happens] of Object.entries(deaths)) {
    it(`has everything accepted when its connection ${what} meanwhile`, async () => {
      await start();

      process.kill(child.pid!, 'SIGSTOP');
      happens();
      await passes(FROZEN);
      const answered = send();
      process.kill(child.pid!, 'SIGCONT');

      assert.deepEqual(await answered, [200, 200, 200]);
      assert.equal(sessions.length, 2);
    });
  }
});
