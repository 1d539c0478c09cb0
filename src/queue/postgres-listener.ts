import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type PgPool, PostgresConnection } from 'bullmq';
import pg from 'pg';
import { lost } from './postgres-lost.ts';

/** BullMQ tells each queue's new jobs there, with the queue's name. */
const JOBS_CHANNEL = 'bullmq_jobs';
const RECONNECT_PAUSE_MS = 250;
/** Nothing is ever asked on this session, so a line that is dead would stay so. */
const PING_MS = 10_000;

/**
 * The one LISTEN session of a process. BullMQ's own would be one a worker; here a notification reaches the
 * process once, and each waiting worker looks for its queue's name. It outlives the sessions that it opens.
 */
export class Listener extends EventEmitter {
  readonly #config: pg.ClientConfig;
  readonly #views = new Set<QueueConnection>();
  #client: Promise<pg.Client> | null = null;
  #closed = false;

  constructor(config: pg.ClientConfig) {
    super();
    this.#config = config;
    this.setMaxListeners(0); // one a waiting worker
  }

  view(pool: PgPool): QueueConnection {
    const view = new QueueConnection(pool, this);
    this.#views.add(view);
    return view;
  }

  forget(view: QueueConnection): void {
    this.#views.delete(view);
  }

  /** Resolves when it listens. */
  async ready(): Promise<this> {
    this.#client ??= this.#connect();
    await this.#client;
    return this;
  }

  /** BullMQ asks for LISTEN, once a worker: it is done already. */
  async query(): Promise<{ rows: [] }> {
    return { rows: [] };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => null);
    await client?.end();
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config);
    client.on('error', () => undefined); // told by `end`
    client.on('notification', (message) => this.emit('notification', message));
    try {
      await client.connect();
      await client.query(`LISTEN ${JOBS_CHANNEL}`);
    } catch (error) {
      await delay(RECONNECT_PAUSE_MS);
      this.#client = null;
      throw lost(error);
    }
    const pinging = setInterval(() => ping(client), PING_MS);
    client.once('end', () => {
      clearInterval(pinging);
      this.#lose();
    });
    return client;
  }

  /** Waiting workers wake, ask the queue, and wait on a new session. */
  #lose(): void {
    if (this.#closed) return;
    this.#client = null;
    for (const view of this.#views) view.emit('listenerinvalidated');
  }
}

/** One without an answer ends the session, hard: its goodbye would not be heard either. */
function ping(client: pg.Client): void {
  const query: pg.QueryConfig & { readonly query_timeout: number } = {
    text: 'SELECT 1',
    query_timeout: PING_MS,
  };
  client.query(query).catch(() => client.connection.stream.destroy());
}

/** What BullMQ takes for a connection of its own: the process's pool and listener, seen by one queue or worker. */
export class QueueConnection extends PostgresConnection {
  readonly #listener: Listener;
  #end: Promise<void> | undefined;

  constructor(pool: PgPool, listener: Listener) {
    super(pool);
    this.#listener = listener;
  }

  /** `prepareDatabase` has seen to it; BullMQ's own check would remember a failure for ever. */
  override async waitUntilReady(): Promise<void> {}

  override getListenClient(): ReturnType<PostgresConnection['getListenClient']> {
    return this.#listener.ready();
  }

  override get isClosing(): Promise<void> | undefined {
    return this.#end;
  }

  override close(): Promise<void> {
    this.#listener.forget(this);
    this.#end ??= Promise.resolve();
    return this.#end;
  }
}
