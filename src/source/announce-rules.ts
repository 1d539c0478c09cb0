import type { Client } from 'pg';
import { WeirError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import type { Plan } from '../rules/plan.ts';
import type { ControlStore } from '../store/control.ts';
import { checkPublications } from './check-publications.ts';
import { readPublications } from './existing-publications.ts';
import { delay } from './heartbeat.ts';
import { emitMessage } from './message.ts';
import { type Blocker, openWriteTransactions } from './slot.ts';

const POLL_MS = 200;
const DEFAULT_WAIT_MS = 60_000;

export interface AnnounceOptions {
  /** Of the source database. */
  readonly client: Pick<Client, 'query'>;
  readonly control: Pick<ControlStore, 'putRules' | 'seedLists'>;
  readonly slot: string;
  readonly plan: Plan;
  /** What the store keeps, and `plan` was compiled from. */
  readonly content: string;
  /** The rule set in force: what it captures already needs no waiting. */
  readonly inForce: Pick<Plan, 'tables'>;
  readonly waitMs?: number;
  readonly onWaiting?: (blockers: readonly Blocker[]) => void;
  readonly signal?: AbortSignal;
}

/**
 * Invariant 7: stores a validated rule set, and announces it in the stream: it is in force from there on, everywhere.
 *
 * A crash here can leave a rule set and its lists in the store that nothing announces, never an announcement that
 * names none.
 * @throws WeirError when the publications do not carry what it needs.
 */
export async function announceRules(options: AnnounceOptions): Promise<void> {
  const { client, control, slot, plan, content } = options;
  const problems = checkPublications(plan, await readPublications(client, slot), null);
  if (problems.length > 0) {
    throw new WeirError({
      code: 'WEIR_PUBLICATIONS',
      message: `the publications do not carry what these rules need: ${problems.map(({ message }) => message).join('; ')}`,
      hint: 'run `weir init --apply` with these rules first',
      retry: 'after-operator',
    });
  }
  await control.putRules(plan.version, content);
  failpoint('rules.stored');
  await control.seedLists(plan.lists);
  failpoint('lists.seeded');
  if (needsMore(plan, options.inForce)) await waitForOpenTransactions(options);
  await emitAnnouncement(client, slot, plan.version);
  failpoint('rules.announced');
}

/**
 * By itself for the rule set in force: another may have been announced that the stream has not come to, and whoever
 * goes back to the old rules before that would be given the new ones all the same.
 */
export async function emitAnnouncement(
  client: Pick<Client, 'query'>,
  slot: string,
  version: string,
): Promise<void> {
  await emitMessage(client, slot, { kind: 'rules', version });
}

/** A table, column or operation that was not captured so far. */
export function needsMore(plan: Pick<Plan, 'tables'>, inForce: Pick<Plan, 'tables'>): boolean {
  return plan.tables.some((table) => {
    const old = inForce.tables.find(({ schema, name }) => schema === table.schema && name === table.name);
    if (old === undefined) return true;
    if (table.ops.some((op) => !old.ops.includes(op))) return true;
    return table.columns.some(({ name }) => !old.columns.some((column) => column.name === name));
  });
}

/**
 * A transaction that was open when the publications were altered is decoded, in part, as they were before. It must
 * have ended before the new rules begin, or they would miss columns.
 */
async function waitForOpenTransactions(options: AnnounceOptions): Promise<void> {
  const { client, slot } = options;
  const waitMs = options.waitMs ?? DEFAULT_WAIT_MS;
  const signal = options.signal ?? new AbortController().signal;
  const now = await client.query('SELECT pg_current_xact_id()::text AS xid');
  const { xid } = (now.rows as [{ xid: string }])[0];
  const deadline = Date.now() + waitMs;
  while (!(await allEndedBefore(client, xid))) {
    const blockers = await openWriteTransactions(client);
    options.onWaiting?.(blockers);
    if (Date.now() > deadline || signal.aborted) throw blocked(slot, waitMs, blockers);
    await delay(POLL_MS, signal);
  }
}

async function allEndedBefore(client: Pick<Client, 'query'>, xid: string): Promise<boolean> {
  const asked = await client.query(
    'SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8 AS ended',
    [xid],
  );
  return (asked.rows as [{ ended: boolean }])[0].ended;
}

function blocked(slot: string, waitMs: number, blockers: readonly Blocker[]): WeirError {
  const pids = blockers.map(({ pid, openSeconds }) => `pid ${pid} (open for ${Math.round(openSeconds)} s)`);
  return new WeirError({
    code: 'WEIR_RULES_BLOCKED',
    message: `the new rules of "${slot}" capture more than the old, and transactions that began before are still open after ${waitMs / 1000} s: ${pids.join(', ')}`,
    hint: 'the old rules stay in force: let those transactions end, and start weir run again',
    retry: 'after-operator',
  });
}
