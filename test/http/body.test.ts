import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyError, readParams } from '../../lib/http/body.ts';
import { FORM, post, read, URL_BASE } from './forms.ts';

/** A check that an error is a BodyError about a field. */
const aboutField =
  (field: string, reason: RegExp, status = 400) =>
  (error: unknown) => {
    assert.ok(error instanceof BodyError);
    assert.equal(error.field, field);
    assert.match(error.reason, reason);
    assert.equal(error.status, status);
    return true;
  };

test('reads a form', async () => {
  const params = await post('token=a1&message=50%25+off%21&title=%C3%BC', FORM);

  assert.deepEqual({ ...params.texts() }, { token: 'a1', message: '50% off!', title: 'ü' });
});

test('reads a form whatever the case and parameters of its content type', async () => {
  const params = await post('message=hi', 'Application/X-WWW-Form-URLencoded; Charset="UTF-8"');

  assert.equal(params.get('message'), 'hi');
});

test('reads a form that has no content type', async () => {
  const params = await post('message=hi&token=a');

  assert.equal(params.get('message'), 'hi');
});

test('reads a form that fetch calls plain text', async () => {
  const request = new Request(URL_BASE, { method: 'POST', body: 'message=hi&token=a' });

  const params = await read(request);

  assert.equal(params.get('token'), 'a');
});

test('reads a form body that came with GET', async () => {
  const body = new TextEncoder().encode('token=b');

  const params = readParams({ query: 'token=q', headers: {}, body });

  assert.equal(params.get('token'), 'b');
});

test('reads the query string of a POST without a body', async () => {
  const request = new Request(`${URL_BASE}?message=hi+there&title=%C3%BC`, { method: 'POST' });

  const params = await read(request);

  assert.deepEqual({ ...params.texts() }, { message: 'hi there', title: 'ü' });
});

test('lets the body win over the query string, also with an empty value', async () => {
  const params = await post('title=body&device=', FORM, '?title=query&device=phone&sound=magic');

  assert.equal(params.get('title'), 'body');
  assert.equal(params.has('device'), false);
  assert.equal(params.get('sound'), 'magic');
});

test('drops the line break that ends a form, and keeps those that were sent as text', async () => {
  const params = await post('secret=s&note=a%0A&message=123\r\n', FORM);

  assert.equal(params.get('message'), '123');
  assert.equal(params.get('note'), 'a\n');
});

test('keeps a percent sign that begins no escape', async () => {
  const params = await post('message=100% sure %zz %4', FORM);

  assert.equal(params.get('message'), '100% sure %zz %4');
});

test('lets the last of a repeated field count', async () => {
  const params = await post('title=one&title=two', FORM);

  assert.equal(params.get('title'), 'two');
});

test('decodes the character set that a form declares', async () => {
  const params = await post('message=caf%E9', `${FORM}; charset=ISO-8859-1`);

  assert.equal(params.get('message'), 'café');
});

test('takes an empty value for none, and tells that it was given', async () => {
  const params = await post('push=&title=x', FORM);

  assert.equal(params.has('push'), false);
  assert.equal(params.get('push'), undefined);
  assert.equal(params.cleared('push'), true);
  assert.equal(params.cleared('sound'), false);
  assert.deepEqual(params.names(), ['title']);
});

test('reads JSON as a form would say it', async () => {
  const body = {
    priority: 0,
    ttl: '60',
    html: true,
    monospace: false,
    url: null,
    title: '',
    device: ['a', 'b'],
  };

  const params = await post(JSON.stringify(body), 'application/json; charset=utf-8');

  assert.deepEqual(
    { ...params.texts() },
    { priority: '0', ttl: '60', html: '1', monospace: '0', device: 'a,b' },
  );
  assert.equal(params.cleared('url'), true);
});

test('keeps the digits of a JSON number that a double cannot hold', async () => {
  const params = await post('{"message":435443636951759403}', 'application/json');

  assert.equal(params.get('message'), '435443636951759403');
});

test('reads JSON that is sent as a form, as curl does, when it starts with a brace', async () => {
  const params = await post('\n {"message":"a=b&c"}', FORM);

  assert.equal(params.get('message'), 'a=b&c');
});

test('takes no other body for JSON', async () => {
  const params = await post('["message"]', FORM);

  assert.deepEqual(params.names(), []);
});

test('keeps half of an emoji from spoiling a message', async () => {
  const params = await post('{"message":"cut \\ud83d"}', 'application/json');

  assert.equal(params.get('message'), 'cut \ufffd');
});

test('gives an object of JSON, and that of a form, as an object', async () => {
  const push = { type: 'fcm', token: 't' };

  const json = await post(JSON.stringify({ push }), 'application/json');
  const form = await post(new URLSearchParams({ push: JSON.stringify(push) }).toString(), FORM);

  assert.deepEqual(json.getJson('push'), push);
  assert.deepEqual(form.getJson('push'), push);
  assert.equal(form.getJson('other'), undefined);
});

test('names the field that should have been text, or JSON', async () => {
  const params = await post('{"message":{"a":1},"push":"{"}', 'application/json');

  assert.throws(() => params.get('message'), aboutField('message', /must be text/));
  assert.throws(() => params.getJson('push'), aboutField('push', /not valid JSON/));
});

test('reads flags the way senders mean them', async () => {
  const params = await post('a=1&b=true&c=True&d=0&e=false&f=False&g=&h=yes', FORM);

  const on = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].filter((name) => params.flag(name));

  assert.deepEqual(on, ['a', 'b', 'c']);
});

test('takes names of object properties for names like any other', async () => {
  const params = await post('{"__proto__":"x","constructor":"y"}', 'application/json');

  assert.equal(params.get('__proto__'), 'x');
  assert.equal(params.get('toString'), undefined);
  assert.deepEqual(Object.keys(params.texts()), ['__proto__', 'constructor']);
});

test('refuses what is not UTF-8, with the field named', async () => {
  await assert.rejects(post('title=ok&message=%FF', FORM), aboutField('message', /not valid UTF-8/));
  await assert.rejects(post('', FORM, '?message=%C3'), aboutField('message', /not valid UTF-8/));
  await assert.rejects(
    post(Buffer.from('{"a":"\xff"}', 'latin1'), 'application/json'),
    aboutField('body', /UTF-8/),
  );
});

test('refuses NUL with the field named, and keeps other control characters', async () => {
  const params = await post('message=%1B%5B31mred%07', FORM);

  assert.equal(params.get('message'), '\u001b[31mred\u0007');
  await assert.rejects(post('message=a%00b', FORM), aboutField('message', /NUL/));
  await assert.rejects(post('{"message":"\\u0000"}', 'application/json'), aboutField('message', /NUL/));
});

test('refuses bodies that it cannot read', async () => {
  await assert.rejects(post('<message/>', 'text/xml'), aboutField('body', /unsupported Content-Type/));
  await assert.rejects(post('a=b', `${FORM}; charset=utf-16`), aboutField('body', /unsupported charset/));
  await assert.rejects(post('{"a":', 'application/json'), aboutField('body', /not valid JSON/));
  await assert.rejects(post('[1]', 'application/json'), aboutField('body', /must be a JSON object/));
  await assert.rejects(post('null', 'application/json'), aboutField('body', /must be a JSON object/));
});

test('does not inflate a compressed body, and reads one that only says it is not', async () => {
  const source = (encoding: string, body: string) => ({
    query: 'token=a',
    headers: { 'content-type': FORM, 'content-encoding': encoding },
    body: new TextEncoder().encode(body),
  });

  for (const encoding of ['gzip', 'br', 'gzip, identity', 'unknown']) {
    assert.throws(() => readParams(source(encoding, 'a=b')), aboutField('body', /Content-Encoding/));
  }
  assert.equal(readParams(source('Identity', 'message=hi')).get('message'), 'hi');
  assert.equal(readParams(source('gzip', '')).get('token'), 'a');
});

test('reads nothing from an empty body of any type', async () => {
  const params = await post('', 'text/xml');

  assert.deepEqual(params.names(), []);
});

test('refuses a body above the limit', () => {
  const long = {
    query: '',
    headers: { 'content-type': FORM },
    body: new TextEncoder().encode('message=0123456789'),
  };

  assert.throws(() => readParams(long, { maxBytes: 17 }), aboutField('body', /larger than 17 bytes/, 413));
  assert.equal(readParams(long, { maxBytes: 18 }).has('message'), true);
});

test('refuses too many fields, too long names and too deep JSON in every format', async () => {
  const pairs = Array.from({ length: 201 }, (_, i) => `f${i}=1`);
  const json = Object.fromEntries(pairs.map((pair) => [pair, 1]));
  const values = JSON.stringify({ list: new Array(6000).fill(1) });

  await assert.rejects(post(pairs.join('&'), FORM), aboutField('body', /more than 200 fields/));
  await assert.rejects(
    post(JSON.stringify(json), 'application/json'),
    aboutField('body', /more than 200 fields/),
  );
  await assert.rejects(post(values, 'application/json'), aboutField('body', /too many values/));
  await assert.rejects(post(`${'n'.repeat(201)}=1`, FORM), aboutField('body', /name that is too long/));
  await assert.rejects(post(`{"${'n'.repeat(201)}":1}`, 'application/json'), aboutField('body', /too long/));
  await assert.rejects(post('{"a":'.repeat(9), 'application/json'), aboutField('body', /deeper than 8/));
  assert.equal((await post(pairs.slice(1).join('&'), FORM)).names().length, 200);
});
