import { createHash } from 'node:crypto';
import { escapeLiteral } from 'pg';
import type { CatalogTable } from '../rules/catalog.ts';
import { rawText, textNeedsSettings } from '../rules/guard-sql/column-sql.ts';
import type { Guarding } from './guarding.ts';

/** Fires last: the host's own triggers of BEFORE INSERT may still fill columns in. */
export function triggerName(slot: string): string {
  return `zz_weir_guard_${slot}`;
}

/** Of the function, and the beginning of its counters' names. */
export function functionName(slot: string, { schema, name }: Pick<CatalogTable, 'schema' | 'name'>): string {
  return `guard_${slot}_${short(JSON.stringify([schema, name]))}`;
}

export function blocksCounter(fn: string): string {
  return `${fn}_blocks`;
}

export function ruleCounter(fn: string, rule: string): string {
  return `${fn}_${short(rule)}`;
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

export interface GuardFunction {
  readonly body: string;
  /** `set` clauses. */
  readonly settings: string;
}

interface Parts {
  readonly slot: string;
  readonly fn: string;
  readonly table: CatalogTable;
}

/**
 * The trigger's function: one look into weir.blocks, by its primary key, then the rules. Whatever goes wrong, the row
 * passes: a guard never fails an insert by accident. That block is a subtransaction, which writes nothing and so costs
 * no transaction id. The refusal itself is raised outside of it.
 */
export function guardFunction(guarding: Guarding, { slot, fn, table }: Parts): GuardFunction {
  const types = new Map(table.columns.map(({ name, pgType }) => [name, pgType]));
  const settings =
    guarding.rules.some((rule) => rule.settings) ||
    guarding.subjects.flat().some((name) => textNeedsSettings(types.get(name) ?? 'text'));
  const looks = [
    ...(guarding.subjects.length === 0 ? [] : [blockLook(guarding.subjects, types, { slot, fn })]),
    ...guarding.rules.map((rule) => ruleLook(rule, fn)),
  ];
  return {
    settings: settings ? `${PINNED} ${AS_WEIR_READS}` : PINNED,
    body: looks.length === 0 ? NOTHING : BODY(looks.join('\n'), guarding.subjects.length, settings),
  };
}

const PINNED = 'set search_path = pg_catalog, pg_temp';
/** As the replication session has them: pgoutput/plugin.ts. */
const AS_WEIR_READS = `set datestyle = 'ISO' set intervalstyle = 'postgres' set timezone = 'UTC' set bytea_output = 'hex' set extra_float_digits = 1`;

const NOTHING = `
-- Made by weir guard install: the rules in force refuse nothing here.
begin
  return new;
end `;

const BODY = (looks: string, keys: number, settings: boolean): string => `
-- Made by weir guard install from the rules: a change of rules writes it anew.${settings ? ' Values are written as Weir reads them.' : ''}
declare
  refused_by text;
  rule text;
  blocked record;
  counter text;${Array.from({ length: keys }, (_, index) => `\n  key${index} text;`).join('')}
begin
  begin
${looks}
    if counter is not null then
      perform nextval(format('weir.%I', counter));
    end if;
  exception
    when undefined_table or undefined_function or invalid_schema_name then
      return new; -- what is Weir's is gone
    when others then
      raise log 'weir: the guard of %.% lets a row pass that it cannot judge: % (%)', tg_table_schema, tg_table_name, sqlerrm, sqlstate;
      return new;
  end;
  if refused_by is null then
    return new;
  elsif refused_by = 'block' then
    raise exception using errcode = 'WR001',
      message = format('weir: insert into %s.%s refused: %s %s is blocked until %s by %s', tg_table_schema, tg_table_name,
        blocked.subject_key, blocked.subject_value, to_char(blocked.until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        case when blocked.scored_by is null then 'rule ' || blocked.reason else 'rules ' || blocked.scored_by end),
      hint = format('delete from weir.blocks where subject_key = %L and subject_value = %L; lifts the block.', blocked.subject_key, blocked.subject_value),
      constraint = blocked.reason, schema = tg_table_schema, table = tg_table_name;
  end if;
  raise exception using errcode = 'WR001',
    message = format('weir: insert into %s.%s refused by rule %s', tg_table_schema, tg_table_name, rule),
    hint = 'The rule says guard: true, and fires on this row.',
    constraint = rule, schema = tg_table_schema, table = tg_table_name;
end `;

/** Keys first, each in a variable: inside of the query they would double what it costs. */
function blockLook(
  subjects: Guarding['subjects'],
  types: ReadonlyMap<string, string>,
  { slot, fn }: Omit<Parts, 'table'>,
): string {
  const keys = subjects.map((names, index) => `    key${index} := ${keySql(names, types)};`);
  const known = subjects.map((_, index) => `key${index} is not null`).join(' or ');
  const looks = subjects.map(
    (
      names,
      index,
    ) => `select b.subject_key, b.subject_value, b.reason, b.scored_by, b.until${index === 0 ? ' into blocked' : ''}
        from weir.blocks b where b.subject_key = ${escapeLiteral(names.join(','))} and b.subject_value = key${index}
          and b.processor_id = ${escapeLiteral(slot)} and b.until > clock_timestamp()`,
  );
  const latest = looks.length === 1 ? '' : '\n      order by until desc limit 1';
  return `${keys.join('\n')}
    if ${known} then
      ${looks.join('\n      union all ')}${latest};
      if found then
        refused_by := 'block';
        counter := ${escapeLiteral(blocksCounter(fn))};
      end if;
    end if;`;
}

/** As `events/keys.ts` writes it: one value as it is, several as JSON. NULL where one is. */
function keySql(names: readonly string[], types: ReadonlyMap<string, string>): string {
  const texts = names.map((name) => rawText(name, types.get(name) ?? 'text'));
  const key =
    texts.length === 1
      ? `(${texts[0]})`
      : `('[' || ${texts.map((text) => `to_json(${text})::text`).join(" || ',' || ")} || ']')`;
  return `case when length(${key}) <= 128 then ${key} else weir.block_key(${key}) end`;
}

/** In two steps: a look into a list costs what a query does, and an expression without one next to nothing. */
function ruleLook({ id, when, unless }: Guarding['rules'][number], fn: string): string {
  const refuse = `refused_by := 'rule';
      rule := ${escapeLiteral(id)};
      counter := ${escapeLiteral(ruleCounter(fn, id))};`;
  const unlessSo =
    unless === null
      ? refuse
      : `if (${unless}) is not true then
      ${refuse}
      end if;`;
  return `    if refused_by is null and ${when} then
      ${unlessSo}
    end if;`;
}
