import { readFacts } from '../source/facts.ts';
import { keepOrAdopt } from './init-adopt.ts';
import { type InitContext, nameOfSource } from './init-context.ts';
import { openStoreControl, recordInstance, startsAt } from './init-record.ts';
import { refusePhysical, slotForNewInstance, slotSql } from './init-slot.ts';
import { type Step, THERE } from './step.ts';

/*
 * The slot, then the instance's row, which records where the slot starts. A crash between them can leave a slot that no
 * instance knows, which the next init refuses and says how to go on with; never an instance whose slot starts later
 * than its record.
 */

/** Needs no more rights than Weir's own role has. */
export async function instanceStep(context: InitContext): Promise<Step> {
  const known = await openStoreControl(context, (control) => control.instance());
  const { slot, partitions } = context.config;
  return {
    title: `slot ${slot}`,
    why: `From here on PostgreSQL keeps WAL for Weir. It waits for every transaction that is open and has written.\nweir init --apply --adopt-slot, as Weir's role, then records where it starts, the rules and ${partitions} partitions.`,
    where: nameOfSource(context),
    script: known === null ? slotSql(slot) : THERE,
    run: () => makeInstance(context),
  };
}

async function makeInstance(context: InitContext): Promise<string> {
  const { config } = context;
  await refusePhysical(context.source, config.slot);
  const instance = await openStoreControl(context, (control) => control.instance());
  const facts = await readFacts(config.databaseUrl, config.slot);
  if (instance !== null) return keepOrAdopt(context, instance, facts);
  const start = await slotForNewInstance(context.source, {
    databaseUrl: config.databaseUrl,
    slot: config.slot,
    adopt: context.adoptSlot,
    onWaiting: (forWhom) => context.tell(`waits for ${forWhom.join('\n  and ')}`),
  });
  await recordInstance(context, { facts, start, after: null });
  return `${start.made ? 'made' : 'adopted'}; ${startsAt(context, start.acknowledged)}`;
}
