import type { MatchParts } from './check-condition.ts';
import type { CheckedInputs } from './check-inputs.ts';
import type { Draft } from './draft.ts';
import { parseDuration } from './duration.ts';
import { nearest } from './nearest.ts';
import { keyText } from './pattern-names.ts';
import type { PatternPlan, PatternSubject } from './pattern-plan.ts';
import type { StepTree } from './pattern-steps.ts';
import type { Expression } from './plan-parts.ts';
import { didYouMean } from './problem.ts';
import type { Part } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';
import type { Spot } from './yaml-document.ts';

interface SubjectParts {
  readonly tree: StepTree;
  readonly inputs: CheckedInputs | null;
  readonly whole: MatchParts;
}

/** Who is blocked, and whose actions a cooldown silences: columns of the key, or of the last row that has them. */
export function checkSubjects(
  draft: Draft,
  part: Part<PatternSpec>,
  parts: SubjectParts,
): Pick<PatternPlan, 'block' | 'cooldown'> {
  const { spec, spot } = part;
  checkNeeded(draft, part);
  const subject = (key: 'block' | 'cooldown'): PatternSubject | null => {
    const asked = spec[key];
    if (asked === undefined) return null;
    const names = typeof asked.by === 'string' ? [asked.by] : asked.by;
    const at = spot.in(key, 'by');
    const values = names.map((name, index) =>
      column(draft, name, { ...parts, spot: typeof asked.by === 'string' ? at : at.in(index) }),
    );
    const known = values.filter((value) => value !== null);
    if (known.length < values.length) return null;
    return { names, values: known, forMicros: parseDuration(asked.for) ?? 0 };
  };
  const [block, cooldown] = [subject('block'), subject('cooldown')];
  if (cooldown !== null) checkCooldown(draft, cooldown.names, { by: parts.inputs?.by ?? [], spot });
  return { block, cooldown };
}

/** The action `block` needs to know who and how long; `block:` without the action does nothing. */
function checkNeeded(draft: Draft, { spec, spot }: Part<PatternSpec>): void {
  const lists: [readonly string[] | undefined, Spot][] = [
    [spec.actions, spot.in('actions')],
    [spec.on_timeout?.actions, spot.in('on_timeout', 'actions')],
  ];
  const blocking = lists.flatMap(([actions, at]) => {
    const index = actions?.indexOf('block') ?? -1;
    return index < 0 ? [] : [at.in(index)];
  });
  const [first] = blocking;
  if (first === undefined && spec.block !== undefined) {
    const message = '"block" does nothing without the action block';
    draft.problems.warning(spot.in('block').key, message, 'write actions: [block]');
  } else if (first !== undefined && spec.block === undefined && !spot.keys.includes('block')) {
    const hint = 'write who and how long: block: { by: user_id, for: 24h }';
    draft.problems.error(first.place, 'the action block needs "block"', hint);
  }
}

/** Its state lives with that of the pattern. */
function checkCooldown(
  draft: Draft,
  names: readonly string[],
  { by, spot }: { readonly by: readonly string[]; readonly spot: Spot },
): void {
  const lacking = by.filter((name) => !names.includes(name));
  if (lacking.length === 0) return;
  const message = `the cooldown is by ${names.join(', ')}, and the pattern by ${by.join(', ')}: it must contain it`;
  draft.problems.error(
    spot.in('cooldown', 'by').place,
    message,
    `write by: [${[...new Set([...by, ...names])].join(', ')}]`,
  );
}

interface ColumnParts extends SubjectParts {
  readonly spot: Spot;
}

/** The text of a column; null: told. */
function column(draft: Draft, name: string, { tree, whole, spot }: ColumnParts): Expression | null {
  const key = keyText(whole.scope, name);
  if (key !== null) return key;
  const having = tree.steps.filter(({ kind, event }) => kind === 'step' && event.table.columns.has(name));
  if (having.length === 0) {
    if (tree.steps.length === 0) return null;
    const known = tree.steps.flatMap(({ event }) => [...event.table.columns.keys()]);
    draft.problems.error(spot.place, `no step has a column "${name}"`, didYouMean(nearest(name, known)));
    return null;
  }
  const takes = having.map(({ step, event }) => ({
    step,
    column: draft.column(event.table, name, spot) ?? 0,
  }));
  return ({ match }) => {
    let [text, position]: [string | null, string] = [null, ''];
    for (const take of takes) {
      const row = match?.last(take.step) ?? null;
      const cell = row?.cells[take.column];
      if (row === null || typeof cell !== 'string' || row.position < position) continue;
      [text, position] = [cell, row.position];
    }
    return text;
  };
}
