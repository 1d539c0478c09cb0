import { Redis } from 'ioredis';
import type { Random } from '../../src/demo/random.ts';
import { until } from '../support/until.ts';
import type { WeirProcess } from '../support/weir-process.ts';
import type { World } from './world.ts';
import type { Writer } from './writer.ts';

export type Fault =
  | 'kill-source'
  | 'kill-worker'
  | 'kill-all'
  | 'pause-source'
  | 'terminate-worker'
  | 'postgres-immediate'
  | 'redis-flush'
  | 'redis-flush-while-paused'
  | 'redis-kill'
  | 'bulk';

/** What the issue asks for at least, and the rest at random until the time is over. */
export function schedule(
  random: Random,
  options: { kills: number; redis: boolean; bulkRows: number },
): Fault[] {
  const must: Fault[] = [
    'postgres-immediate',
    'postgres-immediate',
    'pause-source',
    'terminate-worker',
    'bulk',
  ];
  if (options.redis) must.push('redis-flush', 'redis-flush-while-paused', 'redis-kill', 'redis-kill');
  const kills = Array.from({ length: options.kills }, () =>
    random.pick(['kill-source', 'kill-source', 'kill-worker', 'kill-worker', 'kill-all'] as const),
  );
  return shuffle(random, [...must, ...kills]);
}

function shuffle<T>(random: Random, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = random.int(i + 1);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}

export interface Stage {
  readonly world: World;
  readonly writer: Writer;
  readonly random: Random;
  readonly bulkRows: number;
}

/** Makes one fault happen, and sets running again what it stopped. Returns how many processes it killed. */
export async function inflict(fault: Fault, stage: Stage): Promise<number> {
  const { world, random } = stage;
  switch (fault) {
    case 'kill-source':
      return kill(random, [random.pick(world.sources)]);
    case 'kill-worker':
      return kill(random, [random.pick(world.workers)]);
    case 'kill-all':
      return kill(random, world.processes);
    case 'terminate-worker':
      return terminate(random.pick(world.workers));
    case 'pause-source':
      return hold(random.pick(world.sources), 4_000 + random.int(6_000));
    case 'postgres-immediate':
      await world.postgres.stop('immediate');
      await pause(random.int(2_000));
      await world.postgres.start();
      return 0;
    case 'redis-flush':
      await flush(world);
      return 0;
    case 'redis-flush-while-paused':
      return flushWhilePaused(stage);
    case 'redis-kill':
      await world.redis?.stop('SIGKILL');
      await pause(random.int(2_000));
      await world.redis?.start();
      return 0;
    case 'bulk':
      await stage.writer.bulkTransaction(stage.bulkRows);
      return 0;
  }
}

async function kill(random: Random, processes: readonly WeirProcess[]): Promise<number> {
  const running = processes.filter((process) => process.running);
  await Promise.all(running.map((process) => process.end('SIGKILL')));
  await pause(random.int(1_500));
  for (const process of processes) process.start();
  return running.length;
}

async function terminate(process: WeirProcess): Promise<number> {
  await process.end('SIGTERM');
  process.start();
  return 0;
}

/** Long enough for another to take its place; then it wakes, and must write nothing. */
async function hold(process: WeirProcess, ms: number): Promise<number> {
  process.signal('SIGSTOP');
  await pause(ms);
  process.signal('SIGCONT');
  return 0;
}

/** The workers stand still until the source's budget is full; then the queue is lost. */
async function flushWhilePaused(stage: Stage): Promise<number> {
  const { world } = stage;
  for (const worker of world.workers) worker.signal('SIGSTOP');
  try {
    const bulk = stage.writer.bulkTransaction(stage.bulkRows).catch(() => undefined);
    await until('the socket is paused', () => world.paused(), 20_000);
    await flush(world);
    await bulk;
  } finally {
    for (const worker of world.workers) worker.signal('SIGCONT');
  }
  return 0;
}

async function flush(world: World): Promise<void> {
  if (world.redis === null) return;
  const client = new Redis({
    port: world.redis.port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => null,
  });
  client.on('error', () => undefined);
  await client
    .connect()
    .then(() => client.flushall())
    .catch(() => undefined);
  client.disconnect();
}

/** Faults come when they come: chaos waits for nothing but time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
