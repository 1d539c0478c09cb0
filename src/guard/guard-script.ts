import { escapeLiteral, escapeIdentifier as ident } from 'pg';
import type { CatalogTable } from '../rules/catalog.ts';
import type { TableName } from '../source/catalog.ts';
import { blocksCounter, functionName, guardFunction, ruleCounter, triggerName } from './guard-function.ts';
import type { InstalledGuard } from './guard-state.ts';
import type { Guarding } from './guarding.ts';

/** The statements that make a guard what the rules say; to be run in one transaction. */
export interface GuardScript {
  /** Function and counters; nothing of the host is touched. */
  readonly functions: readonly string[];
  /** The trigger: it locks the table for a moment. Empty: it is there. */
  readonly trigger: readonly string[];
}

export interface Wanted {
  readonly slot: string;
  readonly table: CatalogTable;
  readonly guarding: Guarding;
  readonly installed: InstalledGuard | null;
  /** Of the schema weir: the function runs with its rights, and it may replace the function later. */
  readonly owner: string;
}

/** Empty where all of it is there. Counters of rules that are gone stay until the guard is removed. */
export function guardScript(wanted: Wanted): GuardScript {
  const { slot, table, installed } = wanted;
  const fn = installed?.fn ?? functionName(slot, table);
  const trigger = `create trigger ${ident(triggerName(slot))} before insert on ${qualified(table)}
  for each row execute function weir.${ident(fn)}();
comment on trigger ${ident(triggerName(slot))} on ${qualified(table)} is 'Refuses rows that Weir has blocked, or that a guard rule condemns: weir guard remove takes it away.';
revoke all on function weir.${ident(fn)}() from public;`;
  return { functions: functionStatements(wanted, fn), trigger: installed === null ? [trigger] : [] };
}

function functionStatements({ slot, table, guarding, installed, owner }: Wanted, fn: string): string[] {
  const { body, settings } = guardFunction(guarding, { slot, fn, table });
  const counters = [
    ...(guarding.subjects.length === 0 ? [] : [[blocksCounter(fn), 'blocks'] as const]),
    ...guarding.rules.map(({ id }) => [ruleCounter(fn, id), id] as const),
  ].filter(([counter]) => installed?.counters.includes(counter) !== true);
  const made = counters.map(
    ([counter, rule]) => `create sequence if not exists weir.${ident(counter)};
comment on sequence weir.${ident(counter)} is ${escapeLiteral(rule)};
alter sequence weir.${ident(counter)} owner to ${ident(owner)};`,
  );
  if (installed?.body === body) return made;
  const tag = dollarTag(body);
  const replaced = `create or replace function weir.${ident(fn)}() returns trigger language plpgsql security definer
  ${settings} as ${tag}${body}${tag};
comment on function weir.${ident(fn)}() is ${escapeLiteral(`Guard of ${table.schema}.${table.name}, of instance ${slot}.`)};
alter function weir.${ident(fn)}() owner to ${ident(owner)};`;
  return [...made, replaced];
}

/** A text of the rules may hold any. */
function dollarTag(body: string): string {
  let tag = '$guard$';
  for (let n = 1; body.includes(tag); n++) tag = `$guard${n}$`;
  return tag;
}

/** No trace of a guard is left. */
export function removalScript(slot: string, guard: InstalledGuard): readonly string[] {
  return [
    `drop trigger if exists ${ident(triggerName(slot))} on ${qualified(guard)};`,
    `drop function if exists weir.${ident(guard.fn)}();`,
    ...guard.counters.map((counter) => `drop sequence if exists weir.${ident(counter)};`),
  ];
}

export function qualified({ schema, name }: TableName): string {
  return `${ident(schema)}.${ident(name)}`;
}
