import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyError } from '../../lib/http/body.ts';
import { part, post, postMultipart, read, URL_BASE } from './forms.ts';

/** What npm's pushover-notifications 1.2.3 sends for {message, html: false}, recorded; its boundary is random. */
const RECORDED =
  '--ifzzv809hl8\r\nContent-Disposition: form-data; name="token"\r\n\r\nT\r\n' +
  '--ifzzv809hl8\r\nContent-Disposition: form-data; name="user"\r\n\r\nU\r\n' +
  '--ifzzv809hl8\r\nContent-Disposition: form-data; name="message"\r\n\r\nm\r\n' +
  '--ifzzv809hl8\r\nContent-Disposition: form-data; name="html"\r\n\r\nfalse--ifzzv809hl8--\r\n';

/** The same with a file that has no name. */
const RECORDED_FILE =
  '--ifzzv809hl8\r\nContent-Disposition: form-data; name="message"\r\n\r\nm\r\n' +
  '--ifzzv809hl8\r\nContent-Disposition: form-data; name="attachment"; filename="undefined"\r\n' +
  'Content-Type: application/octet-stream\r\n\r\nPNG\r\n--ifzzv809hl8--\r\n';

test("reads FormData as the platform's own fetch writes it", async () => {
  const form = new FormData();
  form.set('message', 'two\r\nlines "quoted" ü');
  form.set('a"b', 'odd name');
  form.set('attachment', new File([Uint8Array.of(0, 13, 10, 255)], 'ü "1".png', { type: 'image/png' }));
  const request = new Request(URL_BASE, { method: 'POST', body: form });

  const params = await read(request);

  assert.deepEqual({ ...params.texts() }, { message: 'two\r\nlines "quoted" ü', 'a"b': 'odd name' });
  const file = params.file('attachment');
  assert.deepEqual([file?.filename, file?.contentType], ['ü "1".png', 'image/png']);
  assert.deepEqual([...file!.bytes], [0, 13, 10, 255]);
});

test('reads what pushover-notifications sends, whose closing boundary is glued to the last value', async () => {
  const params = await postMultipart(RECORDED, 'multipart/form-data; boundary=ifzzv809hl8');

  assert.deepEqual({ ...params.texts() }, { token: 'T', user: 'U', message: 'm', html: 'false' });
  assert.equal(params.flag('html'), false);
});

test('reads what pushover-notifications sends with a file', async () => {
  const params = await postMultipart(RECORDED_FILE, 'multipart/form-data; boundary=ifzzv809hl8');

  assert.equal(params.get('message'), 'm');
  assert.equal(Buffer.from(params.file('attachment')!.bytes).toString(), 'PNG');
  assert.equal(params.file('attachment')?.filename, 'undefined');
});

test('reads the same from every way to end a body', async () => {
  const endings = [
    '\r\n--b--\r\n',
    '\r\n--b--',
    '\n--b--\n',
    '--b--\r\n',
    '--b--',
    '',
    '\r\n',
    '\r\n--b  \r\n',
  ];

  for (const ending of [...endings, '\r\n--b', '\r\n--b--\r\nan epilogue\r\n--b\r\nof any kind']) {
    const params = await postMultipart(`${part('token', 'T')}\r\n${part('message', 'hi')}${ending}`);

    assert.deepEqual({ ...params.texts() }, { token: 'T', message: 'hi' }, JSON.stringify(ending));
  }
});

test('reads bodies with bare line feeds', async () => {
  const params = await postMultipart(`${part('a', '1\n2', '\n')}\n${part('b', '', '\n')}\n--b--\n`);

  assert.equal(params.get('a'), '1\n2');
  assert.equal(params.cleared('b'), true);
});

test('skips a preamble', async () => {
  const params = await postMultipart(`This is --b MIME.\r\n\r\n${part('a', '1')}\r\n--b--`);

  assert.equal(params.get('a'), '1');
});

test('takes a boundary in quotes, in any case of its header, with spaces behind it', async () => {
  const body = `${part('a', '1')}\r\n${part('c', '2')}\r\n--b--`.replaceAll('--b\r\n', '--b \t\r\n');

  for (const type of ['multipart/form-data; boundary="b"', 'MULTIPART/Form-Data;charset=utf-8; Boundary=b']) {
    const params = await postMultipart(body, type);

    assert.deepEqual({ ...params.texts() }, { a: '1', c: '2' });
  }
});

test('keeps a boundary that does not stand on a line of its own in the value', async () => {
  const value = 'x--b--y\r\n--bb\r\n--b-\r\n--b--y\r\n -b--b';

  const params = await postMultipart(`${part('a', value)}\r\n--b--\r\n`);

  assert.equal(params.get('a'), value);
});

test('reads a file that comes first, without a content type, unquoted names and extended names', async () => {
  const body =
    '--b\r\ncontent-disposition: form-data; name=attachment; filename="x.png"\r\n\r\nPNG\r\n' +
    '--b\r\nContent-Disposition: form-data; name=message\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhi\r\n' +
    "--b\r\nContent-Disposition: form-data; name*=utf-8''t%C3%AFtle\r\n\r\nT\r\n--b--\r\n";

  const params = await postMultipart(body);

  assert.equal(Buffer.from(params.file('attachment')!.bytes).toString(), 'PNG');
  assert.equal(params.file('attachment')?.contentType, undefined);
  assert.deepEqual({ ...params.texts() }, { message: 'hi', tïtle: 'T' });
});

test('takes an attachment without a file name for a file', async () => {
  const params = await postMultipart(`${part('attachment', '\xff\xd8')}\r\n--b--\r\n`);

  assert.deepEqual([...params.file('attachment')!.bytes], [0xff, 0xd8]);
  assert.equal(params.file('attachment')?.filename, undefined);
});

test('takes a file field that was left alone for none', async () => {
  const left = '--b\r\nContent-Disposition: form-data; name="attachment"; filename=""\r\n\r\n\r\n--b--\r\n';

  const params = await postMultipart(left);

  assert.equal(params.has('attachment'), false);
});

test('reads parts that lack their empty line, their name or their headers', async () => {
  const body =
    '--b\r\nContent-Disposition: form-data; name="empty"\r\n--b\r\n\r\nno headers\r\n' +
    `--b\r\nContent-Type: text/plain\r\n\r\nno name\r\n--b\r\n--b\r\n--b\r\nrubbish\r\n${part('a', '1')}\r\n--b--`;

  const params = await postMultipart(body);

  assert.deepEqual({ ...params.texts() }, { a: '1' });
  assert.equal(params.cleared('empty'), true);
});

test('decodes the character set of a part, or else of the body', async () => {
  const typed =
    '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=latin1\r\n\r\n\xe9';

  const params = await postMultipart(`${typed}\r\n${part('b', '\xc3\xa9')}\r\n--b--`);

  assert.deepEqual({ ...params.texts() }, { a: 'é', b: 'é' });
});

test('refuses what it cannot read, with the field named where there is one', async () => {
  const good = part('a', '1');
  const encoded = good.replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n');
  const cases: [body: string, type: string, field: string, reason: RegExp][] = [
    [good, 'multipart/form-data', 'body', /without a boundary/],
    [good, `multipart/form-data; boundary=${'x'.repeat(201)}`, 'body', /boundary that is too long/],
    ['message=hi', 'multipart/form-data; boundary=b', 'body', /no multipart boundary/],
    [part('message', '\xff'), 'multipart/form-data; boundary=b', 'message', /not valid UTF-8/],
    [part('message', '\0'), 'multipart/form-data; boundary=b', 'message', /NUL/],
    [encoded, 'multipart/form-data; boundary=b', 'a', /Content-Transfer-Encoding/],
    [part('n'.repeat(201), '1'), 'multipart/form-data; boundary=b', 'body', /name that is too long/],
    [`--b\r\n${'x'.repeat(9000)}`, 'multipart/form-data; boundary=b', 'body', /too long headers/],
    [`${good}\r\n`.repeat(201), 'multipart/form-data; boundary=b', 'body', /more than 200 fields/],
    [
      "--b\r\nContent-Disposition: x; name*=utf-8''%ff\r\n\r\n1",
      'multipart/form-data; boundary=b',
      'body',
      /decoded/,
    ],
  ];

  for (const [body, type, field, reason] of cases) {
    await assert.rejects(post(Buffer.from(body, 'latin1'), type), (error) => {
      assert.ok(error instanceof BodyError);
      assert.equal(error.field, field);
      assert.match(error.reason, reason);
      return true;
    });
  }
});
