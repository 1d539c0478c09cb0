import type { PatternOutput } from '../../engine/outputs.ts';
import { WeirError } from '../../errors.ts';
import type { PositionText } from '../../events/position.ts';
import { formatIso } from '../cel/time.ts';
import type { Plan } from '../plan.ts';
import type { Json } from '../value-format.ts';
import { ColumnSlips } from './column-slips.ts';
import { GivenError } from './given.ts';
import { type ReplayLine, readLine } from './replay-line.ts';
import { type Effects, type SimulatedDecision, Simulation } from './simulate.ts';

/** A line of `weir replay`'s output (shared/spec/interfaces.md). What is of a shadow rule says so. */
export type ReplayOutput =
  | {
      readonly kind: 'match' | 'timeout';
      readonly rule: string;
      /** null: the pattern has no `by`. */
      readonly key: string | null;
      readonly at: string;
      /** By step: the numbers of the lines that it took. */
      readonly steps: Readonly<Record<string, readonly number[]>>;
      readonly let: Readonly<Record<string, Json>>;
      readonly mode?: 'shadow';
    }
  | {
      readonly kind: 'hit';
      readonly rule: string;
      readonly line: number;
      readonly score: number;
      readonly let: Readonly<Record<string, Json>>;
      readonly mode?: 'shadow';
    }
  | {
      readonly kind: 'decision';
      readonly event: string;
      readonly id: string | null;
      readonly line: number;
      readonly score: number;
      readonly band: string | null;
      readonly reasons: readonly { readonly rule: string; readonly score: number }[];
      readonly mode?: 'shadow';
    }
  | { readonly kind: 'late'; readonly line: number }
  /** A rule failed on the row; the others went on. */
  | { readonly kind: 'dead_letter'; readonly rule: string; readonly line: number; readonly error: string };

export interface ReplayOptions {
  /** For the places of bad lines. */
  readonly file: string;
  /** Time moves to infinity at the end; default true. */
  readonly flush?: boolean;
  /** What is most likely a mistake, told at the end. */
  readonly warn?: (warning: string) => void;
}

const MOST_MISTAKES = 20;

/**
 * Folds the lines of a file in their order. After a bad line nothing more comes out, but the rest is still read, so
 * that all bad lines (up to 20) are in the one WeirError that is thrown at the end, each as `file:line: …`.
 */
export async function* replay(
  plan: Plan,
  lines: AsyncIterable<string> | Iterable<string>,
  { file, flush = true, warn }: ReplayOptions,
): AsyncGenerator<ReplayOutput> {
  const simulation = new Simulation(plan);
  const numbers = new LineNumbers();
  const slips = new ColumnSlips(plan);
  const mistakes: string[] = [];
  let number = -1;
  for await (const text of lines) {
    number += 1;
    const line = tryRead(plan, text);
    if (line instanceof GivenError) mistakes.push(`${file}:${number + 1}: ${line.message}`);
    if (mistakes.length >= MOST_MISTAKES) break;
    if (line instanceof GivenError || mistakes.length > 0 || line.kind === 'nothing') continue;
    if (line.kind === 'watermark') {
      yield* outputsOf(simulation.advance(line.to), numbers);
      continue;
    }
    slips.see(line.event.table, line.names);
    const effects = simulation.feed(line.event);
    numbers.set(effects.row, number);
    yield* outputsOf(effects, numbers);
  }
  if (mistakes.length > 0) throw badLines(mistakes);
  if (flush) yield* outputsOf(simulation.advance(Infinity), numbers);
  for (const warning of slips.warnings()) warn?.(warning);
}

function tryRead(plan: Plan, text: string): ReplayLine | GivenError {
  try {
    return readLine(plan, text);
  } catch (error) {
    if (error instanceof GivenError) return error;
    throw error;
  }
}

/** Each row is a transaction of its own: its line, by its number. */
class LineNumbers {
  readonly #lines = new Map<PositionText, number>();

  set({ position }: { readonly position: PositionText }, line: number): void {
    this.#lines.set(position, line);
  }

  of({ position }: { readonly position: PositionText }): number {
    return this.#lines.get(position) ?? -1;
  }
}

/** Hits and matches by rule, then decisions, then what else there is. */
function outputsOf(effects: Effects, lines: LineNumbers): ReplayOutput[] {
  const hits = effects.hits.map((hit): ReplayOutput => {
    const { rule, score } = hit;
    return { kind: 'hit', rule, line: lines.of(hit), score, let: hit.let, ...shadow(hit.mode) };
  });
  const matches = effects.matches.map((match) => matchOf(match, lines));
  const decisions = told(effects).map((decision): ReplayOutput => {
    const { event, entityId, score, band, reasons, mode } = decision;
    const why = reasons.map((reason) => ({ rule: reason.rule, score: reason.score }));
    const id = entityId === '' ? null : entityId;
    const line = lines.of(decision);
    return { kind: 'decision', event, id, line, score, band, reasons: why, ...shadow(mode) };
  });
  const late = effects.late.map((row): ReplayOutput => ({ kind: 'late', line: lines.of(row) }));
  const dead = effects.deadLetters.map((letter): ReplayOutput => {
    const { rule, error } = letter;
    return { kind: 'dead_letter', rule, line: lines.of(letter), error };
  });
  return [...sorted([...hits, ...matches]), ...decisions, ...late, ...sorted(dead)];
}

function matchOf({ kind, pattern, key, at, takes, let: named, mode }: PatternOutput, lines: LineNumbers) {
  const steps: Record<string, number[]> = {};
  for (const take of takes) steps[take.step] = [...(steps[take.step] ?? []), lines.of(take)];
  return { kind, rule: pattern, key, at: formatIso(at), steps, let: named, ...shadow(mode) } as const;
}

/** A shadow decision in which no shadow rule has a part says what the live one says. */
function told({ hits, matches, decisions }: Effects): readonly SimulatedDecision[] {
  const shadowed = [...hits, ...matches].some(({ mode }) => mode === 'shadow');
  return shadowed ? decisions : decisions.filter(({ mode }) => mode === 'live');
}

function shadow(mode: 'live' | 'shadow'): { readonly mode?: 'shadow' } {
  return mode === 'shadow' ? { mode } : {};
}

/** By rule, then by the first line. */
function sorted(outputs: readonly ReplayOutput[]): ReplayOutput[] {
  const rule = (output: ReplayOutput): string => ('rule' in output ? output.rule : '');
  return [...outputs].sort((a, b) =>
    rule(a) === rule(b) ? firstLine(a) - firstLine(b) : rule(a) < rule(b) ? -1 : 1,
  );
}

function firstLine(output: ReplayOutput): number {
  return 'line' in output ? output.line : Math.min(...Object.values(output.steps).flat());
}

function badLines(mistakes: readonly string[]): WeirError {
  const [first = ''] = mistakes;
  return new WeirError({
    code: 'WEIR_REPLAY_LINE',
    message: mistakes.length === 1 ? first : `${mistakes.length} bad lines:\n  ${mistakes.join('\n  ')}`,
    hint: 'a line is an event of the rules, as in {"event":"transaction","at":"2026-01-01T00:00:00Z","amount":"5.00"}',
  });
}
