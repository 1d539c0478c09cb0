import type { Client } from 'pg';
import type { Plan } from '../rules/plan.ts';
import { transaction } from '../store/transaction.ts';
import { type GuardScript, guardScript } from './guard-script.ts';
import { type InstalledGuard, readGuards, readTable } from './guard-state.ts';
import { guardingOf } from './guarding.ts';

export interface StaleGuard {
  readonly guard: InstalledGuard;
  readonly script: GuardScript;
}

/** Installed guards that are not what these rules say. */
export async function staleGuards(
  client: Pick<Client, 'query'>,
  slot: string,
  plan: Plan,
): Promise<readonly StaleGuard[]> {
  const stale: StaleGuard[] = [];
  for (const guard of await readGuards(client, slot)) {
    const table = await readTable(client, guard);
    if (table === null) continue;
    const wanted = { slot, table, guarding: guardingOf(plan, table), installed: guard, owner: guard.owner };
    const script = guardScript(wanted);
    if (script.functions.length > 0) stale.push({ guard, script });
  }
  return stale;
}

export interface Refreshed {
  readonly written: readonly InstalledGuard[];
  /** Functions that belong to a role which this one is not a member of. */
  readonly notOurs: readonly InstalledGuard[];
}

/**
 * Brings the guards to these rules, all in one transaction, without a lock on any table of the host: inserts that are
 * under way go by the rules before.
 *
 * A crash here can leave guards of the rules before, never some of these and some of those: the next start does it.
 */
export async function refreshGuards(client: Client, slot: string, plan: Plan): Promise<Refreshed> {
  const stale = await staleGuards(client, slot, plan);
  const ours = stale.filter(({ guard }) => guard.owned);
  if (ours.length > 0) {
    await transaction(client, async () => {
      for (const { script } of ours) for (const statement of script.functions) await client.query(statement);
    });
  }
  const notOurs = stale.filter(({ guard }) => !guard.owned);
  return { written: ours.map(({ guard }) => guard), notOurs: notOurs.map(({ guard }) => guard) };
}
