import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROOT } from '../../../local/iam/iam.ts';
import { expiryTime } from '../../../local/resources/lifecycle.ts';
import { engineOf, sharedEngine, table, writeStack } from '../assemblies.ts';

const bucket = (rule: Record<string, string | number>) => ({
  Type: 'AWS::S3::Bucket',
  Properties: { LifecycleConfiguration: { Rules: [{ Status: 'Enabled', ...rule }] } },
});

describe('expired items', () => {
  let now = Date.now();
  const engine = sharedEngine((t) => writeStack(t, { T: table() }), { now: () => now });
  const call = (action: string, input: object) =>
    engine().front.send(ROOT, 'dynamodb', action, { TableName: 'Test-T', ...input });
  const put = (sk: string, ttl?: number) =>
    call('PutItem', {
      Item: { pk: { S: 'p' }, sk: { S: sk }, ...(ttl === undefined ? {} : { ttl: { N: String(ttl) } }) },
    });
  const exists = async (sk: string) =>
    (await call('GetItem', { Key: { pk: { S: 'p' }, sk: { S: sk } } })).Item !== undefined;

  test('are still read until the sweep comes, an hour late', async () => {
    const expiry = Math.floor(now / 1000);
    await put('late', expiry);

    now += 3599_000;
    await engine().sweep();
    const soon = await exists('late');
    now += 2000;
    const { items } = await engine().sweep();

    assert.equal(soon, true);
    assert.equal(items, 1);
    assert.equal(await exists('late'), false);
  });

  test('are told from items without expiry and items in milliseconds', async () => {
    await put('forever');
    await put('milliseconds', now);
    await put('ancient', 1);

    now += 24 * 3600_000;
    await engine().sweep();

    assert.deepEqual(await Promise.all(['forever', 'milliseconds', 'ancient'].map(exists)), [
      true,
      true,
      true,
    ]);
  });
});

describe('expired objects', () => {
  let now = Date.now();
  const engine = sharedEngine(
    (t) =>
      writeStack(t, {
        B: bucket({ Prefix: 'short/', ExpirationInDays: 3 }),
        C: bucket({ ExpirationInDays: 1, ObjectSizeGreaterThan: 3 }),
      }),
    { now: () => now },
  );
  const request = async (method: string, path: string, body?: string) => {
    const authorization = `AWS4-HMAC-SHA256 Credential=${ROOT}/20260101/us-east-1/s3/aws4_request, Signature=0`;
    const init: RequestInit = { method, headers: { authorization } };
    if (body !== undefined) init.body = body;
    const response = await fetch(`${engine().front.url}${path}`, init);
    await response.arrayBuffer();
    return response.status;
  };

  test('go at the midnight after their days, by prefix and size', async () => {
    for (const path of ['/test-b/short/a & b', '/test-b/long/a']) await request('PUT', path, 'content');
    await request('PUT', '/test-c/large', '1234');
    await request('PUT', '/test-c/small', '123');
    const created = now;

    now = expiryTime(created, 3) - 1;
    const before = await engine().sweep();
    now = expiryTime(created, 3) + 60_000;
    const after = await engine().sweep();

    assert.deepEqual([before.objects, after.objects], [1, 1]);
    const paths = ['/test-b/short/a%20%26%20b', '/test-b/long/a', '/test-c/large', '/test-c/small'];
    assert.deepEqual(await Promise.all(paths.map((path) => request('GET', path))), [404, 200, 404, 200]);
  });

  test('expire at midnight UTC, never early', () => {
    assert.equal(expiryTime(Date.UTC(2026, 0, 1, 10, 30), 3), Date.UTC(2026, 0, 5));
    assert.equal(expiryTime(Date.UTC(2026, 0, 1, 0, 0, 0, 1), 1), Date.UTC(2026, 0, 3));
  });

  test('need a rule that can be run here', async (t) => {
    const tagged = bucket({ ExpirationInDays: 1, TagFilters: 'x' });

    await assert.rejects(
      engineOf(t, writeStack(t, { B: tagged })),
      /LifecycleConfiguration: TagFilters is not supported/,
    );
  });
});
