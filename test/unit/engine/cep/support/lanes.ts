import { type Definition, definitionOf } from '../../../../../src/engine/cep/definition.ts';
import { Lane } from '../../../../../src/engine/cep/lane.ts';
import { advance, receive } from '../../../../../src/engine/cep/receive.ts';
import type { Match, Sink, Timeout, Took } from '../../../../../src/engine/cep/sink.ts';
import { keyText } from '../../../../../src/events/keys.ts';
import { positionText } from '../../../../../src/events/position.ts';
import type { Cell, Micros, Row } from '../../../../../src/events/row.ts';
import { compileRules } from '../../../../../src/rules/compile-rules.ts';
import type { PatternPlan } from '../../../../../src/rules/pattern-plan.ts';
import type { Plan } from '../../../../../src/rules/plan.ts';
import { formatProblem } from '../../../../../src/rules/problem.ts';

/** An event as a line of a replay file: its time in milliseconds, and columns by name. */
export interface Event {
  readonly event?: string;
  readonly at: number;
  readonly [column: string]: unknown;
}
export type Line = Event | { readonly watermark: number };

/** Line numbers by step. */
export type Steps = Readonly<Record<string, readonly number[]>>;

const MICROS = 1000;

export interface Options {
  readonly cap?: number;
  /** What becomes of a key's lane before each line: it may be saved and loaded. */
  readonly between?: (lane: Lane, key: string, definition: Definition) => Lane;
}

/** One pattern, whose rows arrive line by line in as many lanes as there are keys; and all that comes out. */
export class Lanes {
  readonly plan: Plan;
  readonly pattern: PatternPlan;
  readonly matches: Steps[] = [];
  /** As it was given, in full. */
  readonly details: Match[] = [];
  readonly timeouts: Steps[] = [];
  readonly timedOutAt: Micros[] = [];
  readonly late: number[] = [];
  readonly failures: string[] = [];
  evicted = 0;
  readonly lanes = new Map<string, Lane>();
  readonly #options: Options;
  #watermark = Number.NEGATIVE_INFINITY;
  #lines = 0;
  readonly #sink: Sink = {
    match: (match: Match) => {
      this.details.push(match);
      this.matches.push(this.#steps(match.takes));
    },
    timeout: ({ takes, at }: Timeout) => {
      this.timeouts.push(this.#steps(takes));
      this.timedOutAt.push(at);
    },
    failed: ({ name, error }) => void this.failures.push(`${name}: ${String(error)}`),
    evicted: (count) => {
      this.evicted += count;
    },
  };

  constructor(rules: string, options: Options = {}) {
    this.plan = compiled(rules);
    this.pattern = this.plan.patterns[0] as PatternPlan;
    this.#options = options;
  }

  play(lines: readonly Line[], { flush }: { readonly flush: boolean }): this {
    const says = lines.some((line) => 'watermark' in line);
    for (const line of lines) {
      if ('watermark' in line) this.moveTo(Number(line['watermark']));
      else this.#arrive(line as Event, says);
      this.#lines += 1;
    }
    if (flush) this.moveTo(Number.POSITIVE_INFINITY);
    return this;
  }

  /** W, in milliseconds. */
  moveTo(watermark: number): void {
    this.#watermark = Math.max(this.#watermark, watermark * MICROS);
    for (const [key, lane] of this.lanes) {
      const kept = this.#between(lane, key);
      advance(definitionOf(this.pattern), kept, { watermark: this.#watermark, sink: this.#sink });
    }
  }

  #arrive(event: Event, watermarksSaid: boolean): void {
    const row = this.#row(event);
    if (row.late) {
      this.late.push(this.#lines);
      return;
    }
    const lateness = this.plan.tables[row.table]?.lateness ?? 0;
    if (!watermarksSaid) this.#watermark = Math.max(this.#watermark, row.at - lateness - 1);
    for (const [key, steps] of this.#entries(row)) this.#receive(key, row, steps);
    this.moveTo(this.#watermark / MICROS);
  }

  #receive(key: string, row: Row, steps: number): void {
    const { cap } = this.#options;
    const lane = this.#between(this.lanes.get(key) ?? new Lane(), key);
    const outlet = { sink: this.#sink, ...(cap === undefined ? {} : { cap }) };
    receive(definitionOf(this.pattern), lane, { row, steps, watermark: this.#watermark, ...outlet });
  }

  #between(lane: Lane, key: string): Lane {
    const kept = this.#options.between?.(lane, key, definitionOf(this.pattern)) ?? lane;
    this.lanes.set(key, kept);
    return kept;
  }

  #row({ event, at: millis, ...values }: Event): Row {
    const { tables } = this.plan;
    const named = tables.findIndex((table) => table.event === event);
    const table = Math.max(named, 0);
    const at = millis * MICROS;
    const cells = (tables[table]?.columns ?? []).map(({ name }): Cell => {
      const value = values[name] ?? null;
      return value === null ? null : String(value);
    });
    const position = positionText('0000000000000001', this.#lines);
    const watermark = this.#watermark;
    const late = at <= watermark;
    return { table, op: 'insert', cells, old: null, position, at, commitAt: at, watermark, late, roles: 3 };
  }

  /** The keys under which the row enters, with the bits of the steps that may take it there. */
  #entries(row: Row): Map<string, number> {
    const entries = new Map<string, number>();
    const events = this.plan.tables[row.table]?.events ?? [];
    const frame = { row, lets: [], lists: [] };
    const bears = (index: number) =>
      (events[index]?.when ?? null) === null || events[index]?.when?.(frame) === true;
    for (const input of this.pattern.inputs) {
      if (input.table !== row.table || !input.events.some(bears)) continue;
      const key = input.by.length === 0 ? '' : keyText(row.cells, input.by);
      if (key === null) continue;
      const taking = input.steps.filter((step) => bears(this.pattern.steps[step]?.eventIndex ?? -1));
      const steps = taking.reduce((bits, step) => bits | (1 << step), 0);
      entries.set(key, (entries.get(key) ?? 0) | steps);
    }
    return entries;
  }

  #steps(takes: readonly Took[]): Steps {
    const steps: Record<string, number[]> = {};
    for (const { step, row } of takes) {
      const name = this.pattern.steps[step]?.name ?? '?';
      steps[name] ??= [];
      steps[name].push(Number.parseInt(row.position.slice(17), 16));
    }
    return steps;
  }
}

const plans = new Map<string, Plan>();

/** Each text is compiled once, however many tests play it. */
function compiled(rules: string): Plan {
  const known = plans.get(rules);
  if (known !== undefined) return known;
  const { plan, problems } = compileRules([{ name: 'p.yaml', text: rules }], null);
  if (plan?.patterns[0] === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  plans.set(rules, plan);
  return plan;
}

/** Sorted texts: equal for the same matches, however often each was given. */
export function asSet(matches: readonly Steps[]): string[] {
  return matches.map((steps) => JSON.stringify(Object.entries(steps).sort())).sort();
}
