import type { Micros } from '../events/row.ts';

const UNITS: Readonly<Record<string, Micros>> = {
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};

/** `250ms`, `30s`, `5m`, `1h`, `7d`; one unit, whole numbers. */
export const DURATION = /^(\d{1,12})(ms|s|m|h|d)$/;
export const DURATION_HINT = 'a duration is written 250ms, 30s, 5m, 1h or 7d';

/** Microseconds, or null when the text is not a duration. */
export function parseDuration(text: string): Micros | null {
  const match = DURATION.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}

/** The longest unit that divides it: `90s`, `2m`. */
export function formatDuration(micros: Micros): string {
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = UNITS[unit] ?? 1;
    if (micros % size === 0 && (micros > 0 || unit === 's')) return `${micros / size}${unit}`;
  }
  return `${micros}us`;
}
