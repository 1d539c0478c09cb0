import type { Pool } from 'pg';

/** How many rows a guard has refused, since it was installed. */
export interface Refusals {
  /** The table, as PostgreSQL writes its name. */
  readonly guarded: string;
  readonly by: 'block' | 'rule';
  /** null: blocks. */
  readonly rule: string | null;
  readonly refusals: number;
}

/** Empty where the store has no guards: it may be another database than the source. */
export async function readRefusals(
  store: Pick<Pool, 'query'>,
  instance: string,
): Promise<readonly Refusals[]> {
  const made = await store.query<{ made: boolean }>(
    "select to_regclass('weir.guard_refusals') is not null as made",
  );
  if (made.rows[0]?.made !== true) return [];
  const { rows } = await store.query<{
    guarded: string;
    by: 'block' | 'rule';
    rule: string | null;
    refusals: string;
  }>(
    `select guarded, refused_by as by, rule_id as rule, refusals from weir.guard_refusals
     where processor_id = $1 order by 1, 2, 3`,
    [instance],
  );
  return rows.map((row) => ({ ...row, refusals: Number(row.refusals) }));
}
