import { type CheckedBy, checkBy, checkColumns } from './check-by.ts';
import { checkBool } from './check-condition.ts';
import { type EventInfo, unknownEvent } from './check-events.ts';
import type { Draft } from './draft.ts';
import { parseDuration } from './duration.ts';
import { WINDOW_FUNCTIONS, type WindowFunction, type WindowPlan } from './plan.ts';
import type { ValueType } from './plan-parts.ts';
import type { WindowSpec } from './schema.ts';
import { typeName } from './value-type.ts';
import type { Spot } from './yaml-document.ts';

/** A window of a `let`, with its names looked up; it becomes a plan when the rule's key is known. */
export interface CheckedWindow {
  readonly name: string;
  readonly spec: WindowSpec;
  readonly spot: Spot;
  readonly fn: WindowFunction;
  readonly event: EventInfo;
  /** The column whose values it takes; null for count. */
  readonly column: string | null;
  readonly by: CheckedBy;
  readonly over: number;
  readonly type: ValueType;
}

export interface WindowParts {
  readonly name: string;
  readonly spec: WindowSpec;
  readonly spot: Spot;
  /** The event of the rule. */
  readonly event: EventInfo;
}

export function checkWindow(draft: Draft, parts: WindowParts): CheckedWindow | null {
  const { name, spec, spot } = parts;
  // Of what was taken out, for a mistake that is told, its function may be a part.
  const whole = spot.keys.every((key) => key.startsWith('x-') || Object.hasOwn(spec, key));
  const fn = whole ? functionOf(draft, parts) : null;
  const what = fn === null ? null : subject(draft, parts, fn);
  if (fn === null || what === null) {
    // Of what it is, nobody knows; whose rows it holds, the rule's own row says in any case.
    const by = typeof spec.by === 'string' || Array.isArray(spec.by) ? spec.by : [];
    checkColumns(draft, by, { event: parts.event, spot: spot.in('by') });
    return null;
  }
  const { event, column } = what;
  checkWhen(draft, spec, { event, spot });
  const by = checkBy(draft, spec.by, { rule: parts.event, target: event, spot: spot.in('by') });
  const type = column === null ? 'double' : resultType(draft, { fn, event, column, spot: spot.in(fn) });
  if (by === null || type === null) return null;
  return { name, spec, spot, fn, event, column, by, over: parseDuration(String(spec.over)) ?? 0, type };
}

function functionOf(draft: Draft, { name, spec, spot }: WindowParts): WindowFunction | null {
  const [fn, other] = WINDOW_FUNCTIONS.filter((one) => spec[one] !== undefined);
  if (fn === undefined) {
    draft.problems.error(
      spot.key,
      `window "${name}" has no function`,
      `it is one of ${WINDOW_FUNCTIONS.join(', ')}`,
    );
    return null;
  }
  if (other === undefined) return fn;
  draft.problems.error(
    spot.in(other).key,
    `window "${name}" has two functions, ${fn} and ${other}`,
    'make two windows',
  );
  return null;
}

/** `count: EVENT`; `sum: column` of the rule's event; `sum: EVENT.column`. */
function subject(
  draft: Draft,
  { spec, spot, event }: WindowParts,
  fn: WindowFunction,
): { readonly event: EventInfo; readonly column: string | null } | null {
  const text = String(spec[fn]);
  const { world, problems } = draft;
  if (fn === 'count') {
    const counted = world.events.get(text);
    if (counted !== undefined) return { event: counted, column: null };
    unknownEvent(text, spot.in(fn).place, { ...world, problems });
    return null;
  }
  if (event.table.columns.has(text)) return { event, column: text };
  const dot = text.indexOf('.');
  const owner = dot < 0 ? event : world.events.get(text.slice(0, dot));
  if (owner === undefined) {
    unknownEvent(text.slice(0, dot), spot.in(fn).place, { ...world, problems });
    return null;
  }
  const column = text.slice(dot + 1);
  return draft.column(owner.table, column, spot.in(fn)) === null ? null : { event: owner, column };
}

function checkWhen(draft: Draft, spec: WindowSpec, { event, spot }: { event: EventInfo; spot: Spot }): void {
  if (spec.when === undefined) return;
  checkBool(draft, { table: event.table, source: spec.when, spot: spot.in('when'), lets: [] });
}

interface TypeParts {
  readonly fn: WindowFunction;
  readonly event: EventInfo;
  readonly column: string;
  readonly spot: Spot;
}

function resultType(draft: Draft, { fn, event, column, spot }: TypeParts): ValueType | null {
  const known = event.table.columns.get(column);
  const type = known?.type ?? 'string';
  const refuse = (needs: string): null => {
    const is = `${column} is ${known?.pgType} (${typeName(type)})`;
    draft.problems.error(spot.place, `${fn} needs ${needs}, and ${is}`);
    return null;
  };
  switch (fn) {
    case 'count':
    case 'distinct':
      return 'double';
    case 'sum':
    case 'avg':
      return type === 'double' ? type : refuse('a number');
    case 'min':
    case 'max':
      return type === 'double' || type === 'timestamp' ? type : refuse('a number or a timestamp');
    case 'first':
    case 'last':
    case 'previous':
      return type;
  }
}

/** `key`: the rule's key, as columns of the rule's event. */
export function planWindow(
  draft: Draft,
  window: CheckedWindow,
  rule: { event: EventInfo; key: readonly string[] },
): WindowPlan {
  const { event, by, spec, spot, column, over } = window;
  draft.eventIndex(event);
  const ownKey = draft.key(rule.event.table, rule.key);
  const key = draft.key(
    event.table,
    rule.key.map((name) => by.target[by.rule.indexOf(name)] ?? name),
  );
  draft.join([rule.event.table, ownKey], [event.table, key]);
  const when =
    spec.when === undefined
      ? null
      : checkBool(draft, { table: event.table, source: spec.when, spot: spot.in('when'), lets: [] });
  const store = draft.store({ event, by: by.target, when, key }, { when: spec.when ?? '', over });
  if (column !== null) draft.use(event.table, column, spot.in(window.fn));
  return {
    store,
    fn: window.fn,
    value: column === null ? null : draft.value(store, column),
    over,
    current: spec.current ?? true,
    by: draft.indexes(rule.event.table, by.rule),
  };
}
