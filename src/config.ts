/** What a process of Weir is told: flag, environment, weir.yaml, default, in this order. `cli/load-config.ts` makes it. */
export interface Config {
  /** The source: a role with REPLICATION. */
  readonly databaseUrl: string;
  /** Where the schema `weir` lives; default the source. */
  readonly storeUrl: string;
  readonly queue: QueueConfig;
  readonly rulesPath: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly token: string | null;
    readonly allowActions: boolean;
  };
  /** Name of the slot; also the prefix of the publications, and this instance's `processor_id` in the store. */
  readonly slot: string;
  readonly partitions: number;
  readonly role: 'all' | 'source' | 'worker';
  /** `used`: column lists of what rules use. `all`: whole rows. */
  readonly columns: 'used' | 'all';
  readonly adoptSlot: boolean;
  readonly logLevel: string;
  readonly batch: { readonly rows: number; readonly bytes: number; readonly lingerMs: number };
  readonly memory: { readonly inFlightBytes: number };
  /** A partition's segments of state are compacted from this size on. */
  readonly state: { readonly segmentBytes: number };
  readonly heartbeatMs: number;
  readonly webhooks: Readonly<Record<string, WebhookConfig>>;
}

/** A receiver of alerts. */
export interface WebhookConfig {
  readonly url: string;
  readonly secret: string;
  /** An answer that takes longer is none. */
  readonly timeoutMs: number;
  /** A delivery that failed for so long is dead. */
  readonly giveUpAfterMs: number;
}

export type QueueConfig =
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'postgres'; readonly url: string };

export const DEFAULTS = {
  rulesPath: './rules',
  http: '127.0.0.1:8090',
  slot: 'weir',
  partitions: 8,
  queueDatabase: 'weir_queue',
  batch: { rows: 2_000, bytes: 512 * 1024, lingerMs: 5 },
  memory: { inFlightBytes: 8 * 1024 * 1024 },
  state: { segmentBytes: 4 * 1024 * 1024 },
  heartbeatMs: 1_000,
  webhook: { timeoutMs: 10_000, giveUpAfterMs: 24 * 3_600_000 },
} as const;
