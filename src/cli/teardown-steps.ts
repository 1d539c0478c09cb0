import type pg from 'pg';
import { escapeLiteral, escapeIdentifier as ident } from 'pg';
import { WeirError } from '../errors.ts';
import { changeGuard } from '../guard/change-guard.ts';
import { removalScript } from '../guard/guard-script.ts';
import { readGuards } from '../guard/guard-state.ts';
import { dropSlot, slotStatus } from '../source/slot.ts';
import { dropInstance } from '../store/control-store.ts';
import { DROP_SQL, dropAll } from '../store/migrate.ts';
import { isPhysical } from './init-slot.ts';
import type { Step } from './step.ts';

export interface Removal {
  readonly slot: string;
  readonly source: pg.Client;
  readonly store: pg.ClientBase;
  /** Of the source: a slot of the same name in another one is not ours. */
  readonly database: string;
  readonly sourceName: string;
  readonly storeName: string;
}

/** Before everything else: they are the one thing of Weir that the host's inserts run. None where there are none. */
export async function guardsRemoval({ slot, source, sourceName }: Removal): Promise<readonly Step[]> {
  const guards = await readGuards(source, slot);
  if (guards.length === 0) return [];
  const names = guards.map(({ schema, name }) => `${schema}.${name}`).join(', ');
  return [
    {
      title: `guards of ${names}`,
      why: 'Triggers on your tables, which refuse what is blocked.',
      where: sourceName,
      script: guards.flatMap((guard) => removalScript(slot, guard)).join('\n'),
      run: async () => {
        for (const guard of guards) await changeGuard(source, guard, removalScript(slot, guard));
        return `removed from ${names}`;
      },
    },
  ];
}

/** The slot first: nothing reads the publications then, and PostgreSQL may remove WAL. */
export function slotRemoval({ slot, source, database, sourceName }: Removal): Step {
  const name = escapeLiteral(slot);
  return {
    title: `slot ${slot}`,
    why: 'PostgreSQL keeps WAL for it until it is dropped.',
    where: sourceName,
    script: `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots\n  WHERE slot_name = ${name} AND database = current_database();`,
    run: async () => {
      if (await isPhysical(source, slot)) return 'left: it is a physical slot';
      const there = await slotStatus(source, slot);
      if (there === null) return 'not there';
      if (there.database !== database) return `left: it is of database ${there.database}`;
      if (there.activePid !== null) throw running(slot, there.activePid);
      await dropSlot(source, slot);
      return 'dropped';
    },
  };
}

function running(slot: string, pid: number): WeirError {
  return new WeirError({
    code: 'WEIR_SLOT_ACTIVE',
    message: `slot "${slot}" is in use by PID ${pid}: a Weir is running`,
    hint: `stop it first; if it hangs: SELECT pg_terminate_backend(${pid});`,
    retry: 'after-operator',
  });
}

/** `names`: those that Weir makes for this slot, whether they are there or not. */
export function publicationsRemoval(removal: Removal, names: readonly string[]): Step {
  const { source, sourceName, slot } = removal;
  return {
    title: `publications ${slot}_…`,
    why: 'Without a slot they do nothing, but a table in one that lacks a replica identity refuses updates.',
    where: sourceName,
    script: names.map((name) => `DROP PUBLICATION IF EXISTS ${ident(name)};`).join('\n'),
    run: async () => {
      const { rows } = await source.query<{ pubname: string }>(
        'select pubname from pg_publication where pubname = any ($1) order by pubname',
        [names],
      );
      for (const { pubname } of rows) await source.query(`DROP PUBLICATION ${ident(pubname)}`);
      return rows.length === 0 ? 'not there' : `dropped ${rows.map((row) => row.pubname).join(', ')}`;
    },
  };
}

const OUTPUTS = ['alerts', 'decisions', 'blocks', 'late_events', 'dead_letters'] as const;

/** The whole schema, or while another instance lives in it what is this one's alone. */
export async function schemaRemoval({ slot, store, storeName }: Removal): Promise<Step> {
  const others = await otherInstances(store, slot);
  const name = escapeLiteral(slot);
  const own = OUTPUTS.map((table) => `DELETE FROM weir.${table} WHERE processor_id = ${name};`).join('\n');
  return {
    title: 'schema weir',
    why:
      others.length === 0
        ? 'State, alerts, decisions and everything else of Weir: nothing of Weir is outside this schema.'
        : `Only what belongs to ${slot}: ${others.join(', ')} live in the schema too.`,
    where: storeName,
    script:
      others.length === 0
        ? `${DROP_SQL};`
        : `${own}\nDELETE FROM weir.instances WHERE processor_id = ${name};`,
    run: async () => {
      if (others.length === 0) {
        if (!(await schemaExists(store))) return 'not there';
        await dropAll(store);
        return 'dropped';
      }
      for (const table of OUTPUTS)
        await store.query(`delete from weir.${table} where processor_id = $1`, [slot]);
      await dropInstance(store, slot);
      return `removed what was of ${slot}`;
    },
  };
}

async function schemaExists(store: pg.ClientBase): Promise<boolean> {
  const { rows } = await store.query<{ there: boolean }>(
    "select to_regnamespace('weir') is not null as there",
  );
  return rows[0]?.there === true;
}

export async function otherInstances(store: pg.ClientBase, slot: string): Promise<readonly string[]> {
  const { rows: made } = await store.query<{ made: boolean }>(
    "select to_regclass('weir.instances') is not null as made",
  );
  if (made[0]?.made !== true) return [];
  const { rows } = await store.query<{ processor_id: string }>(
    'select processor_id from weir.instances where processor_id <> $1 order by 1',
    [slot],
  );
  return rows.map((row) => row.processor_id);
}
