import { type CheckedBy, checkBy, checkColumns } from './check-by.ts';
import { checkBool } from './check-condition.ts';
import type { EventInfo } from './check-events.ts';
import { checkOver } from './check-over.ts';
import type { Draft } from './draft.ts';
import type { Over } from './over.ts';
import { paneOf } from './panes.ts';
import { WINDOW_FUNCTIONS, type WindowFunction, type WindowPlan } from './plan.ts';
import type { ValueType } from './plan-parts.ts';
import type { WindowSpec } from './schema-windows.ts';
import { ownColumns, resultType, type Subject, subjectOf } from './window-subject.ts';
import type { Spot } from './yaml-document.ts';

/** A window of a `let`, with its names looked up; it becomes a plan when the rule's key is known. */
export interface CheckedWindow extends Subject {
  readonly name: string;
  readonly spec: WindowSpec;
  readonly spot: Spot;
  readonly fn: WindowFunction;
  /** See `ownColumns`. */
  readonly own: readonly string[];
  readonly by: CheckedBy;
  readonly over: Over;
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
  const subject = fn === null ? null : subjectOf(draft, parts, fn);
  const over = checkOver(draft, spec.over, spot.in('over'));
  if (fn === null || subject === null) {
    // Of what it is, nobody knows; whose rows it holds, the rule's own row says in any case.
    const by = typeof spec.by === 'string' || Array.isArray(spec.by) ? spec.by : [];
    checkColumns(draft, by, { event: parts.event, spot: spot.in('by') });
    return null;
  }
  const { event } = subject;
  checkWhen(draft, spec, { event, spot });
  const by = checkBy(draft, spec.by, { rule: parts.event, target: event, spot: spot.in('by') });
  const type = resultType(draft, fn, subject);
  const own = type === null ? null : ownColumns(draft, parts.event, { ...subject, fn });
  if (by === null || type === null || own === null || over === null) return null;
  return { ...subject, name, spec, spot, fn, own, by, over, type };
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

function checkWhen(draft: Draft, spec: WindowSpec, { event, spot }: { event: EventInfo; spot: Spot }): void {
  if (spec.when === undefined) return;
  checkBool(draft, { table: event.table, source: spec.when, spot: spot.in('when'), lets: [] });
}

/** `key`: the rule's key, as columns of the rule's event. */
export function planWindow(
  draft: Draft,
  window: CheckedWindow,
  rule: { event: EventInfo; key: readonly string[] },
): WindowPlan {
  const { event, by, spec, spot, columns, over } = window;
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
  const store = draft.store(
    { event, by: by.target, when, key, pane: paneOf(window.fn, over) },
    { when: spec.when ?? '', over },
  );
  draft.part(store, window.fn, columns[0]?.name ?? null);
  for (const column of columns) draft.use(event.table, column.name, column.spot);
  return {
    store,
    fn: window.fn,
    values: columns.map(({ name }) => draft.value(store, name)),
    own: draft.indexes(rule.event.table, window.own),
    percent: window.percent,
    over,
    current: spec.current ?? true,
    by: draft.indexes(rule.event.table, by.rule),
  };
}
