import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { allow, getAtt, lambda, role, sharedEngine, writeStack } from '../assemblies.ts';

const OBJECTS = { 'Fn::Join': ['', [getAtt('B'), '/open/*']] };

describe('S3 behind the front', () => {
  let now = Date.UTC(2026, 0, 1);
  const engine = sharedEngine(
    (t) =>
      writeStack(t, {
        B: { Type: 'AWS::S3::Bucket' },
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

  test('refuses a request that nobody signed', async () => {
    const { status } = await fetch(`${engine().front.url}/test-b/open/a`);

    assert.equal(status, 403);
  });
});
