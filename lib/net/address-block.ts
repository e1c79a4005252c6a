import { isIP } from 'node:net';

/**
 * What counts as one address: an IPv4 address as a whole, of an IPv6 address the first 64 bits, since whoever has one
 * has all the others of its network (RFC 6177). An IPv4 address in IPv6's dress (`::ffff:1.2.3.4`) is
 * the IPv4 address.
 *
 * @param address as a connection has it; what is no address counts as itself
 */
export function addressBlock(address: string): string {
  const [bare = ''] = address.split('%');
  if (isIP(bare) !== 6) return bare;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  // Without `::` the first four groups are there as they are; with it, zeros stand for what is left out.
  const [head = '', tail] = bare.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  // A dotted end is two groups.
  const length = before.length + after.length + (bare.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - length }, () => 0);
  const all = [...before, ...zeros, ...after].slice(0, 4);
  return `${all.map((group) => group.toString(16)).join(':')}::/64`;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
