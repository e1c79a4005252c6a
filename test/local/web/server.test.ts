import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usePeal } from '../../support/peal.ts';
import { pealWithout } from '../gaps.ts';

const peal = usePeal();

const at = (path: string, init?: RequestInit) => fetch(`${peal().web}${path}`, init);

test('the web app is served with the template’s headers, where it may call the local addresses alone', async () => {
  const response = await at('/');
  const html = await response.text();

  const policy = response.headers.get('content-security-policy') ?? '';
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/html');
  assert.match(html, /<title>Peal<\/title>/);
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.ok(policy.includes(`connect-src 'self' ${peal().api} ${peal().socket} `), policy);
  assert.doesNotMatch(policy, /unsafe|execute-api/);
  for (const [name, value] of [
    ['cross-origin-opener-policy', 'same-origin'],
    ['referrer-policy', 'no-referrer'],
    ['strict-transport-security', 'max-age=31536000; includeSubDomains'],
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
  ]) {
    assert.equal(response.headers.get(name!), value);
  }
});

test('the addresses come with the deployment', async () => {
  const config = await (await at('/config.json')).json();

  assert.deepEqual(config, { api: peal().api, socket: peal().socket });
});

test('what has a hash in its name is kept for ever, the rest is asked for anew', async () => {
  const html = await (await at('/')).text();
  const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(html)!;
  const kept = await Promise.all(
    [script!, '/', '/sw.js', '/config.json', '/manifest.json'].map(async (path) => {
      const response = await at(path, { method: 'HEAD' });
      return response.headers.get('cache-control');
    }),
  );

  assert.deepEqual(kept, ['public, max-age=31536000, immutable', ...Array(4).fill('no-cache')]);
});

test('what is not there, and what is no reading, is refused as S3 and CloudFront do', async () => {
  const missing = await at('/assets/nothing.js');
  const outside = await at('/..%2f..%2fpackage.json');
  const post = await at('/', { method: 'POST' });

  assert.deepEqual([missing.status, outside.status, post.status], [403, 403, 403]);
});

test('without the bucket’s grant to CloudFront, nothing is served and the log says why', async (t) => {
  const gapped = await pealWithout(t, 'PealWeb', (resources) => {
    const [id] = Object.entries(resources).find(([, { Type }]) => Type === 'AWS::S3::BucketPolicy')!;
    delete resources[id];
  });

  const response = await fetch(gapped.web);
  await gapped.line(/CloudFront has no access to the bucket/);

  assert.equal(response.status, 403);
});
