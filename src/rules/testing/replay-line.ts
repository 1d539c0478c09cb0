import { type Micros, OPS, type Op } from '../../events/row.ts';
import { parseInstant } from '../instant.ts';
import { nearest } from '../nearest.ts';
import type { Plan } from '../plan.ts';
import { eventOf } from './event-cells.ts';
import { parseExactJson } from './exact-json.ts';
import { type Given, GivenError, NumberText } from './given.ts';
import type { SimulatedEvent } from './simulate.ts';

/** A line of a replay file. */
export type ReplayLine =
  | { readonly kind: 'event'; readonly event: SimulatedEvent; readonly names: readonly string[] }
  | { readonly kind: 'watermark'; readonly to: Micros }
  /** Empty, or of an operation that is not captured. */
  | { readonly kind: 'nothing' };

/** Throws a GivenError that says what is wrong with the line. */
export function readLine(plan: Plan, text: string): ReplayLine {
  if (text.trim() === '') return { kind: 'nothing' };
  const line = parse(text);
  if (line['watermark'] !== undefined)
    return { kind: 'watermark', to: instant(line['watermark'], 'watermark') };
  const { event: name, at, op, old, ...columns } = line;
  const table = tableOf(plan, name);
  const given = {
    op: operation(op),
    columns: new Map(Object.entries(columns) as [string, Given][]),
    old: oldRow(old),
    at: instant(at, 'at'),
  };
  const event = eventOf(plan, table, given);
  if (event === null) return { kind: 'nothing' };
  return { kind: 'event', event, names: [...given.columns.keys(), ...(given.old?.keys() ?? [])] };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch (error) {
    throw new GivenError(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (isObject(value)) return value;
  throw new GivenError(
    'not an event: a line is an object, as in {"event":"transaction","at":"2026-01-01T00:00:00Z","amount":"5.00"}',
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
  );
}

function tableOf(plan: Plan, name: unknown): number {
  if (typeof name !== 'string') throw new GivenError('"event" is missing: it names the event of a table');
  const index = plan.tables.findIndex((table) => table.event === name);
  if (index >= 0) return index;
  const view = plan.tables.find(({ events }) => events.some((event) => event.name === name));
  if (view !== undefined)
    throw new GivenError(`event "${name}" is a view: its rows are those of "${view.event}"`);
  const near = nearest(
    name,
    plan.tables.map(({ event }) => event),
  );
  throw new GivenError(`there is no event "${name}"${near === null ? '' : ` (did you mean ${near}?)`}`);
}

function operation(op: unknown): Op {
  if (op === undefined) return 'insert';
  const known = OPS.find((name) => name === op);
  if (known !== undefined) return known;
  throw new GivenError(`"op" is one of ${OPS.join(', ')}, not ${shown(op)}`);
}

function oldRow(old: unknown): ReadonlyMap<string, Given> | null {
  if (old === undefined || old === null) return null;
  if (isObject(old)) return new Map(Object.entries(old) as [string, Given][]);
  throw new GivenError(`"old" is the row before the change, an object, not ${shown(old)}`);
}

/** ISO 8601, or milliseconds as a number. */
function instant(value: unknown, key: string): Micros {
  if (value instanceof NumberText) return Math.round(Number(value.text) * 1000);
  const at = typeof value === 'string' ? parseInstant(value) : null;
  if (at !== null) return at;
  if (value === undefined) throw new GivenError(`"${key}" is missing`);
  throw new GivenError(`"${key}" is a time (ISO 8601, or milliseconds as a number), not ${shown(value)}`);
}

function shown(value: unknown): string {
  return value instanceof NumberText ? value.text : JSON.stringify(value);
}
