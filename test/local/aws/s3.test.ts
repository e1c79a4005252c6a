import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { allow, getAtt, lambda, role, sharedEngine, writeStack } from '../assemblies.ts';

const OBJECTS = { 'Fn::Join': ['', [getAtt('B'), '/open/*']] };

describe('S3 behind the front', () => {
  let now = Date.UTC(2026, 0, 1);
  const engine = sharedEngine(
    (t) =>
      writeStack(t, {
        B: {
          Type: 'AWS::S3::Bucket',
          Properties: {
            CorsConfiguration: {
              CorsRules: [
                {
                  AllowedMethods: ['GET'],
                  AllowedOrigins: ['https://*.example'],
                  AllowedHeaders: ['x-*'],
                  ExposedHeaders: ['etag'],
                  MaxAge: 60,
                },
              ],
            },
          },
        },
        R: role(allow(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], OBJECTS)),
        F: lambda('R'),
        R2: role(allow('s3:*', [getAtt('B'), OBJECTS] as never)),
        G: lambda('R2'),
      }),
    { now: () => now },
  );

  const request = async (
    method: string,
    path: string,
    {
      as = 'Test-F',
      body,
      headers = {},
    }: { as?: string; body?: string; headers?: Record<string, string> } = {},
  ) => {
    const scope = `LOCAL-${as}/20260101/us-east-1/s3/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
    const init: RequestInit = { method, headers: { authorization, ...headers } };
    if (body !== undefined) init.body = body;
    const response = await fetch(`${engine().front.url}/test-b${path}`, init);
    return { status: response.status, text: await response.text() };
  };

  beforeEach(() => engine().meter.reset());

  test('stores and gives objects, and counts the requests', async () => {
    await request('PUT', '/open/a', { body: 'content' });
    const { text } = await request('GET', '/open/a');
    await request('DELETE', '/open/a');

    assert.equal(text, 'content');
    assert.deepEqual(engine().meter.read(), { 'Test-F': { 's3.put': 1, 's3.get': 1 } });
  });

  test('refuses what the role does not allow with S3’s XML', async () => {
    const { status, text } = await request('PUT', '/closed/a', { body: 'x' });

    assert.equal(status, 403);
    assert.match(
      text,
      /<Code>AccessDenied<\/Code><Message>User: arn:aws:sts::.* is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::test-b\/closed\/a /,
    );
  });

  test('tells of a missing object only to who may list the bucket', async () => {
    const [blind, seeing] = [
      await request('GET', '/open/none'),
      await request('GET', '/open/none', { as: 'Test-G' }),
    ];

    assert.equal(blind.status, 403);
    assert.equal(seeing.status, 404);
  });

  test('does not overwrite with If-None-Match', async () => {
    const headers = { 'if-none-match': '*' };
    const first = await request('PUT', '/open/once', { body: '1', headers });
    const second = await request('PUT', '/open/once', { body: '2', headers });

    assert.deepEqual([first.status, second.status], [200, 412]);
    assert.equal((await request('GET', '/open/once')).text, '1');
  });

  test('refuses tags, which the emulator would take for the object', async () => {
    await request('PUT', '/open/tagged', { as: 'Test-G', body: 'kept' });

    const { status } = await request('PUT', '/open/tagged?tagging', { as: 'Test-G', body: '<Tagging/>' });

    assert.equal(status, 501);
    assert.equal((await request('GET', '/open/tagged')).text, 'kept');
  });

  test('takes a presigned URL until it expires', async () => {
    await request('PUT', '/open/signed', { body: 'content' });
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'LOCAL-Test-F/20260101/us-east-1/s3/aws4_request',
      'X-Amz-Date': '20260101T000000Z',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': '0',
    });
    const get = () => fetch(`${engine().front.url}/test-b/open/signed?${query}`);

    const inTime = await get();
    now += 61_000;
    const late = await get();

    assert.deepEqual([inTime.status, late.status], [200, 403]);
    assert.equal(await inTime.text(), 'content');
    assert.match(await late.text(), /Request has expired/);
  });

  describe('a posted form', () => {
    const fields = {
      key: 'open/posted',
      'X-Amz-Credential': 'LOCAL-Test-F/20260101/us-east-1/s3/aws4_request',
      'Content-Type': 'image/png',
    };
    const conditions: unknown[] = [
      { bucket: 'test-b' },
      ['starts-with', '$key', 'open/'],
      { 'x-amz-credential': fields['X-Amz-Credential'] },
      ['eq', '$Content-Type', 'image/png'],
      ['content-length-range', 2, 4],
    ];

    const postForm = async (more: Record<string, string> = {}, file = 'abc', policy: object = {}) => {
      const form = new FormData();
      const expiration = new Date(now + 60_000).toISOString();
      const Policy = Buffer.from(JSON.stringify({ expiration, conditions, ...policy })).toString('base64');
      for (const [name, value] of Object.entries({ ...fields, Policy, 'X-Amz-Signature': '0', ...more })) {
        form.append(name, value);
      }
      form.append('file', new Blob([file]));
      form.append('behind', 'is ignored');
      const response = await fetch(`${engine().front.url}/test-b`, { method: 'POST', body: form });
      return { status: response.status, text: await response.text() };
    };

    test('stores its object under the signer’s role, and counts it', async () => {
      const posted = await postForm();

      assert.deepEqual([posted.status, posted.text], [204, '']);
      assert.deepEqual(engine().meter.read(), { 'Test-F': { 's3.put': 1 } });
      assert.equal((await request('GET', '/open/posted')).text, 'abc');
    });

    test('is refused where its policy, its role or its size does not allow it', async () => {
      const unknown = 'LOCAL-Nobody/20260101/us-east-1/s3/aws4_request';
      const anyone = conditions.filter((one) => !JSON.stringify(one).includes('credential'));
      const cases: [Awaited<ReturnType<typeof postForm>>, number, RegExp][] = [
        [await postForm({ key: 'closed/a' }), 403, /Policy Condition failed/],
        [await postForm({ 'Content-Type': 'text/html' }), 403, /Policy Condition failed/],
        [await postForm({ acl: 'public-read' }), 403, /Extra input fields: acl/],
        [await postForm({}, 'abc', { expiration: new Date(now - 1).toISOString() }), 403, /Policy expired/],
        [await postForm({}, 'abcde'), 400, /EntityTooLarge/],
        [await postForm({}, 'a'), 400, /EntityTooSmall/],
        [await postForm({ Policy: 'e30=' }), 400, /InvalidPolicyDocument/],
        [
          await postForm({ key: 'closed/a' }, 'abc', {
            conditions: [['starts-with', '$key', ''], ...conditions.toSpliced(1, 1)],
          }),
          403,
          /not authorized to perform: s3:PutObject on resource: arn:aws:s3:::test-b\/closed\/a/,
        ],
        [
          await postForm({ 'X-Amz-Credential': unknown }, 'abc', {
            conditions: [['starts-with', '$x-amz-credential', ''], ...anyone],
          }),
          403,
          /InvalidAccessKeyId/,
        ],
      ];

      for (const [{ status, text }, expected, words] of cases) {
        assert.equal(status, expected, text);
        assert.match(text, words);
      }
    });
  });

  test('answers browsers as the bucket’s CORS rules say', async () => {
    const ask = (origin: string, method: string, headers: string) =>
      fetch(`${engine().front.url}/test-b/open/a`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': headers,
        },
      });

    const allowed = await ask('https://app.example', 'GET', 'x-one, X-Two');
    const refused = await Promise.all([
      ask('https://app.other', 'GET', ''),
      ask('https://app.example', 'PUT', ''),
      ask('https://app.example', 'GET', 'authorization'),
    ]);
    const got = await fetch(`${engine().front.url}/test-b/open/a`, {
      headers: { origin: 'https://app.example' },
    });

    assert.equal(allowed.status, 200);
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.equal(allowed.headers.get('access-control-allow-headers'), 'x-one, x-two');
    assert.equal(allowed.headers.get('access-control-max-age'), '60');
    assert.deepEqual(
      refused.map(({ status }) => status),
      [403, 403, 403],
    );
    assert.equal(got.status, 403);
    assert.equal(got.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.equal(got.headers.get('access-control-expose-headers'), 'etag');
  });

  test('refuses a request that nobody signed', async () => {
    const { status } = await fetch(`${engine().front.url}/test-b/open/a`);

    assert.equal(status, 403);
  });
});
