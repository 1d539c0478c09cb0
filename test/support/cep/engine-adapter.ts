import { type Definition, definitionOf } from '../../../src/engine/cep/definition.ts';
import { Lane } from '../../../src/engine/cep/lane.ts';
import { advance, receive } from '../../../src/engine/cep/receive.ts';
import type { Match as EngineMatch, Sink } from '../../../src/engine/cep/sink.ts';
import { keyText } from '../../../src/events/keys.ts';
import type { Micros, Row } from '../../../src/events/row.ts';
import type { PatternInput, PatternPlan } from '../../../src/rules/pattern-plan.ts';
import type { Plan } from '../../../src/rules/plan.ts';
import type { Compiled } from './compiled.ts';
import type { Match } from './oracle.ts';

export interface EngineOptions {
  /** Time moves to infinity at the end. */
  readonly flush: boolean;
  /** Before this row, and after the last: what is done to each lane that there is. Default: nothing. */
  readonly between?: (lane: Lane, at: Between) => Lane;
  /** Whether lanes that the row does not enter learn of its time at once. Default: always. */
  readonly tells?: (row: number) => boolean;
}

export interface Between {
  readonly row: number;
  readonly key: string;
  readonly definition: Definition;
  /** Where W is, and how far it may move before that row, which is not late. */
  readonly from: Micros;
  readonly to: Micros;
  readonly sink: Sink;
}

/** What the engine makes of one pattern and rows of one table, in the order in which it comes out. */
export function engineMatches(
  { plan, pattern }: Compiled,
  rows: readonly Row[],
  options: EngineOptions,
): Match[] {
  const { between = (lane) => lane, tells = () => true, flush } = options;
  const definition = definitionOf(pattern);
  const lateness = plan.tables[0]?.lateness ?? 0;
  const lanes = new Map<string, Lane>();
  const matches: Match[] = [];
  const sink = sinkOf(rows, matches);
  let latest = Number.NEGATIVE_INFINITY;
  const pause = (row: number) => {
    const from = latest - lateness - 1;
    const to = Math.max(from, Math.min(...rows.slice(row).map(({ at }) => at - 1)));
    const at = { row, definition, from, to: row < rows.length ? to : from, sink };
    for (const [key, lane] of lanes) lanes.set(key, between(lane, { ...at, key }));
  };
  for (const [index, row] of rows.entries()) {
    pause(index);
    if (row.late) throw new Error(`row ${index} is late`);
    latest = Math.max(latest, row.at);
    const watermark = latest - lateness - 1;
    for (const [key, steps] of entries(pattern, plan, row)) {
      const lane = lanes.get(key) ?? new Lane();
      lanes.set(key, lane);
      receive(definition, lane, { row, steps, watermark, sink });
    }
    if (tells(index)) for (const lane of lanes.values()) advance(definition, lane, { watermark, sink });
  }
  pause(rows.length);
  const end = flush ? Number.POSITIVE_INFINITY : latest - 1;
  for (const lane of lanes.values()) advance(definition, lane, { watermark: end, sink });
  return matches;
}

function sinkOf(rows: readonly Row[], matches: Match[]): Sink {
  const indexes = new Map(rows.map((row, index) => [row.position, index]));
  return {
    match: ({ takes }: EngineMatch) => {
      matches.push({
        takes: takes.map(({ step, row }) => ({ step, row: indexes.get(row.position) ?? -1 })),
      });
    },
    timeout: () => {},
    failed: ({ name, error }) => {
      throw new Error(`${name} failed`, { cause: error });
    },
    evicted: (count) => {
      throw new Error(`${count} partial matches were evicted`);
    },
  };
}

/** The lanes that a row enters, each with the bits of the steps that may take it there. */
function entries(pattern: PatternPlan, { tables }: Plan, row: Row): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const bears = (event: number) => {
    const when = tables[row.table]?.events[event]?.when;
    return when === null || (when !== undefined && when({ row, lets: [], lists: [] }) === true);
  };
  const bits = ({ steps }: PatternInput) =>
    steps.reduce((sum, step) => (bears(pattern.steps[step]?.eventIndex ?? -1) ? sum | (1 << step) : sum), 0);
  for (const input of pattern.inputs) {
    if (input.table !== row.table || !input.events.some(bears)) continue;
    const key = pattern.by === null ? '' : keyText(row.cells, input.by);
    if (key !== null) found.set(key, (found.get(key) ?? 0) | bits(input));
  }
  return found;
}
