import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAuthority } from '../../../local/network/ca.ts';
import { redirectEnvironment, redirectPreload } from '../../../local/network/preload.ts';
import type { NetworkRules } from '../../../local/network/redirect.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const preload = redirectPreload();
let folder: string;
let server: Http2SecureServer;
let rules: NetworkRules;

/** Answers with what it was asked: protocol, server name, host, path and the body's first bytes. */
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peal-test-'));
  const authority = await createAuthority();
  writeFileSync(join(folder, 'ca.pem'), authority.pem);
  const names = ['api.pushover.net', 'fcm.googleapis.com', '*.execute-api.us-east-1.amazonaws.com'];
  const certificate = await authority.issue(names);
  server = createSecureServer({ ...certificate, allowHTTP1: true }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const socket = request.httpVersion === '2.0' ? request.stream.session?.socket : request.socket;
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        status: 1,
        request: 'r',
        version: request.httpVersion,
        servername: (socket as { servername?: string } | undefined)?.servername,
        host: request.headers[':authority'] ?? request.headers.host,
        url: request.url,
        body: Buffer.concat(chunks).toString(),
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  rules = {
    hosts: {
      'api.pushover.net:443': port,
      'fcm.googleapis.com:443': port,
      '*.execute-api.us-east-1.amazonaws.com:443': port,
    },
    ca: join(folder, 'ca.pem'),
    deny: true,
  };
});

after(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Runs CommonJS in a process that sees the local network, and parses what it prints. */
function run(source: string, change: Partial<NetworkRules> = {}): Promise<Record<string, unknown>> {
  const env = { PATH: process.env.PATH, ...redirectEnvironment({ ...rules, ...change }) };
  const code = `const print = (value) => console.log(JSON.stringify(value));
    const fail = (error) => print({ error: error.cause?.message ?? error.message, code: error.cause?.code ?? error.code });
    ${source}`;
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', preload, '-e', code],
      { env, cwd: root },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`${error.message}\n${stderr}`));
        else resolve(JSON.parse(stdout));
      },
    );
  });
}

test('leads the global fetch to the local port under the real name', async () => {
  const seen = await run(
    `fetch('https://api.pushover.net/1/x', { method: 'POST', body: 'hi' }).then((r) => r.json()).then(print, fail);`,
  );

  assert.equal(seen.servername, 'api.pushover.net');
  assert.equal(seen.host, 'api.pushover.net');
  assert.equal(seen.url, '/1/x');
  assert.equal(seen.body, 'hi');
});

test('leads https.request through an agent, as the AWS SDK uses it', async () => {
  const seen = await run(`const https = require('https');
    const agent = new https.Agent({ keepAlive: true, maxSockets: 50 });
    https.get({ host: 'abc.execute-api.us-east-1.amazonaws.com', path: '/push', agent }, async (r) => {
      let text = ''; for await (const c of r) text += c; print(JSON.parse(text)); agent.destroy();
    }).on('error', fail);`);

  assert.equal(seen.servername, 'abc.execute-api.us-east-1.amazonaws.com');
  assert.equal(seen.host, 'abc.execute-api.us-east-1.amazonaws.com');
});

test('leads http2.connect', async () => {
  const seen = await run(`const session = require('http2').connect('https://fcm.googleapis.com');
    session.on('error', fail);
    const stream = session.request({ ':path': '/v1/x', ':method': 'POST' });
    let text = ''; stream.setEncoding('utf8').on('data', (c) => { text += c; }).on('end', () => { print(JSON.parse(text)); session.close(); });
    stream.end('{}');`);

  assert.equal(seen.version, '2.0');
  assert.equal(seen.servername, 'fcm.googleapis.com');
  assert.equal(seen.host, 'fcm.googleapis.com:443');
});

test('leads tls.connect in each form of its arguments', async () => {
  const seen = await run(`const tls = require('tls');
    const forms = [[443, 'api.pushover.net', { servername: 'api.pushover.net' }], [{ host: 'api.pushover.net', port: '443', servername: 'api.pushover.net' }]];
    Promise.all(forms.map((form) => new Promise((resolve, reject) => {
      const socket = tls.connect(...form, () => { resolve(socket.authorized); socket.destroy(); }).on('error', reject);
    }))).then((list) => print({ list }), fail);`);

  assert.deepEqual(seen.list, [true, true]);
});

test('checks the certificate against the real name', async () => {
  const seen = await run(`fetch('https://other.example/').then(() => print({}), fail);`, {
    hosts: { 'other.example:443': rules.hosts['api.pushover.net:443'] as number },
  });

  assert.equal(seen.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

test('does not trust the local authority unless told to', async () => {
  const { ca: _, ...untrusting } = rules;
  const env = { PATH: process.env.PATH, ...redirectEnvironment(untrusting) };
  const code = `fetch('https://api.pushover.net/').then(() => console.log('ok'), (e) => console.log(e.cause.code));`;

  const printed = await new Promise<string>((resolve) => {
    execFile(process.execPath, ['--import', preload, '-e', code], { env }, (_error, stdout) =>
      resolve(stdout),
    );
  });

  assert.match(printed, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY/);
});

test('keeps the public authorities when other hosts stay reachable', async () => {
  const seen = await run(`print({ count: require('tls').getCACertificates('default').length });`, {
    deny: false,
  });
  const strict = await run(`print({ count: require('tls').getCACertificates('default').length });`);

  assert.ok((seen.count as number) > 50);
  assert.equal(strict.count, 1);
});

for (const [what, source] of [
  ['fetch', `fetch('https://unknown.example/x').then(() => print({}), fail);`],
  ['https', `require('https').get('https://unknown.example/x').on('error', fail);`],
  ['http2', `require('http2').connect('https://unknown.example').on('error', fail);`],
  ['http2 without TLS', `require('http2').connect('http://unknown.example:443').on('error', fail);`],
  ['net', `require('net').connect(443, 'unknown.example').on('error', fail);`],
] as const) {
  test(`refuses an unknown host at once and names it: ${what}`, async () => {
    const seen = await run(source);

    assert.match(String(seen.error), /knows no host unknown\.example:443/);
    assert.equal(seen.code, 'ERR_UNKNOWN_HOST');
  });
}

test('refuses a known host at another port', async () => {
  const seen = await run(`require('net').connect(80, 'api.pushover.net').on('error', fail);`);

  assert.match(String(seen.error), /api\.pushover\.net:80/);
});

test('lets loopback through', async () => {
  const seen =
    await run(`const server = require('net').createServer((s) => s.end('hi')).listen(0, '127.0.0.1', () => {
      require('net').connect(server.address().port, 'localhost').on('data', (d) => { print({ got: String(d) }); server.close(); }).on('error', fail);
    });`);

  assert.equal(seen.got, 'hi');
});

for (const [client, source] of [
  [
    'pushover-notifications',
    `const P = require('pushover-notifications'); new P({ user: 'u', token: 't' }).send({ message: 'hello there' }, (error, result) => error ? fail(error) : console.log(result));`,
  ],
  [
    'pushover-js',
    `const { Pushover } = require('pushover-js'); new Pushover('u', 't').send('title', 'hello there').then((r) => print(r.data ? JSON.parse(r.data) : r), fail);`,
  ],
  [
    'node-pushover-client',
    `const P = require('node-pushover-client'); new P({ user: 'u', token: 't' }).send({ message: 'hello there' }).then(print, fail);`,
  ],
] as const) {
  test(`leads the unmodified ${client} client`, async () => {
    const seen = await run(source);

    assert.equal(seen.host, 'api.pushover.net');
    assert.match(String(seen.body), /hello(%20|\+| )there/);
  });
}
