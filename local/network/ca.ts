/**
 * A certificate authority that lives as long as the local cloud: it lets clients reach the stand-ins under the real
 * host names with certificate checks switched on. Certificates as RFC 5280 has them, EC P-256 with SHA-256.
 */
// The library registers its algorithms by decorators, which need this before it is loaded.
import 'reflect-metadata';
import { KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A server's private key (PKCS#8) and certificate, both PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

/** Issues server certificates; `pem` is what a client has to trust. */
export interface Authority {
  readonly pem: string;
  /**
   * A certificate for host names, wildcards (`*.example.com`) and IPv4 addresses.
   *
   * @throws Error without any name
   */
  issue(names: readonly string[]): Promise<Certificate>;
}

interface Subject {
  name: string;
  keys: CryptoKeyPair;
}

const DAY = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const CRITICAL = true;
/** X.520's upper bound of a common name, characters. */
const NAME_LIMIT = 64;

async function subjectOf(name: string): Promise<Subject> {
  return { name, keys: await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) };
}

/** Signs a certificate. It is valid from an hour ago, so that a client whose clock lags still accepts it. */
async function certify(subject: Subject, issuer: Subject, extensions: Extension[]): Promise<string> {
  const now = Date.now();
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [subject.name.slice(0, NAME_LIMIT)] }],
    issuer: [{ CN: [issuer.name] }],
    notBefore: new Date(now - DAY / 24),
    notAfter: new Date(now + 365 * DAY),
    publicKey: subject.keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...extensions,
      await SubjectKeyIdentifierExtension.create(subject.keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** Makes a new authority with a key that never leaves this process. */
export async function createAuthority(): Promise<Authority> {
  // A name of its own each time: a client that trusts two authorities of one name may check with the wrong key.
  const root = await subjectOf(`Peal local cloud ${randomBytes(4).toString('hex')}`);
  const pem = await certify(root, root, [
    new BasicConstraintsExtension(true, undefined, CRITICAL),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, CRITICAL),
  ]);
  return {
    pem,
    async issue(names) {
      const [first] = names;
      if (first === undefined) throw new Error('A certificate needs at least one host name.');
      const server = await subjectOf(first);
      const cert = await certify(server, root, [
        new BasicConstraintsExtension(false, undefined, CRITICAL),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, CRITICAL),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((value): JsonGeneralName => ({ type: isIP(value) === 4 ? 'ip' : 'dns', value })),
        ),
      ]);
      const key = KeyObject.from(server.keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
      return { cert, key };
    },
  };
}
