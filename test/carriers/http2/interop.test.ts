import assert from 'node:assert/strict';
import { createSecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { before, describe, it } from 'node:test';
import tls from 'node:tls';
import fc from 'fast-check';
import { createHttp2Client } from '../../../lib/carriers/http2/client.ts';
import { createAuthority } from '../../../local/network/ca.ts';

const authority = await createAuthority();
const certificate = await authority.issue(['localhost']);

before(() => tls.setDefaultCACertificates([authority.pem]));

const headerValue = fc.oneof(
  fc.constantFrom('same', 'x'.repeat(3000), ''),
  fc.stringMatching(/^([\x21-\x7e]([\x20-\x7e]{0,60}[\x21-\x7e])?)?$/),
);
const headers = fc.dictionary(fc.stringMatching(/^x-[a-z0-9-]{1,12}$/), headerValue, {
  maxKeys: 6,
  noNullPrototype: true,
});
const size = fc.oneof(
  fc.nat(200),
  fc.nat(65_536),
  fc.constantFrom(0, 16_383, 16_384, 16_385, 65_535, 65_536),
);
const request = fc.record({ headers, size, binary: fc.boolean(), answer: fc.record({ headers, size }) });
const server = fc.record({
  maxConcurrentStreams: fc.constantFrom(1, 2, 7, 100),
  initialWindowSize: fc.constantFrom(1000, 16_384, 65_535, 1_000_000),
  maxFrameSize: fc.constantFrom(16_384, 20_000, 1_000_000),
  headerTableSize: fc.constantFrom(0, 64, 4096, 65_536),
});

describe('HTTP/2 client against node:http2', () => {
  it('exchanges any headers and bodies, whatever the settings of the server', async () => {
    await fc.assert(
      fc.asyncProperty(
        server,
        fc.array(request, { minLength: 1, maxLength: 12 }),
        async (settings, requests) => {
          const sessions: ServerHttp2Session[] = [];
          const peer = createSecureServer({ ...certificate, settings });
          const seen = new Map<string, { headers: Record<string, unknown>; body: string }>();
          peer.on('session', (session) => sessions.push(session));
          peer.on('stream', (stream, fields) => {
            const chunks: Buffer[] = [];
            stream.on('data', (chunk: Buffer) => chunks.push(chunk));
            stream.on('end', () => {
              const path = String(fields[':path']);
              const { answer } = requests[Number(path.slice(1))]!;
              seen.set(path, { headers: fields, body: Buffer.concat(chunks).toString() });
              stream.respond({ ':status': 207, ...answer.headers });
              stream.end('b'.repeat(answer.size));
            });
          });
          await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
          const origin = `https://localhost:${(peer.address() as AddressInfo).port}`;
          const http = createHttp2Client({ maxSessions: 2 });

          const post = ({ headers, size, binary }: (typeof requests)[number], i: number) => {
            const body = binary ? Buffer.alloc(size, 'é') : 'é'.repeat(size / 2);
            return http.request({
              origin,
              path: `/${i}`,
              headers: { ...headers, authorization: 'token' },
              body,
            });
          };
          const answers = await Promise.all(requests.map(post));
          await http.close();
          for (const session of sessions) session.destroy();
          await new Promise((resolve) => peer.close(resolve));

          for (const [i, { headers, size, binary, answer }] of requests.entries()) {
            const got = seen.get(`/${i}`)!;
            assert.equal(got.body, binary ? Buffer.alloc(size, 'é').toString() : 'é'.repeat(size / 2));
            assert.partialDeepStrictEqual({ ...got.headers }, { ...headers, authorization: 'token' });
            assert.equal(answers[i]!.status, 207);
            assert.equal(answers[i]!.body, 'b'.repeat(answer.size));
            assert.partialDeepStrictEqual({ ...answers[i]!.headers }, answer.headers);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('repeats what the peer has refused or not looked at, and no more than that', async () => {
    const paths: string[] = [];
    const sessions: ServerHttp2Session[] = [];
    const peer = createSecureServer({ ...certificate });
    peer.on('session', (session) => sessions.push(session));
    peer.on('stream', (stream, fields) => {
      stream.on('error', () => {});
      stream.resume();
      paths.push(String(fields[':path']));
      const times = paths.filter((path) => path === fields[':path']).length;
      if (fields[':path'] === '/always' || (fields[':path'] === '/once' && times === 1)) stream.close(7);
      else stream.respond({ ':status': 200 }, { endStream: true });
    });
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const origin = `https://localhost:${(peer.address() as AddressInfo).port}`;
    const http = createHttp2Client();
    const post = (path: string) => http.request({ origin, path, headers: {}, body: 'body' });

    const once = await post('/once');
    await assert.rejects(post('/always'), { code: 'reset' });
    await http.close();
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => peer.close(resolve));

    assert.equal(once.status, 200);
    assert.deepEqual(paths, ['/once', '/once', '/always', '/always', '/always']);
  });

  it('fails a request whose headers cannot be sent, and no other', async () => {
    const peer = createSecureServer({ ...certificate });
    const sessions: ServerHttp2Session[] = [];
    peer.on('session', (session) => sessions.push(session));
    peer.on('stream', (stream) => stream.respond({ ':status': 200 }, { endStream: true }));
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const origin = `https://localhost:${(peer.address() as AddressInfo).port}`;
    const http = createHttp2Client();
    const post = (value: string) => http.request({ origin, path: '/', headers: { 'x-a': value }, body: '' });

    const results = await Promise.allSettled([post('a'), post('line\nbreak'), post('b')]);
    await http.close();
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => peer.close(resolve));

    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal(sessions.length, 1);
  });
});
