import { Writable } from 'node:stream';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { QueueConfig } from '../../../src/config.ts';
import { openQueues, type Queues } from '../../../src/queue/connect.ts';
import { startPostgres } from '../../support/postgres.ts';
import { startRedis } from '../../support/redis.ts';

export interface QueueServer {
  readonly config: QueueConfig;
  /** By SIGKILL, or in immediate mode. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export const SERVERS: Readonly<Record<QueueConfig['kind'], () => Promise<QueueServer>>> = {
  redis: async () => {
    const redis = await startRedis();
    return { ...redis, config: { kind: 'redis', url: redis.url }, kill: () => redis.stop('SIGKILL') };
  },
  postgres: async () => {
    const postgres = await startPostgres({ version: 18 });
    const url = new URL(postgres.url);
    url.pathname = '/weir_queue';
    return {
      config: { kind: 'postgres', url: url.toString() },
      kill: () => postgres.stop('immediate'),
      start: () => postgres.start(),
      close: () => postgres.close(),
    };
  },
};

/** A log whose messages a test can look at. */
export function recordingLogger() {
  const messages: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      messages.push((JSON.parse(chunk.toString()) as { msg: string }).msg);
      done();
    },
  });
  return { messages, logger: pino({ level: 'info' }, stream) };
}

let instances = 0;

/** Queues of an instance of their own, which nothing else on the server uses. */
export async function openOn(
  server: QueueServer,
  options: { readonly partitions?: number; readonly onBug?: (error: unknown) => void } = {},
): Promise<Queues & { readonly messages: readonly string[]; readonly instance: string }> {
  instances += 1;
  const instance = `test:${instances}`;
  const { messages, logger } = recordingLogger();
  const opened = await openQueues(server.config, { instance, partitions: 2, logger, ...options });
  return { ...opened, messages, instance };
}

export async function withRedis<T>(url: string, action: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await action(redis);
  } finally {
    redis.disconnect();
  }
}
