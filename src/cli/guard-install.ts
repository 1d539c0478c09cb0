import type pg from 'pg';
import type { Config } from '../config.ts';
import { EXIT, WeirError } from '../errors.ts';
import { changeGuard } from '../guard/change-guard.ts';
import { guardScript } from '../guard/guard-script.ts';
import { type InstalledGuard, readGuards, readTable, sameTable } from '../guard/guard-state.ts';
import { type Guarding, guardingOf } from '../guard/guarding.ts';
import type { TableName } from '../source/catalog.ts';
import { withClient } from './connect.ts';
import { guardHome } from './guard-home.ts';
import { readValidRules } from './read-rules.ts';

/** What a guard of the rules on disk would refuse, and what is to be done for it. */
export interface WantedGuard {
  readonly guarding: Guarding;
  /** Empty: it is there. */
  readonly statements: readonly string[];
  readonly installed: InstalledGuard | null;
}

export interface GuardOptions {
  readonly config: Config;
  readonly cwd: string;
  readonly table: TableName;
}

/** @throws WeirError where no guard can be. */
export async function wantedGuard(source: pg.Client, options: GuardOptions): Promise<WantedGuard> {
  const { config, cwd, table } = options;
  const { owner } = await guardHome(source, config);
  const known = await readTable(source, table);
  if (known === null)
    throw unusable(
      `there is no table ${table.schema}.${table.name}`,
      'a guard is for ordinary and partitioned tables, not for views',
    );
  const webhooks = Object.keys(config.webhooks);
  const { plan } = await readValidRules({ path: config.rulesPath, cwd, source, webhooks });
  const guarding = guardingOf(plan, known);
  const installed = await installedGuard(source, config.slot, table);
  const script = guardScript({ slot: config.slot, table: known, guarding, installed, owner });
  return { guarding, installed, statements: [...script.functions, ...script.trigger] };
}

export async function installedGuard(
  source: pg.Client,
  slot: string,
  table: TableName,
): Promise<InstalledGuard | null> {
  return (await readGuards(source, slot)).find((guard) => sameTable(guard, table)) ?? null;
}

/** `weir guard install TABLE --apply`, without a word. */
export async function installGuard(options: GuardOptions): Promise<void> {
  const { databaseUrl: url, slot } = options.config;
  await withClient({ url, variable: 'DATABASE_URL', slot }, async (source) => {
    const { statements } = await wantedGuard(source, options);
    await changeGuard(source, options.table, statements);
  });
}

export function unusable(message: string, hint: string): WeirError {
  return new WeirError({ code: 'WEIR_GUARD', message, hint, exit: EXIT.usage });
}
