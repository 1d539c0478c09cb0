import { RE2JS } from 're2js';
import { type Cidr, contains, parseAddress, parseCidr } from '../cidr.ts';
import { ArgumentError, CelEvaluationError, type Compiled } from '../compiled.ts';
import { like } from '../like.ts';
import { type Build, type Signature, signature, strict } from '../signature.ts';

/** The pattern is compiled once: it must be written in the condition. */
function re2(parts: readonly Compiled[]): ReturnType<Build> {
  const pattern = parts[1]?.constant?.value;
  if (typeof pattern !== 'string') {
    throw new ArgumentError(1, 'the pattern of re2() must be a text in quotes', 're2(name, r"^a+$")');
  }
  const compiled = compilePattern(pattern);
  return strict((text: string) => compiled.test(text))(parts.slice(0, 1));
}

function compilePattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArgumentError(
      1,
      `${JSON.stringify(pattern)} is not a pattern of RE2: ${reason}`,
      'the syntax is that of https://github.com/google/re2/wiki/Syntax (no look-around, no back-references)',
    );
  }
}

function inCidr(parts: readonly Compiled[]): ReturnType<Build> {
  const net = parts[1]?.constant?.value;
  if (typeof net !== 'string') {
    return strict((ip: string, text: string) => contains(runtimeCidr(text), runtimeAddress(ip)))(parts);
  }
  const cidr = parseCidr(net);
  if (cidr === null) {
    throw new ArgumentError(
      1,
      `${JSON.stringify(net)} is not a network`,
      'networks are written "10.0.0.0/8" or "2001:db8::/32"',
    );
  }
  return strict((ip: string) => contains(cidr, runtimeAddress(ip)))(parts.slice(0, 1));
}

function runtimeAddress(text: string): Cidr {
  const address = parseAddress(text);
  if (address === null) throw new CelEvaluationError(`in_cidr: ${JSON.stringify(text)} is not an IP address`);
  return address;
}

function runtimeCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw new CelEvaluationError(`in_cidr: ${JSON.stringify(text)} is not a network`);
  return cidr;
}

export const MATCH_FUNCTIONS: readonly Signature[] = [
  signature('like(string, string): bool', strict(like), { own: true }),
  signature('re2(string, string): bool', re2, { own: true }),
  signature('in_cidr(string, string): bool', inCidr, { own: true, throws: true }),
];
