import { type BackendFactory, createRedisBackend, type IQueueBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { EXIT, WeirError } from '../errors.ts';
import { type BatchQueue, type BullBackend, SILENCE_MS } from './bullmq-backend.ts';
import { type QueueFinding, refuseUnfit } from './finding.ts';
import { redisFindings } from './redis-checks.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * BullMQ on Redis or Valkey: one connection for the producer and the board, one for the workers' commands
 * (a large add must not stand before a completion), and a blocked one of BullMQ's own a worker.
 */
export async function openRedisBackend(url: string, logger: Logger): Promise<BullBackend> {
  const main = await connect(url, logger);
  let workers: Redis | null = null;
  try {
    refuseUnfit('Redis', await redisFindings(main));
  } catch (error) {
    main.disconnect();
    throw error;
  }

  const factory: BackendFactory<IQueueBackend, unknown> = (name, options, extra) => {
    const forWorker = extra?.withBlockingConnection === true;
    if (forWorker) workers ??= create(url);
    return createRedisBackend(name, { ...options, connection: forWorker && workers ? workers : main }, extra);
  };

  return {
    kind: 'redis',
    factory,
    depths,
    check: (): Promise<readonly QueueFinding[]> => redisFindings(main),
    close: async () => {
      main.disconnect();
      workers?.disconnect();
    },
  };
}

async function depths(queues: readonly BatchQueue[]): Promise<readonly number[]> {
  // Sent in one write: ioredis does not wait for one answer before it sends the next command.
  return Promise.all(queues.map((queue) => queue.getJobCountByTypes('wait', 'active', 'prioritized')));
}

function create(url: string): Redis {
  const redis = new Redis(url, {
    // Commands wait for a server that is away, in order, instead of failing one by one.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    // After a failover the old primary is a replica: look again for the primary.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Counts from the first command without an answer, the blocking one of a worker among them: it is answered sooner.
    socketTimeout: SILENCE_MS,
    keepAlive: 5_000,
    connectionName: 'weir',
  });
  // Each queue and worker listens to it.
  redis.setMaxListeners(0);
  redis.on('error', () => undefined); // told by `close`, once, below
  return redis;
}

/** Connected, or a WeirError: later it may come and go, but at the start a wrong address is a mistake. */
async function connect(url: string, logger: Logger): Promise<Redis> {
  const redis = create(url);
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error): void => {
      redis.disconnect();
      reject(unreachable(redis, error));
    };
    redis.once('error', refuse);
    redis.once('ready', () => {
      redis.off('error', refuse);
      resolve();
    });
  });
  logChanges(redis, logger);
  return redis;
}

function logChanges(redis: Redis, logger: Logger): void {
  const server = address(redis);
  let away = false;
  redis.on('close', () => {
    if (!away && redis.status !== 'end') logger.warn({ server }, 'Redis is away: batches wait');
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info({ server }, 'Redis is back');
    away = false;
  });
}

function address(redis: Redis): string {
  return redis.options.path ?? `${redis.options.host}:${redis.options.port}`;
}

function unreachable(redis: Redis, cause: Error): WeirError {
  const refused = /NOAUTH|WRONGPASS|NOPERM/.test(cause.message);
  return new WeirError({
    code: refused ? 'WEIR_REDIS_REFUSED' : 'WEIR_REDIS_UNREACHABLE',
    message: `Redis at ${address(redis)} ${refused ? 'refuses us' : 'does not answer'}: ${cause.message}`,
    hint: refused
      ? 'put the user and password into REDIS_URL: redis://user:password@host:6379'
      : 'check REDIS_URL, and that the server runs and listens there',
    retry: refused ? 'after-operator' : 'backoff',
    exit: EXIT.unreachable,
    cause,
  });
}
