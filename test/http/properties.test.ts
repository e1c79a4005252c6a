import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import fc from 'fast-check';
import { BodyError } from '../../lib/http/body.ts';
import { FORM, part, post, postMultipart, read, URL_BASE } from './forms.ts';

const RUNS = { numRuns: 300 };
/** Text as it can be sent: no NUL, no lone surrogates; and never empty, which reads as nothing. */
const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => !value.includes('\0'));
/** A field's name; multipart cannot say those that hold browsers' own escapes. */
const fieldName = text.filter(
  (name) => Buffer.byteLength(name) <= 200 && !/%0a|%0d|%22|[\r\n\\]/i.test(name),
);
const fields = fc.dictionary(fieldName, text, { maxKeys: 10 });

test('gives back any fields that were sent as a form, a query string or JSON', async () => {
  await fc.assert(
    fc.asyncProperty(fields, async (sent) => {
      const form = new URLSearchParams(sent).toString();

      const results = [
        await post(form, FORM),
        await post('', undefined, `?${form}`),
        await post(JSON.stringify(sent), 'application/json'),
      ];

      for (const params of results) assert.deepEqual({ ...params.texts() }, { ...sent });
    }),
    RUNS,
  );
});

test('gives back any fields and files that were sent as multipart', async () => {
  // FormData makes every line break CRLF, and Params takes an attachment for a file.
  const value = text.filter((sent) => !/[\r\n]/.test(sent));
  const forms = fc.dictionary(
    fieldName.filter((name) => name !== 'attachment'),
    value,
    { maxKeys: 10 },
  );
  await fc.assert(
    fc.asyncProperty(forms, fc.uint8Array({ maxLength: 500 }), async (sent, bytes) => {
      const form = new FormData();
      form.set('attachment', new Blob([bytes.slice()]), 'f');
      for (const [name, content] of Object.entries(sent)) form.set(name, content);

      const params = await read(new Request(URL_BASE, { method: 'POST', body: form }));

      assert.deepEqual({ ...params.texts() }, { ...sent });
      assert.deepEqual([...params.file('attachment')!.bytes], [...bytes]);
    }),
    RUNS,
  );
});

test('reads a body with a glued or missing closing boundary as it reads a well-formed one', async () => {
  const value = fc.string({ unit: fc.constantFrom('a', '-', 'b', '\r\n', ' '), maxLength: 12 });
  // Only a value with a boundary line in it, or one that ends in a line break or a boundary, reads otherwise.
  const plain = value.filter((sent) => !/(^|\n)--b(--| *(\r?\n|$))|\n$|--b--$/.test(sent));
  await fc.assert(
    fc.asyncProperty(fc.array(plain, { minLength: 1, maxLength: 5 }), async (values) => {
      const body = values.map((content, index) => part(`f${index}`, content)).join('\r\n');

      const wellFormed = await postMultipart(`${body}\r\n--b--\r\n`);
      const glued = await postMultipart(`${body}--b--\r\n`);
      const open = await postMultipart(`${body}\r\n`);

      const expected = Object.fromEntries(
        values
          .map((content, index) => [`f${index}`, content] as const)
          .filter(([, content]) => content !== ''),
      );
      assert.deepEqual({ ...wellFormed.texts() }, expected);
      assert.deepEqual({ ...glued.texts() }, expected);
      assert.deepEqual({ ...open.texts() }, expected);
    }),
    RUNS,
  );
});

test('answers any bytes of any type with parameters or a BodyError', async () => {
  const token = fc.constantFrom(
    ...[
      '--b',
      '--',
      'b',
      '\r\n',
      '\n',
      '\r',
      ' ',
      'Content-Disposition: form-data; name="',
      '"',
      'a',
      '; filename=x',
    ],
    ...[
      "name*=utf-8''%",
      'Content-Type: text/plain; charset=latin1',
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '\\',
      '1e999',
    ],
    ...['&', '=', '%', '+', '%00', '%c3', '\xef\xbb\xbf', '\xff', '\0', 'null', '"__proto__"'],
  );
  const wild = fc.array(fc.oneof({ weight: 9, arbitrary: token }, { weight: 1, arbitrary: fc.string() }));
  const type = fc.constantFrom(
    ...[
      undefined,
      FORM,
      'application/json',
      'multipart/form-data; boundary=b',
      'multipart/form-data; boundary="',
    ],
    ...[
      'multipart/form-data',
      'text/xml',
      ';;==";',
      `${FORM}; charset=latin1`,
      'application/x+json; charset=?',
    ],
  );
  await fc.assert(
    fc.asyncProperty(wild, type, async (pieces, contentType) => {
      const body = Buffer.from(pieces.join(''), 'latin1');

      const error = await post(body, contentType).then(
        (params) => {
          params.texts();
          for (const name of params.names()) params.flag(params.file(name) ? 'none' : 'x');
        },
        (reason: unknown) => reason,
      );

      assert.ok(error === undefined || error instanceof BodyError, String(error));
    }),
    { numRuns: 2000 },
  );
});

test('takes time in proportion to the body, whatever is in it', async () => {
  const size = 5 * 1024 * 1024;
  const fill = (unit: string) => unit.repeat(Math.floor(size / unit.length));
  const long = 'a'.repeat(69);
  const bodies: [body: string, type: string][] = [
    [fill('&'), FORM],
    [fill('%'), FORM],
    [`a=${fill('%41')}`, FORM],
    [fill('a&'), FORM],
    [`{"a":"${fill('\\')}`, 'application/json'],
    [`{"a":"${fill('\\"')}`, 'application/json'],
    [fill('['), 'application/json'],
    [`{"a":${fill(' ')}`, 'application/json'],
    [fill('--b\r\n'), 'multipart/form-data; boundary=b'],
    [part('a', fill('--b')), 'multipart/form-data; boundary=b'],
    [part('a', fill('\n--b ')), 'multipart/form-data; boundary=b'],
    [part('a', fill('\n--bx')), 'multipart/form-data; boundary=b'],
    [`--b\r\n${fill(';')}`, 'multipart/form-data; boundary=b'],
    [fill('a'), `multipart/form-data; boundary=${long}`],
    [fill(`\n-${long}`), `multipart/form-data; boundary=${long}`],
    [fill('-'), `multipart/form-data; boundary=${'-'.repeat(200)}`],
    [
      `--b\r\nContent-Disposition: ${'x;'.repeat(4000)}\r\n\r\n`.repeat(200),
      'multipart/form-data; boundary=b',
    ],
  ];

  for (const [body, type] of bodies) {
    const bytes = Buffer.from(body, 'latin1');
    const start = performance.now();
    await post(bytes, type).catch((error: unknown) => assert.ok(error instanceof BodyError));
    const took = performance.now() - start;

    assert.ok(took < 2000, `${took} ms for ${body.slice(0, 20)}… as ${type.slice(0, 50)}`);
  }
});
