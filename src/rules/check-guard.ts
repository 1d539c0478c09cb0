import { scopeFor } from './check-condition.ts';
import type { EventInfo } from './check-events.ts';
import type { CheckedLets } from './check-lets.ts';
import type { Draft } from './draft.ts';
import { type SqlPart, sqlPart } from './guard-sql/sql-part.ts';
import { type GuardReads, translate } from './guard-sql/translate.ts';
import type { GuardPlan } from './plan.ts';
import type { ValueType } from './plan-parts.ts';
import type { Part } from './rule-set.ts';
import type { RuleSpec } from './schema.ts';
import type { Spot } from './yaml-document.ts';

interface GuardParts extends CheckedLets {
  readonly event: EventInfo;
}

/** Beyond it, a trigger would cost more than an insert does. */
const MOST_SQL = 64_000;

/** The rule as SQL, where it says `guard: true`; null: it does not, or it has mistakes (told). */
export function checkGuard(draft: Draft, part: Part<RuleSpec>, parts: GuardParts): GuardPlan | null {
  const { spec, spot } = part;
  if (spec.guard !== true) return null;
  const { problems } = draft;
  if (!parts.event.table.ops.includes('insert')) {
    const message = `a guard judges inserts, and event "${spec.event}" has none`;
    problems.error(spot.in('guard').place, message, 'write ops: [insert, …] in the event');
    return null;
  }
  const windows = parts.lets.filter(({ kind }) => kind === 'window');
  for (const { name } of windows) {
    const message = `"${name}" is a window: a guard rule may look only at the row and lists`;
    problems.error(
      spot.in('let', name).key,
      message,
      'leave out guard: true, or make a rule without the window',
    );
  }
  // Whatever has other mistakes is translated once they are mended.
  if (windows.length > 0 || parts.broken.size > 0) return null;
  if (spec.mode === 'shadow')
    problems.warning(spot.in('guard').key, 'a rule in shadow refuses nothing: "guard" waits for mode: live');
  return translateRule(draft, part, parts);
}

function translateRule(draft: Draft, { spec, spot }: Part<RuleSpec>, parts: GuardParts): GuardPlan | null {
  const { event, lets } = parts;
  const translator = new Translator(draft, event);
  for (const { name } of lets) {
    const source = spec.let?.[name];
    if (typeof source !== 'string') throw new Error(`${name} was checked as CEL, and is none`);
    translator.let(name, source, spot.in('let', name));
  }
  const views = event.chain.map((view) => translator.condition(view.spec.when, view.spot.in('when')));
  const when = translator.condition(spec.when, spot.in('when'));
  const unless = translator.condition(spec.unless, spot.in('unless'));
  if (!translator.sound) return null;
  const all = [...views, when].filter((sql) => sql !== null);
  const fires = all.length === 0 ? 'true' : `(${all.join(' and ')})`;
  const length = fires.length + (unless?.length ?? 0);
  if (length > MOST_SQL) {
    const message = `as SQL this rule has ${length} characters, and a guard takes ${MOST_SQL}`;
    draft.problems.error(spot.in('guard').place, message, 'many values belong in a list: x in lists.NAME');
    return null;
  }
  const { columns, lists, settings } = translator.reads;
  return { when: fires, unless, columns: [...columns], lists: [...lists], settings };
}

/** The conditions of one rule, which see its `let` values. Mistakes are told. */
class Translator {
  readonly reads: GuardReads = { columns: new Set(), lists: new Set(), settings: false };
  sound = true;
  readonly #draft: Draft;
  readonly #event: EventInfo;
  readonly #generated: ReadonlySet<string>;
  readonly #lets: (SqlPart & { readonly name: string })[] = [];

  constructor(draft: Draft, event: EventInfo) {
    this.#draft = draft;
    this.#event = event;
    const generated = [...event.table.columns.values()].filter((column) => column.generated);
    this.#generated = new Set(generated.map(({ name }) => name));
  }

  let(name: string, source: string, spot: Spot): void {
    const part = this.#translate(source, spot, 'any');
    // A mistake is told once: whoever uses the name is not judged by it.
    this.#lets.push({ ...(part ?? sqlPart('bool', 'null')), name });
  }

  /** null: there is none, or it has mistakes. */
  condition(source: string | undefined, spot: Spot): string | null {
    return source === undefined || !this.sound ? null : (this.#translate(source, spot, 'bool')?.sql ?? null);
  }

  #translate(source: string, spot: Spot, expected: ValueType | 'any'): SqlPart | null {
    const { table } = this.#event;
    const scope = scopeFor(this.#draft, { table, source, spot, lets: this.#lets });
    const to = { scope, lets: this.#lets, generated: this.#generated, reads: this.reads };
    const result = translate(source, to, expected);
    if (!('kind' in result)) return result;
    this.sound = false;
    for (const { offset, message, hint } of result.problems) {
      this.#draft.problems.error(spot.within(offset), message, hint);
    }
    return null;
  }
}
