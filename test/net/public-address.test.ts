import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import https from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createPublicLookup,
  createResolve,
  isPublicAddress,
  NotPublicError,
  publicLookup,
  publicUrl,
  type Resolve,
} from '../../lib/net/public-address.ts';

const octet = fc.nat(255);
const word = fc.nat(0xffff).map((value) => value.toString(16));
/** Numbers of an address in dotted form, the first of them as given. */
const v4 = (...first: number[]) =>
  fc.tuple(octet, octet, octet, octet).map((bytes) => [...first, ...bytes].slice(0, 4).join('.'));
const v6 = (...first: string[]) =>
  fc.array(word, { minLength: 8, maxLength: 8 }).map((words) => [...first, ...words].slice(0, 8).join(':'));

const PRIVATE_4 = fc.oneof(
  v4(0),
  v4(10),
  v4(127),
  v4(169, 254),
  v4(192, 168),
  fc.integer({ min: 16, max: 31 }).chain((second) => v4(172, second)),
  fc.integer({ min: 64, max: 127 }).chain((second) => v4(100, second)),
  fc.integer({ min: 18, max: 19 }).chain((second) => v4(198, second)),
  fc.integer({ min: 224, max: 255 }).chain((first) => v4(first)),
);
const PRIVATE_6 = fc.oneof(
  fc.constantFrom('::', '::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', '2001:db8::1', '2002:a9fe:a9fe::'),
  v6('fc00'),
  v6('fdff'),
  v6('fe80'),
  v6('ff02'),
  v6('0064', 'ff9b'),
  v6('2002'),
  PRIVATE_4.map((address) => `::ffff:${address}`),
  v4().map((address) => `::ffff:${address}`),
  v4().map((address) => `::${address}`),
);

describe('public addresses', () => {
  it('are none of the special ones', () => {
    fc.assert(fc.property(fc.oneof(PRIVATE_4, PRIVATE_6), (address) => !isPublicAddress(address)));
  });

  it('are those just outside the special ranges', () => {
    const outside = [
      ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
      ...['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0'],
      ...['192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255'],
      ...['2000::1', '2001:200::1', '2606:4700::1111', '2a00:1450:4001::5e', '3fff:1000::1'],
    ];

    const refused = outside.filter((address) => !isPublicAddress(address));

    assert.deepEqual(refused, []);
  });

  it('are nothing that is no address', () => {
    fc.assert(fc.property(fc.string(), (text) => /^[\d.]+$|:/.test(text) || !isPublicAddress(text)));
  });
});

describe('URLs that users give', () => {
  it('may be https with a name or a public address, in any notation', () => {
    const good = [
      'https://push.example.org/a?b',
      'https://push.example.org:8443/',
      'https://8.8.8.8/',
      'https://[2606:4700::1111]/',
    ];

    assert.deepEqual(
      good.map((text) => publicUrl(text)?.href),
      good,
    );
  });

  it('may not name another protocol, a password or a private address in whatever notation', () => {
    const bad = [
      ...['', 'push.example.org', 'http://push.example.org/', 'ftp://push.example.org/', 'https:///'],
      ...['https://user@push.example.org/', 'https://:password@push.example.org/'],
      ...[
        'https://127.0.0.1/',
        'https://127.1/',
        'https://2130706433/',
        'https://0x7f.0.0.1/',
        'https://0177.1/',
      ],
      ...['https://127.0.0.1./', 'https://169.254.169.254/latest', 'https://①②⑦.0.0.1/', 'https://0/'],
      ...['https://[::1]/', 'https://[::]/', 'https://[::ffff:8.8.8.8]/', 'https://[::ffff:7f00:1]/'],
      ...['https://[fd00:ec2::254]/', 'https://[64:ff9b::a9fe:a9fe]/', 'https://[fe80::1%25eth0]/'],
    ];

    assert.deepEqual(
      bad.filter((text) => publicUrl(text) !== undefined),
      [],
    );
  });

  it('may not be a private address, however it is written', () => {
    const decimal = PRIVATE_4.map((address) =>
      String(address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)),
    );
    const hex = PRIVATE_4.map((address) =>
      address
        .split('.')
        .map((part) => `0x${Number(part).toString(16)}`)
        .join('.'),
    );

    fc.assert(
      fc.property(fc.oneof(PRIVATE_4, decimal, hex), (host) => publicUrl(`https://${host}/`) === undefined),
    );
  });
});

describe('the public lookup', () => {
  const to =
    (...addresses: string[]): Resolve =>
    (_host, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  const look = (resolve: Resolve, all: boolean) =>
    new Promise((settle) => {
      createPublicLookup(resolve)('push.example.org', { all }, (error, address, family) =>
        settle(error ?? [address, family]),
      );
    });

  it('gives the addresses that the name has, all or the first', async () => {
    const resolve = to('8.8.8.8', '2606:4700::1111');

    const [all, one] = [await look(resolve, true), await look(resolve, false)];

    assert.deepEqual(all, [
      [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
      undefined,
    ]);
    assert.deepEqual(one, ['8.8.8.8', 4]);
  });

  it('fails if any of them is not public, or there is none', async () => {
    const answers = [
      await look(to('127.0.0.1'), true),
      await look(to('8.8.8.8', '10.0.0.1'), true),
      await look(to('8.8.8.8', '::1'), false),
      await look(to(), true),
    ];

    assert.ok(answers.every((answer) => answer instanceof NotPublicError));
  });

  it('passes on why a name could not be resolved', async () => {
    const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });

    const answer = await look((_host, _options, done) => done(error, []), true);

    assert.equal(answer, error);
  });
});

describe('a name whose servers never answer', () => {
  const dns = createSocket('udp4');
  /** Answers for one name, with one address; is silent about all others. */
  dns.on('message', (query, { port, address }) => {
    const isAddress = query.readUInt16BE(query.indexOf(0, 12) + 1) === 1;
    if (!query.includes('good') || !isAddress) return;
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(1, 6);
    header.writeUInt16BE(0, 10);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 8, 8, 8, 8]);
    dns.send(Buffer.concat([header, question, answer]), port, address);
  });
  before(() => new Promise<void>((resolve) => dns.bind(0, '127.0.0.1', () => resolve())));
  after(() => dns.close());

  it('holds up no other name, and fails in the end', async () => {
    const resolve = createResolve([`127.0.0.1:${dns.address().port}`], 200);
    const settled: string[] = [];
    const ask = (host: string) =>
      new Promise<unknown>((done) => {
        resolve(host, { all: true, family: 4 }, (error, addresses) => {
          settled.push(host);
          done(error ?? addresses);
        });
      });
    // Four would be enough to fill the threads of the system's resolver.
    const silent = Array.from({ length: 8 }, (_, n) => ask(`silent${n}.example`));

    const good = await ask('good.example');
    const before = settled.length;
    const failures = await Promise.all(silent);

    assert.deepEqual(good, [{ address: '8.8.8.8', family: 4 }]);
    assert.equal(before, 1);
    assert.ok(failures.every((failure) => failure instanceof Error));
  });
});

describe('a connection with the public lookup', () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  after(() => new Promise((resolve) => server.close(resolve)));

  it('is not made to this machine', async () => {
    const { port } = server.address() as AddressInfo;

    const error = await new Promise((resolve) =>
      https
        .get({ host: 'localhost', port, lookup: publicLookup, agent: false }, resolve)
        .on('error', resolve),
    );

    assert.ok(error instanceof NotPublicError);
    assert.equal(connections, 0);
  });
});
