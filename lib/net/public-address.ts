/**
 * Connections to addresses that users name must not reach what only we can reach: the metadata service, a private
 * network, this machine. Names are therefore resolved by a lookup that fails for any address which is not public, and
 * the connection is made to exactly the addresses that it returned: there is no second resolution that could differ.
 *
 * Which addresses are public: IANA's registries of special-purpose addresses (RFC 6890), and of IPv6 only what is
 * allocated as global unicast (RFC 4291, section 2.4).
 */

import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** A host whose address we do not connect to. */
export class NotPublicError extends Error {
  override readonly name = 'NotPublicError';
  readonly code = 'ERR_ADDRESS_NOT_PUBLIC';

  constructor(host: string) {
    super(`${host} is not at a public address`);
  }
}

const NOT_PUBLIC = [
  ['0.0.0.0', 8], // this network; reaches this machine
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared by carriers and clouds
  ['127.0.0.0', 8], // this machine
  ['169.254.0.0', 16], // link-local, metadata services
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays to 6to4, deprecated
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const;

/** Within global unicast. The two tunnels carry an IPv4 address that could be any. */
const NOT_PUBLIC_6 = [
  ['2001::', 23], // protocol assignments, Teredo among them
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3fff::', 20], // documentation
] as const;

const refused4 = new BlockList();
for (const [network, bits] of NOT_PUBLIC) refused4.addSubnet(network, bits, 'ipv4');
const refused6 = new BlockList();
for (const [network, bits] of NOT_PUBLIC_6) refused6.addSubnet(network, bits, 'ipv6');
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');

/**
 * Whether an address may be connected to on behalf of a user. IPv4 addresses in the dress of IPv6 (mapped, NAT64) are
 * not: where they are used in earnest, the name has an IPv4 address as well.
 *
 * @param address as DNS gives it; anything that is no address is not public
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !refused4.check(address, 'ipv4');
    case 6:
      // A zone (`%eth0`) belongs to link-local addresses, and would be lost on the check.
      return !address.includes('%') && global6.check(address, 'ipv6') && !refused6.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Resolves a name to all its addresses. */
export type Resolve = (
  host: string,
  options: { all: true; family?: number },
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for `net`, `tls`, `http` and `https` that fails with {@link NotPublicError} if any of the name's addresses
 * is not public: who mixes them is up to something.
 *
 * It is not asked about a host that is an address already: see {@link publicUrl}.
 */
export function createPublicLookup(resolve: Resolve): LookupFunction {
  return (host, options, done) => {
    const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
    resolve(host, { all: true, family }, (error, addresses) => {
      const [first] = error ? [] : addresses;
      if (error) done(error, []);
      else if (!first || !addresses.every(({ address }) => isPublicAddress(address)))
        done(new NotPublicError(host), []);
      else if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

/** How long an answer of the DNS is waited for at first, milliseconds; and how often it is asked. */
const DNS_TIMEOUT = 1_000;
const DNS_TRIES = 2;

/**
 * Asks the DNS, not the system: that (`dns.lookup`) has four threads for a whole process, each of which a name whose
 * servers never answer holds for many seconds, while every other name waits, AWS's own included.
 *
 * @param servers `address:port`; default: those that the system is configured with
 * @param timeout of the first try, milliseconds
 */
export function createResolve(servers?: string[], timeout: number = DNS_TIMEOUT): Resolve {
  const resolver = new Resolver({ timeout, tries: DNS_TRIES });
  if (servers) resolver.setServers(servers);
  return (host, { family = 0 }, done) => {
    resolveAll(resolver, host, family).then(
      (addresses) => done(null, addresses),
      (error: Error) => done(error, []),
    );
  };
}

async function resolveAll(resolver: Resolver, host: string, family: number): Promise<LookupAddress[]> {
  // Names of this machine are in no DNS (RFC 6761, section 6.3).
  if (/(^|\.)localhost\.?$/i.test(host)) return [{ address: '127.0.0.1', family: 4 }];
  const answers = await Promise.allSettled([
    ...(family === 6 ? [] : [resolver.resolve4(host)]),
    ...(family === 4 ? [] : [resolver.resolve6(host)]),
  ]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length > 0) return found.map((address) => ({ address, family: isIP(address) }));
  throw answers.find((answer) => answer.status === 'rejected')?.reason ?? new NotPublicError(host);
}

/** The lookup by the DNS that this machine is configured with. */
export const publicLookup: LookupFunction = createPublicLookup(createResolve());

/** For {@link publicUrl}: with and without TLS. */
export const HTTP_PROTOCOLS = ['http:', 'https:'] as const;

/**
 * Reads an address that a user gave: an absolute URL with TLS (unless plain HTTP is allowed), without a user name or
 * password, whose host is a name or a public IP address (in whatever notation: the URL parser brings it into its usual
 * form).
 *
 * A name is only known to be good when it is resolved, at the time of the connection: give that `publicLookup`.
 *
 * @returns undefined if it is anything else
 */
export function publicUrl(text: string, protocols: readonly string[] = ['https:']): URL | undefined {
  const url = URL.parse(text);
  if (!url || !protocols.includes(url.protocol)) return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  const address = hostAddress(url);
  return address === undefined || isPublicAddress(address) ? url : undefined;
}

/** The IP address that is a URL's host, without brackets; undefined if its host is a name. */
export function hostAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}
