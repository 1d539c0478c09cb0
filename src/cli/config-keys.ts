import { z } from 'zod';
import { DEFAULTS, type WebhookConfig } from '../config.ts';
import {
  address,
  bytes,
  duration,
  type Kind,
  oneOf,
  postgresUrl,
  text,
  url,
  whole,
  yesOrNo,
} from './config-kinds.ts';

/** One thing that Weir can be told, wherever it is said. The README's table is made from these. */
export interface ConfigKey<Value = unknown> {
  /** In weir.yaml, dotted; null: not there, because it is said for one start only. */
  readonly key: string | null;
  /** Each also with the suffix `_FILE`: a file that holds the value. */
  readonly env: string | null;
  readonly flag: string | null;
  /** As a person reads it. */
  readonly default: string;
  readonly meaning: string;
  /** From the text that was given, wherever it was. */
  readonly schema: z.ZodType<Value, string>;
  /** What the text has to be: `a whole number from 1 to 1024`. */
  readonly expected: string;
  /** May hold a password: shown without it; never a flag, since `ps` shows those to everyone. */
  readonly secret: boolean;
}

interface Said<Value> {
  readonly key?: string;
  readonly env?: string;
  readonly flag?: string;
  readonly default: string | number;
  readonly meaning: string;
  readonly kind: Kind<Value>;
  readonly secret?: true;
}

function key<Value>(said: Said<Value>): ConfigKey<Value> {
  return {
    key: said.key ?? null,
    env: said.env ?? null,
    flag: said.flag ?? null,
    default: String(said.default),
    meaning: said.meaning,
    schema: said.kind[0],
    expected: said.kind[1],
    secret: said.secret ?? false,
  };
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const KEYS = {
  databaseUrl: key({
    key: 'database_url',
    env: 'DATABASE_URL',
    default: 'none',
    meaning: 'The source: PostgreSQL, with a role that has REPLICATION',
    kind: postgresUrl,
    secret: true,
  }),
  storeUrl: key({
    key: 'store_url',
    env: 'WEIR_STORE_URL',
    default: 'the source',
    meaning: 'Where the schema `weir` lives: state, alerts, decisions',
    kind: postgresUrl,
    secret: true,
  }),
  redisUrl: key({
    key: 'redis_url',
    env: 'REDIS_URL',
    default: 'none',
    meaning: 'Set: BullMQ on Redis or Valkey. Unset: BullMQ on PostgreSQL',
    kind: url(['redis:', 'rediss:']),
    secret: true,
  }),
  queueUrl: key({
    key: 'queue_url',
    env: 'WEIR_QUEUE_URL',
    default: `database ${DEFAULTS.queueDatabase} beside the store`,
    meaning: 'A database of its own for BullMQ on PostgreSQL; never a captured one',
    kind: postgresUrl,
    secret: true,
  }),
  rules: key({
    key: 'rules',
    env: 'WEIR_RULES',
    flag: '--rules <path>',
    default: DEFAULTS.rulesPath,
    meaning: 'Directory (or file) of rules',
    kind: text,
  }),
  http: key({
    key: 'http',
    env: 'WEIR_HTTP',
    flag: '--http <host:port>',
    default: DEFAULTS.http,
    meaning: 'Where dashboard, board, metrics and probes listen; beyond loopback only with a token',
    kind: address,
  }),
  token: key({
    key: 'token',
    env: 'WEIR_TOKEN',
    default: 'none',
    meaning: 'What HTTP asks for: `Authorization: Bearer`, or `/?token=` once',
    kind: text,
    secret: true,
  }),
  allowActions: key({
    key: 'allow_actions',
    flag: '--allow-actions',
    default: 'false',
    meaning: 'The board may retry and remove jobs',
    kind: yesOrNo,
  }),
  slot: key({
    key: 'slot',
    env: 'WEIR_SLOT',
    flag: '--slot <name>',
    default: DEFAULTS.slot,
    meaning: 'Name of the replication slot, of this instance, and prefix of its publications',
    // An identifier has 63 bytes, and a publication's name adds up to 30: `_insert_update_delete_truncate`.
    kind: [z.string().regex(/^[a-z0-9_]{1,33}$/), '1 to 33 of a-z, 0-9 and _'],
  }),
  partitions: key({
    key: 'partitions',
    env: 'WEIR_PARTITIONS',
    flag: '--partitions <n>',
    default: DEFAULTS.partitions,
    meaning: 'Queues that events are spread over; remembered by the store',
    kind: whole(1, 1_024),
  }),
  role: key({
    key: 'role',
    flag: '--role <role>',
    default: 'all',
    meaning: 'What this process does: all, source or worker',
    kind: oneOf(['all', 'source', 'worker']),
  }),
  columns: key({
    key: 'columns',
    flag: '--columns <which>',
    default: 'used',
    meaning: 'What is published: the columns that rules use, or whole rows',
    kind: oneOf(['used', 'all']),
  }),
  adoptSlot: key({
    flag: '--adopt-slot',
    default: 'false',
    meaning: 'Go on with a slot that the store does not know, from where the slot stands',
    kind: yesOrNo,
  }),
  logLevel: key({
    key: 'log_level',
    env: 'LOG_LEVEL',
    flag: '--log-level <level>',
    default: 'info',
    meaning: 'fatal, error, warn, info, debug, trace or silent',
    kind: oneOf(LEVELS),
  }),
  batchRows: key({
    key: 'batch.rows',
    default: DEFAULTS.batch.rows,
    meaning: 'A batch closes at so many rows',
    kind: whole(1, 100_000),
  }),
  batchBytes: key({
    key: 'batch.bytes',
    default: `${DEFAULTS.batch.bytes / 1_024}kB`,
    meaning: 'A batch closes at so many bytes',
    kind: bytes(1_024),
  }),
  batchLinger: key({
    key: 'batch.linger',
    default: `${DEFAULTS.batch.lingerMs}ms`,
    meaning: 'A batch waits so long for more rows',
    kind: duration(0, 10_000),
  }),
  inFlightBytes: key({
    key: 'memory.in_flight_bytes',
    default: `${DEFAULTS.memory.inFlightBytes / 1_048_576}MB`,
    meaning: 'Read and not yet committed: at this the source stops reading',
    kind: bytes(1 << 20),
  }),
  segmentBytes: key({
    key: 'state.segment_bytes',
    default: `${DEFAULTS.state.segmentBytes / 1_048_576}MB`,
    meaning: "A partition's segments of state are compacted from this size on",
    kind: bytes(1_024),
  }),
  heartbeat: key({
    key: 'heartbeat',
    default: `${DEFAULTS.heartbeatMs / 1_000}s`,
    meaning: 'How often Weir writes its own message into the WAL, which moves time',
    kind: duration(10, 60_000),
  }),
} as const;
export type KeyName = keyof typeof KEYS;

/** A webhook has a name of the user's choice, so it is not one key. */
export const WEBHOOKS = 'webhooks';
export const webhookSchema = z
  .strictObject({
    url: z.string().refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
      error: 'expected a URL that begins with https:// or http://',
    }),
    secret: z.string().min(1, { error: 'expected a text that is not empty' }),
    timeout: webhookDuration(100, 120_000).optional(),
    give_up_after: webhookDuration(1_000, 30 * 24 * 3_600_000).optional(),
  })
  .transform(
    ({ url, secret, timeout, give_up_after }): WebhookConfig => ({
      url,
      secret,
      timeoutMs: timeout ?? DEFAULTS.webhook.timeoutMs,
      giveUpAfterMs: give_up_after ?? DEFAULTS.webhook.giveUpAfterMs,
    }),
  );

function webhookDuration(fromMs: number, toMs: number) {
  const [schema, expected] = duration(fromMs, toMs);
  return z.string({ error: `expected ${expected}` }).transform((value, context) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    context.addIssue(`expected ${expected}`);
    return z.NEVER;
  });
}

/** Everything that can be configured, for the README's table. */
export const CONFIG_KEYS: readonly Pick<ConfigKey, 'key' | 'env' | 'flag' | 'default' | 'meaning'>[] = [
  ...Object.values(KEYS).map((known) => ({
    key: known.key,
    env: known.env,
    flag: known.flag,
    default: known.default,
    meaning: known.meaning,
  })),
  {
    key: `${WEBHOOKS}.NAME.url, ${WEBHOOKS}.NAME.secret`,
    env: null,
    flag: null,
    default: 'none',
    meaning: 'What the action `webhook:NAME` calls, and the secret that signs it',
  },
  {
    key: `${WEBHOOKS}.NAME.timeout`,
    env: null,
    flag: null,
    default: '10s',
    meaning: 'An answer that takes longer is none',
  },
  {
    key: `${WEBHOOKS}.NAME.give_up_after`,
    env: null,
    flag: null,
    default: '24h',
    meaning: 'A delivery that has failed for so long is given up',
  },
];
