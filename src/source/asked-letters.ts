import type { Client } from 'pg';
import type { Cell } from '../events/row.ts';
import { cellsOf, type RowChange, tableName } from '../events/row-change.ts';
import type { Plan, RulePlan, TablePlan } from '../rules/plan.ts';
import type { StoredLetter } from '../store/dead-letters.ts';
import { emitMessage, MOST_LETTERS } from './message.ts';

/** A dead letter that can be judged under a plan. */
export interface AskedLetter extends Pick<StoredLetter, 'id' | 'position'> {
  readonly rule: RulePlan;
  readonly change: RowChange;
  /** In the order of the table's columns. */
  readonly cells: readonly Cell[];
  readonly old: readonly Cell[] | null;
}

type Rules = Pick<Plan, 'tables' | 'rules' | 'patterns'>;

/**
 * Asks in the stream for these dead letters to be judged again. A crash here can leave some of them unasked, and the
 * one who asks again asks for some twice, which is as good as once.
 */
export async function askForLetters(
  client: Pick<Client, 'query'>,
  slot: string,
  ids: readonly string[],
): Promise<void> {
  for (let from = 0; from < ids.length; from += MOST_LETTERS) {
    await emitMessage(client, slot, { kind: 'letters', ids: ids.slice(from, from + MOST_LETTERS) });
  }
}

/** Why a letter's row (`table` null: it has none) cannot be judged again under these rules; null: it can. */
export function whyNotJudged(plan: Rules, letter: { rule: string; table: string | null }): string | null {
  if (letter.table === null) return 'an output that PostgreSQL refused: there is no row to judge again';
  const rule = plan.rules.find(({ id }) => id === letter.rule);
  if (rule === undefined && plan.patterns.some(({ id }) => id === letter.rule))
    return 'of a pattern: its sequence has gone on without the row';
  if (rule === undefined) return 'its rule is not in force';
  const table = tableName(plan.tables[rule.table] as TablePlan);
  if (table === letter.table) return null;
  return `its row, of ${letter.table}, was for a window: the rule judges rows of ${table}`;
}

/** Any role can emit a message: what nobody can judge is passed over, and stays as it is. */
export function askedLetters(
  letters: readonly StoredLetter[],
  plan: Rules,
  onPassedOver: (id: string, why: string) => void,
): readonly AskedLetter[] {
  return letters.flatMap((letter) => {
    const { id, position, change } = letter;
    const why = whyNotJudged(plan, { rule: letter.rule, table: change?.table ?? null });
    const rule = plan.rules.find((known) => known.id === letter.rule);
    if (why !== null || rule === undefined || change === null) {
      onPassedOver(id, why ?? 'it cannot be judged');
      return [];
    }
    const { columns } = plan.tables[rule.table] as TablePlan;
    const old = change.old === null ? null : cellsOf(change.old, columns);
    return [{ id, position, rule, change, cells: cellsOf(change.columns, columns), old }];
  });
}
