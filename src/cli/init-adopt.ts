import { WeirError } from '../errors.ts';
import type { SourceFacts } from '../source/facts.ts';
import { refusal } from '../source/finding.ts';
import { judge } from '../source/preflight.ts';
import { slotStatus } from '../source/slot.ts';
import type { Instance } from '../store/control.ts';
import type { InitContext } from './init-context.ts';
import { recordInstance, startsAt } from './init-record.ts';
import { type SlotStart, slotForNewInstance } from './init-slot.ts';

/** What going on from where the slot stands mends; anything else needs another cure. */
const MENDED: ReadonlySet<string> = new Set(['slot-missing', 'slot-moved', 'system', 'publications']);

/**
 * An instance that fits is left as it is, however often init runs. One that does not is refused, or with
 * --adopt-slot begins again where the slot stands: alerts and decisions stay, windows begin empty.
 */
export async function keepOrAdopt(
  context: InitContext,
  instance: Instance,
  facts: SourceFacts,
): Promise<string> {
  const findings = judge(context.config.slot, facts, { instance, plans: [] });
  const errors = findings.filter(({ ok, severity }) => !ok && severity === 'error');
  if (errors.length === 0) return 'there already, as the store knows it';
  const hopeless = errors.filter(({ id }) => !MENDED.has(id));
  const refused = refusal(context.adoptSlot ? hopeless : errors);
  if (refused !== null) throw refused;
  const decodable = !errors.some(({ id }) => id === 'publications');
  const start = await standing(context, decodable);
  await recordInstance(context, { facts, start, after: instance });
  return `adopted; ${startsAt(context, start.acknowledged)}; what was committed between stays unseen`;
}

/** `decodable`: WAL from before a publication was made anew cannot be decoded with it: then from now on. */
async function standing(context: InitContext, decodable: boolean): Promise<SlotStart> {
  const { config, source } = context;
  if (!decodable && (await slotStatus(source, config.slot)) !== null) await advance(context);
  return slotForNewInstance(source, {
    databaseUrl: config.databaseUrl,
    slot: config.slot,
    adopt: true,
    onWaiting: (forWhom) => context.tell(`waits for ${forWhom.join('\n  and ')}`),
  });
}

async function advance({ config, source }: InitContext): Promise<void> {
  const status = await slotStatus(source, config.slot);
  if (status !== null && status.activePid !== null)
    throw new WeirError({
      code: 'WEIR_SLOT_ACTIVE',
      message: `slot "${config.slot}" is in use by PID ${status.activePid}: a Weir is running`,
      hint: 'stop it first',
      retry: 'after-operator',
    });
  await source.query('select pg_replication_slot_advance($1, pg_current_wal_lsn())', [config.slot]);
}
