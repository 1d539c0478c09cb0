import { isIPv4, isIPv6 } from 'node:net';

/** An address or a network: 4 or 16 bytes, and how many bits of them count. */
export interface Cidr {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** An address, or PostgreSQL's text of an inet (whose `/bits` are left out). null: neither. */
export function parseAddress(text: string): Cidr | null {
  const slash = text.indexOf('/');
  return parseBytes(slash < 0 ? text : text.slice(0, slash));
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. null: not a network. */
export function parseCidr(text: string): Cidr | null {
  const [, address = '', mask] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const whole = parseBytes(address);
  if (whole === null || mask === undefined) return whole;
  const given = Number(mask);
  // `::ffff:10.0.0.0/104` is the IPv4 network of 8 bits.
  const bits = address.includes(':') && whole.bytes.length === 4 ? given - 96 : given;
  return bits >= 0 && bits <= whole.bits ? { bytes: whole.bytes, bits } : null;
}

export function contains(net: Cidr, address: Cidr): boolean {
  if (net.bytes.length !== address.bytes.length || address.bits < net.bits) return false;
  const full = net.bits >> 3;
  for (let i = 0; i < full; i += 1) if (net.bytes[i] !== address.bytes[i]) return false;
  const rest = net.bits & 7;
  return rest === 0 || ((net.bytes[full] ?? 0) ^ (address.bytes[full] ?? 0)) >> (8 - rest) === 0;
}

function parseBytes(text: string): Cidr | null {
  if (isIPv4(text)) return { bytes: text.split('.').map(Number), bits: 32 };
  if (!isIPv6(text)) return null;
  const bytes = ipv6Bytes(text.replace(/%.*$/, ''));
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? { bytes: bytes.slice(12), bits: 32 } : { bytes, bits: 128 };
}

/** Of a text that is IPv6: groups, `::` once, and perhaps IPv4 at the end. */
function ipv6Bytes(text: string): readonly number[] {
  const [head = '', tail] = text.split('::');
  const left = groupBytes(head);
  if (tail === undefined) return left;
  const right = groupBytes(tail);
  return [...left, ...Array<number>(16 - left.length - right.length).fill(0), ...right];
}

function groupBytes(groups: string): readonly number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
