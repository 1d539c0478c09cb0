import { readFileSync } from 'node:fs';
import type { Line } from './rows.ts';

/** A pattern, events, and what Flink makes of them (test/fixtures/cep-cases, from shared/cep-cases). */
export interface FlinkCase {
  readonly id: string;
  /** The text of a rule file. */
  readonly rules: string;
  readonly events: readonly (Line | { readonly watermark: number })[];
  readonly flush: boolean;
  /** A set; line numbers by step. Absent where the rules are refused. */
  readonly expected?: readonly Readonly<Record<string, readonly number[]>>[];
  readonly late?: readonly number[];
  /** Why the rules are refused. */
  readonly error?: string;
  /** Flink contradicts its own rules here: agreement is not asked for. */
  readonly oddity?: boolean;
}

export const FLINK_CASES: readonly FlinkCase[] = ['suite', 'generated'].flatMap((name) => {
  const file = new URL(`../../fixtures/cep-cases/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as FlinkCase[];
});

/** The events of a case, without the lines that move time, and what those lines say. */
export function eventsOf({ events }: FlinkCase): {
  readonly lines: readonly Line[];
  /** By index of `lines`: its line in the file. */
  readonly numbers: readonly number[];
  /** By index of `lines`: where time was before it, in milliseconds; null: the case says nothing. */
  readonly watermarks: ((index: number) => number) | null;
} {
  const found = { lines: [] as Line[], numbers: [] as number[], times: [] as number[] };
  let time = Number.NEGATIVE_INFINITY;
  for (const [number, event] of events.entries()) {
    if ('at' in event) {
      found.lines.push(event);
      found.numbers.push(number);
      found.times.push(time);
    } else time = Math.max(time, event.watermark);
  }
  const { lines, numbers, times } = found;
  const said = lines.length < events.length;
  return { lines, numbers, watermarks: said ? (index) => times[index] ?? time : null };
}

/** A match as text that is the same for equal matches: `a:0 b:1,2`. */
export function matchText(steps: Readonly<Record<string, readonly number[]>>): string {
  return Object.entries(steps)
    .map(([step, numbers]) => `${step}:${numbers.join(',')}`)
    .sort()
    .join(' ');
}
