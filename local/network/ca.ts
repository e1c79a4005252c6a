/**
 * A certificate authority that lives as long as the local cloud: it lets clients reach the stand-ins under the real
 * host names with certificate checks switched on. Certificates as RFC 5280 has them, EC P-256 with SHA-256.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, der, integer, octets, oid, sequence, utcTime, utf8, yes } from './der.ts';

/** A server's private key (PKCS#8) and certificate, both PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

/** Issues server certificates; `pem` is what a client has to trust. */
export interface Authority {
  readonly pem: string;
  /** A certificate for host names, wildcards (`*.example.com`) and IPv4 addresses. */
  issue(names: readonly string[]): Certificate;
}

interface Subject {
  name: string;
  publicKey: KeyObject;
}

const DAY = 86_400_000;
const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const CRITICAL = true;

const nameOf = (text: string): Buffer =>
  sequence(der(0x31, sequence(oid('2.5.4.3'), utf8(text.slice(0, 64)))));

const keyId = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [yes()] : []), octets(value));
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** Signs a certificate. It is valid from an hour ago, so that a client whose clock lags still accepts it. */
function certify(subject: Subject, issuer: Subject, issuerKey: KeyObject, extensions: Buffer[]): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const now = Date.now();
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ECDSA_WITH_SHA256,
    nameOf(issuer.name),
    sequence(utcTime(new Date(now - DAY / 24)), utcTime(new Date(now + 365 * DAY))),
    nameOf(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        ...extensions,
        extension('2.5.29.14', octets(keyId(subject.publicKey))),
        extension('2.5.29.35', sequence(der(0x80, keyId(issuer.publicKey)))),
      ),
    ),
  );
  return pem(sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, issuerKey))));
}

function alternativeName(name: string): Buffer {
  if (isIP(name) === 4) return der(0x87, Buffer.from(name.split('.').map(Number)));
  return der(0x82, Buffer.from(name, 'ascii'));
}

/** Makes a new authority with a key that never leaves this process. */
export function createAuthority(): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // A name of its own each time: a client that trusts two authorities of one name may check with the wrong key.
  const root = { name: `Peal local cloud ${randomBytes(4).toString('hex')}`, publicKey: keys.publicKey };
  const rootPem = certify(root, root, keys.privateKey, [
    extension('2.5.29.19', sequence(yes()), CRITICAL),
    // keyCertSign and cRLSign, bits 5 and 6.
    extension('2.5.29.15', bits(Buffer.from([0b0000_0110]), 1), CRITICAL),
  ]);
  return {
    pem: rootPem,
    issue(names) {
      const [first] = names;
      if (first === undefined) throw new Error('A certificate needs at least one host name.');
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const cert = certify({ name: first, publicKey: own.publicKey }, root, keys.privateKey, [
        extension('2.5.29.19', sequence(), CRITICAL),
        // digitalSignature, bit 0.
        extension('2.5.29.15', bits(Buffer.from([0b1000_0000]), 7), CRITICAL),
        extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
        extension('2.5.29.17', sequence(...names.map(alternativeName))),
      ]);
      return { cert, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}
