import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, parseAddress, parseCidr } from '../../../../src/rules/cel/cidr.ts';
import { compareTexts } from '../../../../src/rules/cel/comparison.ts';
import { like } from '../../../../src/rules/cel/like.ts';
import {
  formatDuration,
  formatIso,
  parseDuration,
  parseIso,
  wallClock,
} from '../../../../src/rules/cel/time.ts';

describe('like', () => {
  it.each([
    ['abc', 'abc', true],
    ['abc', 'a%', true],
    ['abc', '%c', true],
    ['abc', '%b%', true],
    ['abc', '_b_', true],
    ['abc', 'ab', false],
    ['abc', 'a_', false],
    ['', '%', true],
    ['', '', true],
    ['', '_', false],
    ['a%c', 'a\\%c', true],
    ['abc', 'a\\%c', false],
    ['a_c', 'a\\_c', true],
    ['a\\c', 'a\\\\c', true],
    ['a\\', 'a\\', true],
    ['a\nb', 'a%b', true],
    ['😀', '_', true],
    ['aXbXc', 'a%X%c', true],
    ['aab', '%ab', true],
    ['ABC', 'abc', false],
  ])('like(%j, %j) is %s', (text, pattern, expected) => {
    expect(like(text, pattern)).toBe(expected);
  });

  it('agrees with the definition: a run is nothing, or one character and a run', () => {
    const slow = (text: string, pattern: string): boolean => {
      if (pattern === '') return text === '';
      const [first, rest] = [pattern[0], pattern.slice(1)];
      if (first === '%') return slow(text, rest) || (text !== '' && slow(text.slice(1), pattern));
      return text !== '' && (first === '_' || first === text[0]) && slow(text.slice(1), rest);
    };
    const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_'), maxLength: 8 });
    fc.assert(
      fc.property(word, pattern, (t, p) => like(t, p) === slow(t, p)),
      { numRuns: 2000 },
    );
  });

  it('takes no more than length times pattern', () => {
    const started = performance.now();
    expect(like('a'.repeat(5000), `${'%a'.repeat(50)}%b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

function inNet(ip: string, net: string): boolean | null {
  const [address, cidr] = [parseAddress(ip), parseCidr(net)];
  return address === null || cidr === null ? null : contains(cidr, address);
}

describe('in_cidr', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3/24', '10.1.2.0/28', true],
    ['192.168.1.130', '192.168.1.128/25', true],
    ['192.168.1.127', '192.168.1.128/25', false],
    ['1.2.3.4', '0.0.0.0/0', true],
    ['2001:db8:0:1::5', '2001:db8::/32', true],
    ['2001:db9::5', '2001:db8::/32', false],
    ['::1', '::/127', true],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['10.1.2.3', '::/0', false],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['10.1.2', '10.0.0.0/8', null],
    ['10.1.2.3', '10.0.0.0/33', null],
    ['10.1.2.3', '10.0.0.0/x', null],
    ['junk', 'junk', null],
  ])('in_cidr(%j, %j) is %s', (ip, net, expected) => {
    expect(inNet(ip, net)).toBe(expected);
  });

  it('agrees with node:net', () => {
    const near = (family: 'ipv4' | 'ipv6') => {
      const address = family === 'ipv4' ? fc.ipV4() : fc.ipV6();
      return fc.tuple(address, address, fc.nat({ max: family === 'ipv4' ? 32 : 128 }), fc.constant(family));
    };
    fc.assert(
      fc.property(fc.oneof(near('ipv4'), near('ipv6')), ([ip, net, bits, family]) => {
        const list = new BlockList();
        list.addSubnet(net, bits, family);
        for (const one of [ip, net]) expect(inNet(one, `${net}/${bits}`)).toBe(list.check(one, family));
      }),
    );
  });
});

describe('texts are in the order of code points', () => {
  it('as UTF-8 bytes are, which COLLATE "C" compares', () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom('a', '\ue000', '\uffff', '😀'), fc.string({ unit: 'grapheme' })),
    });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareTexts(a, b))).toBe(bytes);
      }),
    );
  });
});

describe('times', () => {
  it('are read and written to the microsecond', () => {
    expect(formatIso(parseIso('2026-01-31T08:30:00Z') ?? 0)).toBe('2026-01-31T08:30:00Z');
    expect(formatIso(parseIso('2026-01-31T08:30:00.5Z') ?? 0)).toBe('2026-01-31T08:30:00.500Z');
    expect(formatIso(parseIso('1969-12-31T23:59:59.999999Z') ?? 0)).toBe('1969-12-31T23:59:59.999999Z');
    expect(formatIso(Number.NEGATIVE_INFINITY)).toBe('-infinity');
    fc.assert(fc.property(fc.integer({ min: -8e15, max: 8e15 }), (at) => parseIso(formatIso(at)) === at));
  });

  it.each(['2026-02-30T00:00:00Z', '2026-01-01', '2026-01-01T00:00:00', '2026-1-1T00:00:00Z', 'now', ''])(
    '%j is none',
    (text) => expect(parseIso(text)).toBe(null),
  );

  it('durations are read and written', () => {
    expect(['24h', '1h30m', '-1.5s', '7d', '250ms', '10us', '0s'].map(parseDuration)).toEqual([
      86_400_000_000, 5_400_000_000, -1_500_000, 604_800_000_000, 250_000, 10, 0,
    ]);
    expect(['', '5', 'h', '1w', '1h ', '- 1h'].map(parseDuration)).toEqual(Array(6).fill(null));
    fc.assert(
      fc.property(
        fc.integer({ min: -1e14, max: 1e14 }),
        (span) => parseDuration(formatDuration(span)) === span,
      ),
      { numRuns: 5000 },
    );
  });

  it('are on the wall what Intl says, whatever order rows come in', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'UTC',
      'Pacific/Apia',
    ];
    const millis = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2040, 0) });
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.array(millis, { minLength: 1 }), (zone, times) => {
        const clock = wallClock(zone);
        if (clock === null) throw new Error(zone);
        const format = new Intl.DateTimeFormat('sv-SE', {
          timeZone: zone,
          dateStyle: 'short',
          timeStyle: 'medium',
        });
        for (const time of times) {
          const local = new Date(clock(time * 1000)).toISOString().slice(0, 19).replace('T', ' ');
          expect(local).toBe(format.format(time));
        }
      }),
    );
    expect(wallClock('Mars/Base')).toBe(null);
    expect(wallClock('+25:00')).toBe(null);
  });
});
