import type { Pool } from 'pg';
import type { PositionText } from '../events/position.ts';
import { decodeRowChange, type RowChange } from '../events/row-change.ts';

/** A row of weir.dead_letters, as a replay needs it. */
export interface StoredLetter {
  readonly id: string;
  readonly rule: string;
  readonly position: PositionText;
  /** null: there is no row to judge, PostgreSQL has refused an output. */
  readonly change: RowChange | null;
}

interface LetterRow extends Omit<StoredLetter, 'change'> {
  readonly change: unknown;
}

/** Those of the instance that have not been judged again. Any role can ask for any id: the others do not matter. */
export async function readLetters(
  pool: Pick<Pool, 'query'>,
  processorId: string,
  ids: readonly string[],
): Promise<readonly StoredLetter[]> {
  const { rows } = await pool.query<LetterRow>(
    `select dead_letter_id::text as id, rule_id as rule, position, change from weir.dead_letters
     where processor_id = $1 and dead_letter_id = any ($2::bigint[]) and replayed_at is null order by dead_letter_id`,
    [processorId, ids],
  );
  return rows.map((row) => ({ ...row, change: decodeRowChange(row.change) }));
}
