import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import https from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type LookupFunction,
  type Socket,
} from 'node:net';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import type { Carrier } from '../../../lib/carriers/carrier.ts';
import { createWebPush } from '../../../lib/carriers/webpush/webpush.ts';
import { createPublicLookup, createResolve } from '../../../lib/net/public-address.ts';
import { createAuthority } from '../../../local/network/ca.ts';
import { givenUpAfter, push, type StandIns, startStandIns } from '../stand-ins.ts';

/** Time limit of a hand-off, milliseconds. */
const LIMIT = 1500;
const authority = await createAuthority();

describe('Web Push client and services of other makes', () => {
  const HOST = 'push.example.org';
  const to127: LookupFunction = (_host, { all }, done) =>
    all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
  let standIns: StandIns;
  let trusted: string[];
  let client: Carrier;

  before(async () => {
    standIns = await startStandIns();
    trusted = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...trusted, authority.pem]);
    client = createWebPush({ vapid: standIns.credentials.vapid, timeout: LIMIT, lookup: to127 });
  });
  after(async () => {
    await client.close();
    tls.setDefaultCACertificates(trusted);
    await standIns.close();
  });

  /** A service of that name that answers over HTTP/1.1 only. */
  async function http1(answer: https.ServerOptions & { on: Parameters<typeof https.createServer>[1] }) {
    const sockets = { count: 0 };
    const server = https.createServer({ ...(await authority.issue([HOST])), ...answer }, answer.on);
    server.on('connection', () => sockets.count++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      endpoint: `https://${HOST}:${port}/wp/abc?x=1`,
      sockets,
      close: () => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      },
    };
  }

  const send = (endpoint: string, id = 1) =>
    client.send(push({ ...standIns.subscribe().target, endpoint }, { id }));

  it('speaks HTTP/1.1 to a service without HTTP/2, and remembers it', async () => {
    const seen: string[] = [];
    const service = await http1({
      on: (request, response) => {
        seen.push(
          `${request.httpVersion} ${request.method} ${request.url} ${request.headers['content-encoding']}`,
        );
        request.resume().on('end', () => response.writeHead(201).end());
      },
    });

    const outcomes = [await send(service.endpoint), await send(service.endpoint, 2)];
    await service.close();

    assert.deepEqual(outcomes, [{ kind: 'accepted' }, { kind: 'accepted' }]);
    assert.deepEqual(seen, Array(2).fill('1.1 POST /wp/abc?x=1 aes128gcm'));
    assert.equal(service.sockets.count, 3);
  });

  it('does not follow a redirect', async () => {
    let requests = 0;
    const service = await http1({
      on: (_request, response) => {
        requests++;
        response.writeHead(307, { location: '/elsewhere' }).end();
      },
    });

    const outcome = await send(service.endpoint);
    await service.close();

    assert.partialDeepStrictEqual(outcome, { kind: 'refused', retire: false });
    assert.equal(requests, 1);
  });

  it('reads no answer without end', async () => {
    const service = await http1({
      on: (_request, response) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384))) {}
        };
        response.writeHead(200).on('drain', more);
        more();
      },
    });

    const outcome = await send(service.endpoint);
    await service.close();

    assert.equal(outcome.kind, 'failed');
    assert.match('reason' in outcome ? outcome.reason : '', /too-large/);
  });

  it('is left by its own time limit by whoever never comes to an answer, wherever they stop', {
    timeout: 8000,
  }, async () => {
    const sockets: Socket[] = [];
    const mute = createTcpServer((socket) => sockets.push(socket));
    const dns = createSocket('udp4');
    mute.listen(0, '127.0.0.1');
    dns.bind(0, '127.0.0.1');
    await Promise.all([once(mute, 'listening'), once(dns, 'listening')]);
    const dribbling = await http1({
      on: (_request, response) => {
        const timer = setInterval(() => response.write('.'), 20);
        response.writeHead(201).on('close', () => clearInterval(timer));
      },
    });
    const { vapid } = standIns.credentials;
    const lookups = {
      answering: to127,
      silent: createPublicLookup(createResolve([`127.0.0.1:${dns.address().port}`])),
    };
    const { port } = mute.address() as AddressInfo;
    const stops = [
      { at: 'the DNS', lookup: lookups.silent, endpoint: 'https://nowhere.example.org/wp' },
      { at: 'TLS', lookup: lookups.answering, endpoint: `https://${HOST}:${port}/wp` },
      { at: 'the body', lookup: lookups.answering, endpoint: dribbling.endpoint },
    ];

    const outcomes = await Promise.all(
      stops.map(async ({ lookup, endpoint }) => {
        const short = createWebPush({ vapid, lookup, strangerTimeout: 300 });
        const outcome = await short.send(push({ ...standIns.subscribe().target, endpoint }));
        await short.close();
        return outcome;
      }),
    );
    for (const socket of sockets) socket.destroy();
    mute.close();
    dns.close();
    await dribbling.close();

    for (const [n, outcome] of outcomes.entries()) {
      const { at, endpoint } = stops[n]!;
      assert.equal('silent' in outcome && outcome.silent, new URL(endpoint).host, at);
    }
  });

  it('settles when the service is silent beyond the time limit, or breaks off', {
    timeout: 8000,
  }, async () => {
    const silent = await http1({ on: () => {} });
    const rude = await http1({
      on: (_request, response) => {
        response.writeHead(201, { 'content-length': '10' }).write('half');
        setImmediate(() => response.destroy());
      },
    });

    const outcomes = await Promise.all([send(silent.endpoint), send(rude.endpoint)]);
    await Promise.all([silent.close(), rude.close()]);

    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['failed', 'failed'],
    );
    const [late, early] = outcomes.map(givenUpAfter);
    assert.ok(late! <= LIMIT);
    assert.equal(early, undefined);
  });

  it('does not send to a service whose certificate is for another name', async () => {
    let requests = 0;
    const server = https.createServer(await authority.issue(['other.example.org']), () => requests++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

    const outcome = await send(`https://${HOST}:${(server.address() as AddressInfo).port}/`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));

    assert.equal(outcome.kind, 'failed');
    assert.equal(requests, 0);
  });

  it('holds up nobody else when services without number are silent', async () => {
    const silent = createHttp2Server().on('error', () => {});
    const front = tls.createServer(
      { ...(await authority.issue(['*.example.org'])), ALPNProtocols: ['h2'] },
      (socket) => silent.emit('connection', socket),
    );
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const { port } = front.address() as AddressInfo;
    let waiting = 0;
    const tarpits = Array.from({ length: 40 }, async (_, n) => {
      waiting++;
      const { kind } = await send(`https://push${n}.example.org:${port}/`);
      waiting--;
      return kind;
    });

    const outcome = await client.send(push(standIns.subscribe().target));
    const stillWaiting = waiting;
    const slow = await Promise.all(tarpits);
    await client.close();
    await new Promise((resolve) => front.close(resolve));

    assert.equal(outcome.kind, 'accepted');
    assert.equal(stillWaiting, 40);
    assert.ok(slow.every((kind) => kind === 'failed'));
  });
});
