import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority } from '../../../local/network/ca.ts';

test('issues a certificate that its authority vouches for, for names, wildcards and addresses', async () => {
  const authority = await createAuthority();

  const { cert, key } = await authority.issue([
    'api.pushover.net',
    '*.execute-api.us-east-1.amazonaws.com',
    '127.0.0.1',
  ]);

  const root = new X509Certificate(authority.pem);
  const leaf = new X509Certificate(cert);
  assert.ok(root.ca && root.verify(root.publicKey));
  assert.ok(!leaf.ca && leaf.checkIssued(root) && leaf.verify(root.publicKey));
  assert.ok(leaf.checkPrivateKey(createPrivateKey(key)));
  assert.equal(leaf.checkHost('api.pushover.net'), 'api.pushover.net');
  assert.ok(leaf.checkHost('abc.execute-api.us-east-1.amazonaws.com'));
  assert.equal(leaf.checkHost('a.b.execute-api.us-east-1.amazonaws.com'), undefined);
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
});

test('is valid now and for months', async () => {
  const authority = await createAuthority();

  const { cert } = await authority.issue(['a.example']);
  const { validFromDate, validToDate } = new X509Certificate(cert);

  assert.ok(validFromDate.getTime() < Date.now());
  assert.ok(validToDate.getTime() > Date.now() + 180 * 86_400_000);
});

test('makes authorities that do not vouch for each other', async () => {
  const one = await createAuthority();
  const other = await createAuthority();

  const leaf = new X509Certificate((await one.issue(['a.example'])).cert);

  assert.equal(leaf.verify(new X509Certificate(other.pem).publicKey), false);
  await assert.rejects(one.issue([]), /at least one host name/);
});
