import type pg from 'pg';

/** A row of weir.dead_letters, for people. */
export interface LetterRow {
  readonly id: string;
  readonly rule: string;
  readonly event: string;
  readonly error: string;
  readonly at: Date;
  /** `public.transactions`; null: there is no row to judge again. */
  readonly table: string | null;
  readonly row: unknown;
  readonly resolvedAt: Date | null;
  readonly replayedAt: Date | null;
  readonly outcome: string | null;
}

export interface Wanted {
  readonly instance: string;
  /** Empty: whichever. */
  readonly ids: readonly string[];
  readonly rule: string | null;
  /** Those that somebody has seen to as well. */
  readonly resolved: boolean;
  readonly limit: number;
}

const SELECT = `select dead_letter_id::text as id, rule_id as rule, event, error, created_at as at, change ->> 'table' as table,
    payload as row, resolved_at as "resolvedAt", replayed_at as "replayedAt", outcome
  from weir.dead_letters
  where processor_id = $1 and (cardinality($2::bigint[]) = 0 or dead_letter_id = any ($2::bigint[]))
    and ($3::text is null or rule_id = $3) and ($4 or resolved_at is null)
  order by dead_letter_id limit $5`;

/** The oldest first. */
export async function findLetters(store: pg.Pool, wanted: Wanted): Promise<readonly LetterRow[]> {
  const { instance, ids, rule, resolved, limit } = wanted;
  const { rows } = await store.query<LetterRow>(SELECT, [instance, ids, rule, resolved, limit]);
  return rows;
}

/** What came of those that have been judged again, by id. */
export async function outcomesOf(
  store: pg.Pool,
  instance: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await store.query<{ id: string; outcome: string }>(
    `select dead_letter_id::text as id, outcome from weir.dead_letters
     where processor_id = $1 and dead_letter_id = any ($2::bigint[]) and replayed_at is not null`,
    [instance, ids],
  );
  return new Map(rows.map(({ id, outcome }) => [id, outcome]));
}
