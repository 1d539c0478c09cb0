import pino from 'pino';
import type { QueueConfig } from '../config.ts';
import { EXIT, WeirError } from '../errors.ts';
import { openQueues } from '../queue/connect.ts';
import { QUEUE_SCHEMA } from '../queue/postgres-database.ts';
import type { Instance } from '../store/control.ts';
import { withClient } from './connect.ts';
import { explainError } from './explain-error.ts';
import { queueInstance } from './queue-instance.ts';

export interface QueueLook {
  readonly kind: QueueConfig['kind'];
  /** Jobs waiting or active, by partition; null: it cannot be asked, and `problem` says why. */
  readonly depths: readonly number[] | null;
  readonly problem: string | null;
  readonly unreachable: boolean;
}

/** Looks, and makes nothing: opening BullMQ on PostgreSQL would make its database. */
export async function lookAtQueue(config: QueueConfig, instance: Instance): Promise<QueueLook> {
  try {
    if (config.kind === 'postgres') await demandSchema(config.url, instance.slot);
    const logger = pino({ level: 'silent' });
    const options = { instance: queueInstance(instance), partitions: instance.partitions, logger };
    const queues = await openQueues(config, options);
    try {
      return { kind: config.kind, depths: await queues.producer.depths(), problem: null, unreachable: false };
    } finally {
      await queues.close();
    }
  } catch (error) {
    const { exit, message } = explainError(error);
    return { kind: config.kind, depths: null, problem: message, unreachable: exit === EXIT.unreachable };
  }
}

async function demandSchema(url: string, slot: string): Promise<void> {
  const made = await withClient({ url, slot, variable: 'WEIR_QUEUE_URL' }, async (client) => {
    const { rows } = await client.query<{ made: boolean }>('select to_regnamespace($1) is not null as made', [
      QUEUE_SCHEMA,
    ]);
    return rows[0]?.made === true;
  });
  if (made) return;
  throw new WeirError({
    code: 'WEIR_QUEUE_NOT_MADE',
    message: `the queue's database has no schema ${QUEUE_SCHEMA} yet`,
    hint: 'weir run makes it',
  });
}
