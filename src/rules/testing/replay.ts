import { WeirError } from '../../errors.ts';
import type { Plan } from '../plan.ts';
import type { Json } from '../value-format.ts';
import { ColumnSlips } from './column-slips.ts';
import { GivenError } from './given.ts';
import { type ReplayLine, readLine } from './replay-line.ts';
import { type Effects, type SimulatedDecision, Simulation } from './simulate.ts';

/** A line of `weir replay`'s output (shared/spec/interfaces.md). What is of a shadow rule says so. */
export type ReplayOutput =
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
  const slips = new ColumnSlips(plan);
  const mistakes: string[] = [];
  let number = -1;
  for await (const text of lines) {
    number += 1;
    const line = tryRead(plan, text);
    if (line instanceof GivenError) mistakes.push(`${file}:${number + 1}: ${line.message}`);
    if (mistakes.length >= MOST_MISTAKES) break;
    if (line instanceof GivenError || mistakes.length > 0 || line.kind === 'nothing') continue;
    if (line.kind === 'watermark') simulation.advance(line.to);
    else {
      slips.see(line.event.table, line.names);
      yield* outputsOf(simulation.feed(line.event), number);
    }
  }
  if (mistakes.length > 0) throw badLines(mistakes);
  if (flush) simulation.advance(Infinity);
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

/** Hits by rule, then the decision, then what else there is of the row. */
function outputsOf(effects: Effects, line: number): ReplayOutput[] {
  const hits = effects.hits.map(
    (hit): ReplayOutput => ({
      kind: 'hit',
      rule: hit.rule,
      line,
      score: hit.score,
      let: hit.let,
      ...shadow(hit.mode),
    }),
  );
  const decisions = told(effects).map(({ event, entityId, score, band, reasons, mode }): ReplayOutput => {
    const why = reasons.map((reason) => ({ rule: reason.rule, score: reason.score }));
    return {
      kind: 'decision',
      event,
      id: entityId === '' ? null : entityId,
      line,
      score,
      band,
      reasons: why,
      ...shadow(mode),
    };
  });
  const late = effects.late.map((): ReplayOutput => ({ kind: 'late', line }));
  const dead = effects.deadLetters.map(
    ({ rule, error }): ReplayOutput => ({ kind: 'dead_letter', rule, line, error }),
  );
  return [...sorted(hits), ...decisions, ...late, ...sorted(dead)];
}

/** A shadow decision in which no shadow rule has a part says what the live one says. */
function told({ hits, decisions }: Effects): readonly SimulatedDecision[] {
  const shadowed = hits.some(({ mode }) => mode === 'shadow');
  return shadowed ? decisions : decisions.filter(({ mode }) => mode === 'live');
}

function shadow(mode: 'live' | 'shadow'): { readonly mode?: 'shadow' } {
  return mode === 'shadow' ? { mode } : {};
}

function sorted(outputs: readonly ReplayOutput[]): ReplayOutput[] {
  const rule = (output: ReplayOutput) => ('rule' in output ? output.rule : '');
  return [...outputs].sort((a, b) => (rule(a) < rule(b) ? -1 : 1));
}

function badLines(mistakes: readonly string[]): WeirError {
  const [first = ''] = mistakes;
  return new WeirError({
    code: 'WEIR_REPLAY_LINE',
    message: mistakes.length === 1 ? first : `${mistakes.length} bad lines:\n  ${mistakes.join('\n  ')}`,
    hint: 'a line is an event of the rules, as in {"event":"transaction","at":"2026-01-01T00:00:00Z","amount":"5.00"}',
  });
}
