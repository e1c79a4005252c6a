import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { newDevice, type TestDevice } from '../support/devices.ts';
import { newAccount, usePeal } from '../support/peal.ts';
import { exchange, type RawAnswer } from '../support/raw-http.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const MULTIPART = 'multipart/form-data; boundary=b';
const MESSAGES = '/1/messages.json';
const MEBIBYTE = 1024 * 1024;

const peal = usePeal();

describe('requests that are bad as HTTP or far too much', () => {
  let token: string;
  let user: string;
  let phone: TestDevice;
  /** The parameters of a good message, as a form. */
  let form: string;

  before(async () => {
    const account = await newAccount(peal());
    ({ token, user } = account);
    phone = await newDevice(account);
    form = `token=${token}&user=${user}&message=hello`;
    // Functions are loaded before anything is counted.
    await exchange(peal(), request(form));
    await phone.sync();
  });

  /** The bytes of a POST. */
  function request(
    body: string | Buffer,
    headers: string[] = [`Content-Type: ${FORM}`],
    target = MESSAGES,
  ): Buffer {
    const bytes = Buffer.from(body as string);
    const head = [
      `POST ${target} HTTP/1.1`,
      'Host: x',
      ...headers,
      `Content-Length: ${bytes.length}`,
      '',
      '',
    ];
    return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), bytes]);
  }

  const typed = (type: string, body: string | Buffer) => request(body, [`Content-Type: ${type}`]);

  /** What the answer cost: how often functions ran, and what they read and wrote. */
  async function costOf(ask: () => Promise<RawAnswer>) {
    peal().cloud.meter.reset();
    const answer = await ask();
    const counts = Object.entries(peal().cloud.meter.read()).filter(([name]) => !/Worker|Push/.test(name));
    const sum = (item: string) => counts.reduce((total, [, count]) => total + (count[item] ?? 0), 0);
    const [runs, read, written] = ['lambda.requests', 'dynamodb.rru', 'dynamodb.wru'].map(sum);
    return { answer, cost: { runs, read, written } };
  }

  const json = (answer: RawAnswer) => JSON.parse(answer.body.toString()) as Record<string, unknown>;

  /** API Gateway itself refuses: no function runs. */
  function gatewayRefuses(
    what: string,
    status: number,
    bytes: () => Buffer | string,
    options: { end?: boolean } = {},
  ): void {
    test(`the gateway refuses ${what} with ${status}, and no function runs`, async () => {
      const { answer, cost } = await costOf(() => exchange(peal(), bytes(), options));

      assert.equal(answer.status, status);
      assert.equal(typeof json(answer).message, 'string');
      assert.deepEqual(cost, { runs: 0, read: 0, written: 0 });
    });
  }

  const long = (length: number) => 'x'.repeat(length);
  const head = (...lines: string[]) => [`POST ${MESSAGES} HTTP/1.1`, ...lines, '', ''].join('\r\n');

  gatewayRefuses('a long URL', 431, () => request(form, [], `${MESSAGES}?a=${long(10_240)}`));
  gatewayRefuses('a long header', 431, () => request(form, [`X-A: ${long(10_240)}`]));
  gatewayRefuses('a header of a megabyte', 431, () => request(form, [`X-A: ${long(MEBIBYTE)}`]));
  gatewayRefuses('a header without an end', 431, () => `POST ${MESSAGES} HTTP/1.1\r\nX-A: ${long(MEBIBYTE)}`);
  gatewayRefuses('thousands of headers', 431, () => request(form, Array(5000).fill('A: bcdefg')));
  gatewayRefuses('a body over 10 MB', 413, () => request(long(10 * MEBIBYTE + 1)));
  gatewayRefuses('a body that claims to be over 10 MB', 413, () =>
    head('Host: x', 'Content-Length: 99999999999'),
  );
  gatewayRefuses('chunks of over 10 MB', 413, () =>
    Buffer.from(head('Host: x', 'Transfer-Encoding: chunked') + `100000\r\n${long(MEBIBYTE)}\r\n`.repeat(11)),
  );
  gatewayRefuses('a body that no event can hold', 413, () => request(`${form}&x=${long(4.8 * MEBIBYTE)}`));
  gatewayRefuses('a negative length', 400, () => head('Host: x', 'Content-Length: -1'));
  gatewayRefuses('a length that is no number', 400, () => head('Host: x', 'Content-Length: 1e3'));
  gatewayRefuses(
    'two lengths',
    400,
    () => `${head('Host: x', 'Content-Length: 3', 'Content-Length: 4')}abcd`,
  );
  gatewayRefuses(
    'a length and chunks, which would smuggle',
    400,
    () => `${head('Host: x', 'Content-Length: 3', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  );
  gatewayRefuses(
    'chunks without a size',
    400,
    () => `${head('Host: x', 'Transfer-Encoding: chunked')}zz\r\n`,
  );
  gatewayRefuses(
    'a chunk of 16 exabytes',
    400,
    () => `${head('Host: x', 'Transfer-Encoding: chunked')}ffffffffffffffff\r\nabc`,
    { end: true },
  );
  gatewayRefuses('another transfer coding', 400, () => `${head('Host: x', 'Transfer-Encoding: gzip')}abc`);
  gatewayRefuses('a body that ends early', 400, () => request(form).subarray(0, -3), { end: true });
  gatewayRefuses('a control character in a header', 400, () => request(form, ['X-A: a\x01b']));
  gatewayRefuses('a header without a name', 400, () => request(form, [': b']));
  gatewayRefuses('a method that nobody knows', 400, () => `BREW ${MESSAGES} HTTP/1.1\r\nHost: x\r\n\r\n`);
  gatewayRefuses('TLS on the plain port', 400, () => Buffer.from('16030100', 'hex'), { end: true });
  for (const method of ['PUT', 'PATCH', 'DELETE', 'TRACE']) {
    gatewayRefuses(`${method}`, 404, () => `${method} ${MESSAGES} HTTP/1.1\r\nHost: x\r\n\r\n`);
  }
  for (const target of [
    '/',
    '//1//messages.json',
    '/1/MESSAGES.json',
    `${MESSAGES}/`,
    '/1/%2e%2e/1',
    '/2/messages.json',
  ]) {
    gatewayRefuses(`the path ${target}`, 404, () => request(form, [], target));
  }

  /** The function refuses from the body alone: nothing is looked up, and nothing is written. */
  function functionRefuses(what: string, reason: RegExp, bytes: () => Buffer, status = 400): void {
    test(`the function refuses ${what} before it looks anything up`, async () => {
      const { answer, cost } = await costOf(() => exchange(peal(), bytes()));

      const { body, errors, status: state } = json(answer);
      assert.equal(answer.status, status, answer.body.toString());
      assert.match(String(body), reason);
      assert.deepEqual(errors, [`body ${body}`]);
      assert.equal(state, 0);
      assert.deepEqual(cost, { runs: 1, read: 0, written: 0 });
    });
  }

  const fill = (unit: string, size = 4 * MEBIBYTE) => unit.repeat(Math.floor(size / unit.length));
  const part = (name: string, value: string, more = '') =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

  functionRefuses('JSON that is nothing but brackets', /nested deeper/, () => typed(JSON_TYPE, fill('[')));
  functionRefuses('a parameter of half a million objects in each other', /nested deeper/, () =>
    typed(JSON_TYPE, `{"message":${fill('{"":', 2 * MEBIBYTE)}`),
  );
  functionRefuses('JSON of half a million members', /more than 200 fields/, () =>
    typed(JSON_TYPE, `{${fill('"a":1,')}"b":2}`),
  );
  functionRefuses('a list of a million values', /too many values/, () =>
    typed(JSON_TYPE, `{"message":[${fill('1,')}1]}`),
  );
  functionRefuses('a string that never ends', /not valid JSON/, () =>
    typed(JSON_TYPE, `{"a":"${fill('\\\\', 2 * MEBIBYTE)}`),
  );
  functionRefuses('JSON with a name of four megabytes', /name that is too long/, () =>
    typed(JSON_TYPE, `{"${fill('1')}":1}`),
  );
  functionRefuses('a form of two million fields', /more than 200 fields/, () => typed(FORM, fill('a&')));
  functionRefuses('a query of two thousand fields', /more than 200 fields/, () =>
    request(form, [`Content-Type: ${FORM}`], `${MESSAGES}?${fill('a=&', 8000)}`),
  );
  functionRefuses('a name of a megabyte', /name that is too long/, () => typed(FORM, `${fill('%41')}=1`));
  functionRefuses('a million parts', /more than 200 fields/, () => typed(MULTIPART, fill('--b\r\n')));
  functionRefuses('many empty parts', /more than 200 fields/, () => typed(MULTIPART, fill(part('a', ''))));
  functionRefuses('a part whose headers never end', /too long headers/, () =>
    typed(MULTIPART, `--b\r\n${fill('A: b\r\n')}`),
  );
  functionRefuses('a part with a header line of a megabyte', /too long headers/, () =>
    typed(MULTIPART, `--b\r\nContent-Disposition: ${fill(';', MEBIBYTE)}\r\n\r\nx\r\n--b--`),
  );
  functionRefuses('multipart without a boundary', /without a boundary/, () =>
    typed('multipart/form-data', form),
  );
  functionRefuses('multipart with another boundary', /no multipart boundary/, () =>
    typed(MULTIPART, '--c\r\n\r\n--c--'),
  );
  functionRefuses('a boundary that is too long', /boundary that is too long/, () =>
    typed(`multipart/form-data; boundary=${long(201)}`, `--${long(201)}--`),
  );
  for (const charset of [
    'utf-16',
    'utf-16le',
    'utf-7',
    'ucs-2',
    'ebcdic-cp-us',
    'x-user-defined',
    '../../etc',
    long(900),
  ]) {
    for (const type of [FORM, JSON_TYPE]) {
      const body = type === FORM ? 'message=x' : '{"message":"x"}';
      functionRefuses(`${type} in ${charset.slice(0, 20)}`, /unsupported charset/, () =>
        typed(`${type}; charset=${charset}`, body),
      );
    }
  }
  functionRefuses('a part in UTF-7', /unsupported charset/, () =>
    typed(
      MULTIPART,
      `--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nx\r\n--b--`,
    ),
  );
  functionRefuses('JSON that is UTF-16 and does not say so', /not valid/, () =>
    typed(JSON_TYPE, Buffer.from(`\ufeff{"token":"${token}"}`, 'utf16le')),
  );
  functionRefuses('XML', /unsupported Content-Type/, () =>
    typed('application/xml', '<!DOCTYPE a [<!ENTITY b "c">]>'),
  );
  functionRefuses('two content types', /unsupported Content-Type/, () =>
    request(form, [`Content-Type: ${FORM}`, `Content-Type: ${JSON_TYPE}`]),
  );
  for (const [coding, compress] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['gzip, gzip', (bytes: Buffer) => gzipSync(gzipSync(bytes))],
    ['zstd', (bytes: Buffer) => bytes],
  ] as const) {
    for (const type of [FORM, JSON_TYPE, MULTIPART]) {
      functionRefuses(`a ${coding} bomb of ${type}`, /cannot have a Content-Encoding/, () =>
        request(compress(Buffer.alloc(16 * 1024, 'a')), [
          `Content-Type: ${type}`,
          `Content-Encoding: ${coding}`,
        ]),
      );
    }
  }

  for (const target of [
    'users/validate',
    'groups',
    'groups/x/add_user',
    'receipts/x/cancel',
    'receipts/cancel_by_tag/x',
    'users/login',
    'devices',
    'apps',
  ]) {
    test(`${target} refuses more than 64 KiB before it looks anything up`, async () => {
      const body = form + long(64 * 1024);

      const { answer, cost } = await costOf(() => exchange(peal(), request(body, [], `/1/${target}.json`)));

      assert.equal(answer.status, 413);
      assert.match(String(json(answer).body), /larger than 65536 bytes/);
      assert.deepEqual(cost, { runs: 1, read: 0, written: 0 });
    });
  }

  /** The message arrives all the same. */
  function delivers(what: string, bytes: () => Buffer | string): void {
    test(`a message arrives in spite of ${what}`, async () => {
      const seen = phone.shown.length;

      const answer = await exchange(peal(), bytes());

      assert.equal(answer.status, 200, answer.body.toString());
      await phone.sync();
      assert.deepEqual(phone.texts().slice(seen), ['hello']);
    });
  }

  const chunks = (text: string, size: number) => {
    const pieces = text.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
    return `${pieces.map((piece) => `${piece.length.toString(16)};ext=1\r\n${piece}\r\n`).join('')}0\r\nTrailer: x\r\n\r\n`;
  };

  delivers('Expect: 100-continue', () => request(form, ['Expect: 100-continue', `Content-Type: ${FORM}`]));
  delivers(
    'chunks of one byte, with extensions and a trailer',
    () => `${head('Host: x', 'Transfer-Encoding: chunked', `Content-Type: ${FORM}`)}${chunks(form, 1)}`,
  );
  delivers('HTTP/1.0', () => `POST ${MESSAGES} HTTP/1.0\r\nContent-Length: ${form.length}\r\n\r\n${form}`);
  delivers('a whole URL as the target', () => request(form, [], `http://api.pushover.net${MESSAGES}`));
  delivers('an escaped letter in the path', () => request(form, [], '/1/%6dessages.json'));
  delivers('an offer to upgrade', () => request(form, ['Connection: Upgrade', 'Upgrade: h2c']));
  delivers('a content coding that is none', () =>
    request(form, [`Content-Type: ${FORM}`, 'Content-Encoding: identity']),
  );
  delivers('headers in Latin-1 and in UTF-8', () =>
    request(form, ['X-A: caf\xe9', 'X-B: \xc3\xbc\xf0\x9f\x98\x80']),
  );
  delivers('headers that only the gateway writes', () =>
    request(form, [
      'X-Amzn-Trace-Id: x',
      'X-Forwarded-For: ::, evil',
      'X-Forwarded-Proto: gopher',
      'Cookie: a;;b',
    ]),
  );
  delivers('a hundred and more headers', () =>
    request(
      form,
      Array.from({ length: 150 }, (_, at) => `X-${at}: ${at}`),
    ),
  );
  delivers('a head just below the limit', () => request(form, [`X-A: ${long(10_100)}`]));
  delivers('200 fields, one of them of 4 MiB', () =>
    request(`${form}&${'a=1&'.repeat(196)}b=${long(4 * MEBIBYTE)}`),
  );

  test('a header that no standard allows does not make the function fail', async () => {
    const event = {
      version: '2.0',
      rawPath: MESSAGES,
      rawQueryString: form,
      headers: { 'x-emoji': '😀', 'x-line': 'a\nb', 'content-type': FORM },
      requestContext: { domainName: 'example.org', http: { method: 'POST' } },
      isBase64Encoded: false,
    };

    const { payload, error } = await peal().cloud.functionNamed('Send').invoke(event);

    assert.equal(error, undefined);
    assert.equal((payload as { statusCode: number }).statusCode, 200);
  });

  test('an answer to HEAD has no body', async () => {
    const answer = await exchange(peal(), `HEAD ${MESSAGES} HTTP/1.1\r\nHost: x\r\n\r\n`);

    assert.equal(answer.status, 404);
    assert.equal(answer.body.length, 0);
  });
});
