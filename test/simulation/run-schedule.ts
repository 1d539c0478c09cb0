import { isDeepStrictEqual } from 'node:util';
import { partitionOf } from '../../src/events/keys.ts';
import { type Bug, Violation } from './bug.ts';
import { heal } from './heal.ts';
import { loadState, visible } from './model/kept-log.ts';
import { type Uninterrupted, uninterrupted } from './model/reference.ts';
import type { Schedule } from './schedule.ts';
import { World } from './world.ts';

/** Runs a schedule, lets the world heal, and throws what it has broken. */
export async function runSchedule(
  schedule: Schedule,
  bug: Bug | null = null,
  journal: ((line: string) => void) | null = null,
): Promise<World> {
  const world = new World(bug, journal);
  await world.begin();
  for (const step of schedule) await world.take(step);
  journal?.('- and nothing more goes wrong');
  await heal(world);
  await compare(world);
  return world;
}

async function compare(world: World): Promise<void> {
  const reference = await uninterrupted(world.wal, (ids) => world.store.effects.letters(ids));
  const [actual, expected] = [world.store.effects.everything(), reference.effects.everything()];
  for (const table of Object.keys(expected) as (keyof typeof expected)[]) {
    if (isDeepStrictEqual(actual[table], expected[table])) continue;
    throw new Violation(difference(table, actual[table], expected[table]));
  }
  await compareState(world, reference);
}

function difference(table: string, actual: readonly unknown[], expected: readonly unknown[]): string {
  const lines = (rows: readonly unknown[], others: readonly unknown[]) =>
    rows
      .map((row) => JSON.stringify(row))
      .filter((row) => !others.some((other) => JSON.stringify(other) === row));
  const missing = lines(expected, actual).map((row) => `\n  missing ${row}`);
  const extra = lines(actual, expected).map((row) => `\n  extra   ${row}`);
  return `${table} are not those of an uninterrupted run:${missing.join('')}${extra.join('')}`;
}

/** What the partitions have in the store, together, is the state of the one partition. */
async function compareState(world: World, { state: expected, buckets }: Uninterrupted): Promise<void> {
  const { plan } = expected;
  const watermarks = world.source?.reader.clock.watermarks() ?? [];
  for (let partition = 0; partition < world.store.partitions; partition++) {
    const here = [...buckets].filter((bucket) => partitionOf(bucket, world.store.partitions) === partition);
    const state = await loadState(world.store, partition, { plan, buckets: here });
    watermarks.forEach((watermark, table) => {
      for (const one of [state, expected]) one.advance(table, watermark ?? -Infinity);
    });
    for (const bucket of here) {
      const [stored, whole] = [visible(state, bucket), visible(expected, bucket)];
      if (stored !== whole)
        throw new Violation(`bucket ${bucket} is\n${stored}\nand uninterrupted\n${whole}`);
    }
  }
}

/** The schedule in words, with what came of each step. */
export async function tell(schedule: Schedule, bug: Bug | null = null): Promise<string> {
  const lines: string[] = [];
  try {
    await runSchedule(schedule, bug, (line) => lines.push(line));
  } catch (error) {
    lines.push(error instanceof Violation ? `✗ ${error.message}` : `✗ ${(error as Error).stack}`);
  }
  return lines.join('\n');
}
