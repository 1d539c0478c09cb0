import { seeded } from '../../src/demo/random.ts';
import { type Fault, inflict, pause, schedule } from './faults.ts';
import { judge, type Verdict } from './oracle.ts';
import { type Backend, World } from './world.ts';
import { Writer } from './writer.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly backend: Backend;
  readonly kills: number;
  readonly bulkRows: number;
  readonly say: (line: string) => void;
}

export interface ChaosResult extends Verdict {
  readonly rows: number;
  readonly kills: number;
  readonly faults: readonly Fault[];
  readonly directory: string;
}

/** A loaded machine has the whole storm still to fold when the writer ends. */
const CATCH_UP_MS = 600_000;

/** Of what waits for time in rules/chaos.yaml, and a little more. */
const LAST_DEADLINE_MS = 2_500;

/** A writer, faults, then silence; and what Weir wrote against what SQL says must be there. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const random = seeded(options.seed);
  const world = await World.open(options.backend);
  const stopping = new AbortController();
  try {
    const writer = new Writer(world.postgres.url, seeded(options.seed + 1));
    world.bank.failAtRandom(seeded(options.seed + 2));
    for (const process of world.processes) process.start();
    const writing = writer.run(stopping.signal);
    const done = await storm(options, { world, writer, random, bulkRows: options.bulkRows });
    stopping.abort();
    await writing;
    // Holds that nobody answers, or that come to nothing, are told of by time alone.
    await pause(LAST_DEADLINE_MS);
    options.say(`${writer.rows} rows written, ${done.kills} kills; waiting for Weir to catch up`);
    for (const process of world.processes) if (!process.running) process.start();
    await world.caughtUp(CATCH_UP_MS);
    const verdict = await world.withClient(async (client) => {
      await world.bank.settle(client, CATCH_UP_MS);
      return judge(client, world.bank);
    });
    const { forged, attempts, taken } = world.bank.receiver;
    options.say(
      `${attempts} requests to the webhook, ${taken.size} deliveries taken, ${forged} signatures wrong`,
    );
    if (forged > 0) throw new Error(`${forged} signatures are wrong`);
    return { ...verdict, ...done, rows: writer.rows, directory: world.directory };
  } finally {
    stopping.abort();
    await world.close();
  }
}

async function storm(
  options: ChaosOptions,
  stage: Parameters<typeof inflict>[1],
): Promise<{ kills: number; faults: readonly Fault[] }> {
  const { random, world } = stage;
  const faults = schedule(random, {
    kills: options.kills,
    redis: world.redis !== null,
    bulkRows: options.bulkRows,
  });
  const started = Date.now();
  const lengthMs = options.minutes * 60_000;
  let kills = 0;
  for (const [index, fault] of faults.entries()) {
    const due = started + (lengthMs * (index + 0.5 + random.next() * 0.4)) / faults.length;
    await pause(Math.max(0, due - Date.now()));
    options.say(`${((Date.now() - started) / 1_000).toFixed(1)} s: ${fault}`);
    kills += await inflict(fault, stage);
    revive(stage.world, options.say);
  }
  await pause(Math.max(0, started + lengthMs - Date.now()));
  return { kills, faults };
}

/** A process that ended by itself is what an operator's supervisor would start again; it is said, since it may be a bug. */
function revive(world: World, say: (line: string) => void): void {
  for (const process of world.processes) {
    if (process.running) continue;
    say(`${process.name} had ended by itself with exit code ${process.exitCode ?? 'none'}: started again`);
    process.start();
  }
}
