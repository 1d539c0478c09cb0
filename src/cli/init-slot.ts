import type pg from 'pg';
import { escapeLiteral } from 'pg';
import { WeirError } from '../errors.ts';
import type { Lsn } from '../events/position.ts';
import type { Micros } from '../events/row.ts';
import { acknowledgedBefore, type Blocker, createSlot, slotStatus } from '../source/slot.ts';
import { databaseOf } from './connect.ts';

const TIMEOUT_MS = 10 * 60_000;

export function slotSql(slot: string): string {
  return `SELECT pg_create_logical_replication_slot(${escapeLiteral(slot)}, 'pgoutput');`;
}

export interface SlotOptions {
  readonly databaseUrl: string;
  readonly slot: string;
  /** A slot that is there, and that no instance is known for, is taken from where it stands. */
  readonly adopt: boolean;
  readonly onWaiting: (forWhom: readonly string[]) => void;
}

export interface SlotStart {
  /** As an acknowledgement: everything up to here is done with. */
  readonly acknowledged: Lsn;
  /** No transaction of this server that is read from there was committed earlier; 0: nobody knows. */
  readonly commitAt: Micros;
  readonly made: boolean;
}

/** The slot of a new instance. Throws for one that is there already, unless it is to be adopted. */
export async function slotForNewInstance(source: pg.Client, options: SlotOptions): Promise<SlotStart> {
  const { databaseUrl, slot } = options;
  const there = await slotStatus(source, slot);
  if (there === null) {
    const onWaiting = (blockers: readonly Blocker[]): void => options.onWaiting(blockers.map(shownBlocker));
    const commitAt = await serverTime(source);
    const acknowledged = await createSlot({ databaseUrl, slot, timeoutMs: TIMEOUT_MS, onWaiting });
    return { acknowledged, commitAt, made: true };
  }
  if (
    there.plugin !== 'pgoutput' ||
    there.database !== databaseOf(databaseUrl) ||
    there.confirmedFlushLsn === null
  )
    throw foreign(slot, `plugin ${there.plugin}, database ${there.database}`);
  if (there.activePid !== null) throw foreign(slot, `in use by PID ${there.activePid}`);
  if (!options.adopt) throw unknown(slot);
  return { acknowledged: acknowledgedBefore(there.confirmedFlushLsn), commitAt: 0, made: false };
}

async function serverTime(source: pg.Client): Promise<Micros> {
  const { rows } = await source.query<{ micros: string }>(
    'select (extract(epoch from clock_timestamp()) * 1000000)::int8 as micros',
  );
  return Number(rows[0]?.micros ?? 0);
}

/** A standby's slot of this name is no slot of ours, whatever else is true of it. */
export async function refusePhysical(source: pg.Client, slot: string): Promise<void> {
  if (await isPhysical(source, slot)) throw foreign(slot, 'a physical slot');
}

export async function isPhysical(source: pg.Client, slot: string): Promise<boolean> {
  const { rowCount } = await source.query(
    "select from pg_replication_slots where slot_name = $1 and slot_type = 'physical'",
    [slot],
  );
  return rowCount === 1;
}

function foreign(slot: string, what: string): WeirError {
  return new WeirError({
    code: 'WEIR_SLOT_FOREIGN',
    message: `slot "${slot}" is there and is not Weir's: ${what}`,
    hint: 'choose another name with WEIR_SLOT or --slot',
    retry: 'after-operator',
  });
}

function unknown(slot: string): WeirError {
  return new WeirError({
    code: 'WEIR_SLOT_UNKNOWN',
    message: `slot "${slot}" is there, and the store knows no instance of this name: it may be another's`,
    hint: `was it made with the script of weir init? weir init --apply --adopt-slot goes on from where it stands. Else: SELECT pg_drop_replication_slot('${slot}');`,
    retry: 'after-operator',
  });
}

export function shownBlocker({ pid, user, application, state, openSeconds, query }: Blocker): string {
  const who = `${user ?? '?'}, ${application || 'no application name'}, ${state ?? '?'}`;
  return `PID ${pid} (${who}, transaction open for ${Math.round(openSeconds)} s): ${query.replaceAll(/\s+/g, ' ')}`;
}
