import { Violation } from './bug.ts';
import type { Source } from './model/source.ts';
import { hasContent } from './model/wal.ts';
import { PROCESSES } from './schedule.ts';
import type { World } from './world.ts';

/** Each is a new epoch at most. One is enough for most; what the schedule left undone may cost another. */
const ROUNDS = 6;

/**
 * Nothing more goes wrong, and nobody helps: the world has to come to rest by its own rules (requests of workers,
 * liveness of the source), with everything committed and acknowledged.
 */
export async function heal(world: World): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await world.finishWork();
    if (world.source === null) await world.begin();
    if (await runDry(world)) return atRest(world);
  }
  throw new Violation(`after ${ROUNDS} epochs there is still something to do`);
}

/** One epoch, until there is nothing more to do (true) or until it has ended. */
async function runDry(world: World): Promise<boolean> {
  for (;;) {
    const { source } = world;
    if (source === null) return false;
    const before = progressOf(world, source);
    await source.read(Infinity);
    // A drain.
    source.closeAll();
    source.send(Infinity);
    await world.workOff((partition) => partition % PROCESSES);
    await world.flushIdle();
    await world.poll();
    world.check();
    if (world.source === null) return false;
    if (source.unread === 0 && source.inFlight.batches === 0) return true;
    if (progressOf(world, source) !== before) continue;
    const why = world.stalled(source);
    if (why === null) throw new Violation('work is left, nothing moves, and nobody asks for an epoch');
    await world.begin();
  }
}

/** Also room in the byte budget, which the source hears of when it polls. */
function progressOf({ store }: World, { unread, inFlight }: Source): string {
  return [unread, inFlight.batches, inFlight.bytes, ...store.positions].join();
}

async function atRest(world: World): Promise<void> {
  const last = world.wal.transactions.findLast(hasContent);
  if (last !== undefined && world.store.ack.lsn !== last.lsn) {
    throw new Violation(
      `everything is committed, and ${world.store.ack.lsn} is acknowledged, not ${last.lsn}`,
    );
  }
  for (let partition = 0; partition < world.store.partitions; partition++) {
    for (let process = 0; process < PROCESSES; process++) await world.audit(process, partition);
  }
}
