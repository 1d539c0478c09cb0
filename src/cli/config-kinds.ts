import { z } from 'zod';

/** How a setting's text becomes its value, and what the text has to be: `a whole number from 1 to 1024`. */
export type Kind<Value> = readonly [z.ZodType<Value, string>, string];

export const text: Kind<string> = [z.string().min(1), 'a text that is not empty'];
export const yesOrNo: Kind<boolean> = [
  z.enum(['true', 'false']).transform((t) => t === 'true'),
  'true or false',
];

export function url(protocols: readonly string[]): Kind<string> {
  const fits = (value: string): boolean => URL.canParse(value) && protocols.includes(new URL(value).protocol);
  return [z.string().refine(fits), `a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`];
}
export const postgresUrl = url(['postgresql:', 'postgres:']);

export function whole(from: number, to: number): Kind<number> {
  const schema = z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(from).max(to));
  return [schema, `a whole number from ${from} to ${to}`];
}

export function oneOf<const Name extends string>(names: readonly Name[]): Kind<Name> {
  return [z.string().pipe(z.enum(names)), `one of ${names.join(', ')}`];
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
export function duration(fromMs: number, toMs: number): Kind<number> {
  const schema = z
    .string()
    .regex(/^\d+(ms|s|m|h|d)$/)
    .transform((t) => Number.parseInt(t, 10) * (UNITS_MS[t.replace(/^\d+/, '')] ?? 0))
    .pipe(z.int().min(fromMs).max(toMs));
  return [schema, `a duration such as 250ms, 5s or 1m, from ${fromMs}ms to ${toMs}ms`];
}

const UNITS_BYTES: Readonly<Record<string, number>> = { '': 1, kB: 1 << 10, MB: 1 << 20, GB: 1 << 30 };
export function bytes(from: number): Kind<number> {
  const schema = z
    .string()
    .regex(/^\d+(kB|MB|GB)?$/)
    .transform((t) => Number.parseInt(t, 10) * (UNITS_BYTES[t.replace(/^\d+/, '')] ?? 0))
    .pipe(z.int().min(from));
  return [schema, `bytes such as 65536, 512kB, 64MB or 1GB, at least ${from}`];
}

export const address: Kind<{ host: string; port: number }> = [
  z
    .string()
    .regex(/^(\[[0-9A-Fa-f:.]+\]|[^:[\]\s/]+):\d{1,5}$/)
    .transform((t) => ({
      host: t.slice(0, t.lastIndexOf(':')).replace(/^\[|\]$/g, ''),
      port: Number(t.slice(t.lastIndexOf(':') + 1)),
    }))
    .refine(({ port }) => port <= 65_535),
  'host:port such as 127.0.0.1:8090 or [::1]:8090',
];
