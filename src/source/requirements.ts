import type { Client } from 'pg';
import { z } from 'zod';
import type { CatalogTable } from '../rules/catalog.ts';
import type { RulePlan, TablePlan } from '../rules/plan.ts';
import { type Finding, failed, passed } from './finding.ts';
import { quoteTable } from './publications.ts';

/** What Weir needs of the server, as it is. Sizes in bytes, times in milliseconds, as pg_settings counts them. */
export interface ServerFacts {
  readonly role: string;
  /** Superusers may replicate too. */
  readonly canReplicate: boolean;
  readonly canEmitMessages: boolean;
  readonly serverVersion: number;
  readonly walLevel: string;
  readonly replicationSlots: { readonly max: number; readonly used: number };
  readonly walSenders: { readonly max: number; readonly used: number };
  readonly ownSlot: boolean;
  readonly walSenderTimeoutMs: number;
  /** -1: no limit. */
  readonly maxSlotWalKeepMb: number;
  readonly logicalDecodingWorkMemKb: number;
}

const rowSchema = z.object({
  role: z.string(),
  can_replicate: z.boolean(),
  can_emit: z.boolean(),
  version: z.number(),
  own_slot: z.boolean(),
  slots: z.number(),
  senders: z.number(),
  settings: z.record(z.string(), z.string()),
});

export async function readServer(client: Pick<Client, 'query'>, slot: string): Promise<ServerFacts> {
  const result = await client.query(
    `SELECT current_user::text AS role,
       (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS can_replicate,
       (SELECT bool_or(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc
        WHERE proname = 'pg_logical_emit_message' AND proargtypes[2] = 'text'::regtype) AS can_emit,
       current_setting('server_version_num')::int AS version,
       EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1) AS own_slot,
       (SELECT count(*)::int FROM pg_replication_slots) AS slots,
       (SELECT count(*)::int FROM pg_stat_get_wal_senders()) AS senders,
       (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN ('wal_level', 'max_replication_slots',
          'max_wal_senders', 'wal_sender_timeout', 'max_slot_wal_keep_size', 'logical_decoding_work_mem')) AS settings`,
    [slot],
  );
  const row = rowSchema.parse(result.rows[0]);
  const setting = (name: string) => row.settings[name] ?? '0';
  return {
    role: row.role,
    canReplicate: row.can_replicate,
    canEmitMessages: row.can_emit,
    serverVersion: row.version,
    walLevel: setting('wal_level'),
    replicationSlots: { max: Number(setting('max_replication_slots')), used: row.slots },
    walSenders: { max: Number(setting('max_wal_senders')), used: row.senders },
    ownSlot: row.own_slot,
    walSenderTimeoutMs: Number(setting('wal_sender_timeout')),
    maxSlotWalKeepMb: Number(setting('max_slot_wal_keep_size')),
    logicalDecodingWorkMemKb: Number(setting('logical_decoding_work_mem')),
  };
}

/** Pure: the server's settings and the role's rights. */
export function judgeServer(facts: ServerFacts): readonly Finding[] {
  return [
    judgeWalLevel(facts),
    judgeRole(facts),
    judgeMessages(facts),
    judgeSlots(facts),
    judgeSenders(facts),
    judgeTimeout(facts),
    judgeKeep(facts),
    judgeDecodingMemory(facts),
  ];
}

function judgeWalLevel({ walLevel }: ServerFacts): Finding {
  const measured = `wal_level is ${walLevel}`;
  const why = 'without `logical` the WAL does not hold what a row change was';
  if (walLevel === 'logical') return passed('wal-level', measured, why);
  const fix = '`ALTER SYSTEM SET wal_level = logical`, then restart PostgreSQL';
  return failed({ id: 'wal-level', measured, why, fix, takes: 'restart' });
}

function judgeRole({ role, canReplicate }: ServerFacts): Finding {
  const measured = `role "${role}" may ${canReplicate ? '' : 'not '}replicate`;
  const why = 'only a role with REPLICATION may read from a slot';
  if (canReplicate) return passed('replication-right', measured, why);
  const fix = `\`ALTER ROLE "${role}" REPLICATION\` (on Amazon RDS: \`GRANT rds_replication TO "${role}"\`)`;
  return failed({ id: 'replication-right', measured, why, fix });
}

function judgeMessages({ role, canEmitMessages, serverVersion }: ServerFacts): Finding {
  const measured = `role "${role}" may ${canEmitMessages ? '' : 'not '}execute pg_logical_emit_message`;
  const why = 'heartbeats and changes of rules are messages in the WAL';
  if (canEmitMessages) return passed('message-right', measured, why);
  // Since PostgreSQL 17 it has a fourth argument.
  const args = serverVersion >= 170_000 ? 'boolean, text, text, boolean' : 'boolean, text, text';
  const fix = `\`GRANT EXECUTE ON FUNCTION pg_logical_emit_message(${args}) TO "${role}"\``;
  return failed({ id: 'message-right', measured, why, fix });
}

function judgeSlots({ replicationSlots: { max, used }, ownSlot }: ServerFacts): Finding {
  const measured = `${used} of max_replication_slots = ${max} are used${ownSlot ? ', one by Weir' : ''}`;
  const why = 'Weir needs one slot';
  if (ownSlot || used < max) return passed('replication-slots', measured, why);
  const fix = `\`ALTER SYSTEM SET max_replication_slots = ${max + 4}\`, then restart PostgreSQL; or drop a slot that nobody uses`;
  return failed({ id: 'replication-slots', measured, why, fix, takes: 'restart' });
}

function judgeSenders({ walSenders: { max, used } }: ServerFacts): Finding {
  const measured = `${used} of max_wal_senders = ${max} are used`;
  const why = 'the stream takes one';
  if (used < max) return passed('wal-senders', measured, why);
  const fix = `\`ALTER SYSTEM SET max_wal_senders = ${max + 4}\`, then restart PostgreSQL`;
  return failed({ id: 'wal-senders', measured, why, fix, takes: 'restart' });
}

function judgeTimeout({ walSenderTimeoutMs }: ServerFacts): Finding {
  const measured = `wal_sender_timeout is ${walSenderTimeoutMs} ms`;
  const why =
    'it frees the slot of a source that died without a word; below a few seconds it cuts one that is only slow';
  const fix = "`ALTER SYSTEM SET wal_sender_timeout = '60s'`, then `SELECT pg_reload_conf()`";
  if (walSenderTimeoutMs === 0 || walSenderTimeoutMs < 2_000) {
    return failed({ id: 'wal-sender-timeout', severity: 'warning', measured, why, fix, takes: 'reload' });
  }
  return passed('wal-sender-timeout', measured, why);
}

function judgeKeep({ maxSlotWalKeepMb }: ServerFacts): Finding {
  const measured = `max_slot_wal_keep_size is ${maxSlotWalKeepMb < 0 ? '-1 (no limit)' : `${maxSlotWalKeepMb} MB`}`;
  const why =
    'while Weir is away PostgreSQL keeps WAL for it: without a limit the disk can fill, over the limit the slot is lost';
  if (maxSlotWalKeepMb >= 0) return passed('slot-wal-limit', measured, why);
  const fix =
    "`ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'` (well below the disk's free space), then `SELECT pg_reload_conf()`";
  return failed({ id: 'slot-wal-limit', severity: 'warning', measured, why, fix, takes: 'reload' });
}

function judgeDecodingMemory({ logicalDecodingWorkMemKb }: ServerFacts): Finding {
  const measured = `logical_decoding_work_mem is ${logicalDecodingWorkMemKb} kB`;
  const why = 'larger transactions are decoded through files on disk';
  if (logicalDecodingWorkMemKb >= 16 * 1024) return passed('decoding-memory', measured, why);
  const fix = "`ALTER SYSTEM SET logical_decoding_work_mem = '64MB'`, then `SELECT pg_reload_conf()`";
  return failed({ id: 'decoding-memory', severity: 'warning', measured, why, fix, takes: 'reload' });
}

type Captured = Pick<TablePlan, 'schema' | 'name' | 'ops' | 'id'>;
type Alerting = Pick<RulePlan, 'id' | 'table' | 'by' | 'actions'>;

/** Pure: keys and identities of the tables that the rules capture. */
export function judgeTables(
  { tables, rules }: { readonly tables: readonly Captured[]; readonly rules: readonly Alerting[] },
  catalog: ReadonlyMap<string, CatalogTable>,
): readonly Finding[] {
  return tables.map((table, index) => {
    const found = catalog.get(`${table.schema}.${table.name}`);
    return judgeTable(table, found, rules.filter((rule) => rule.table === index).filter(namesTheRow));
  });
}

/** An alert is about the rule's key; without one, about the row. */
function namesTheRow({ by, actions }: Alerting): boolean {
  return by === null && actions.some(({ kind }) => kind === 'alert' || kind === 'webhook');
}

/** A scored event without an id is a mistake of the rules; a row without a key has its home by its whole text. */
function judgeTable(
  table: Captured,
  found: CatalogTable | undefined,
  nameless: readonly Alerting[],
): Finding {
  const full = `${table.schema}.${table.name}`;
  const id = `table-${full}`;
  if (found === undefined) {
    const why = 'the rules capture it';
    return failed({
      id,
      measured: `table ${full} does not exist`,
      why,
      fix: 'correct `table:` in the rules',
    });
  }
  const key =
    found.primaryKey.length === 0 ? 'no primary key' : `primary key (${found.primaryKey.join(', ')})`;
  const measured = `table ${full} has ${key}, replica identity ${found.replicaIdentity}`;
  const changes = table.ops.includes('update') || table.ops.includes('delete');
  const identified = found.replicaIdentity === 'full' || found.identityColumns.length > 0;
  if (changes && !identified) {
    return failed({
      id,
      measured,
      why: "once its updates are published, the host's own UPDATE and DELETE would fail",
      fix: `give it a primary key, or \`ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY FULL\``,
    });
  }
  if (table.id.length > 0 || nameless.length === 0)
    return passed(id, measured, 'rows are named by their primary key, or by `id:`');
  const rules = nameless.map((rule) => rule.id).join(', ');
  return failed({
    id,
    severity: 'warning',
    measured,
    why: `alerts of ${rules} are about a row, and nothing names it: their subject is empty`,
    fix: 'give it a primary key, or set `id:` on the event',
  });
}
