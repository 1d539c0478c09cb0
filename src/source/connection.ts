import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { LogicalReplicationService } from 'pg-logical-replication';
import type { AbstractPlugin } from 'pg-logical-replication/dist/output-plugins/abstract.plugin.js';
import { formatLsn, type Lsn, parseLsn, ZERO_LSN } from '../events/position.ts';
import type { Change } from './change.ts';
import { Inbox, type Received } from './inbox.ts';
import { PgoutputPlugin } from './pgoutput/plugin.ts';
import { standbyStatus } from './standby-status.ts';

export interface ConnectionOptions {
  readonly databaseUrl: string;
  readonly slot: string;
  readonly publications: readonly string[];
  /** The last acknowledged commit record: always the recorded one, never what a connection saw last. */
  readonly acknowledged: Lsn;
  /** What may wait between the socket and the reader. */
  readonly bufferBytes?: number;
  readonly silenceMs?: number;
}

const DEFAULT_BUFFER_BYTES = 1024 * 1024;
const MAX_STATUS_MS = 10_000;
/** Longer than PostgreSQL is silent while it decodes what it will not send. */
const DEFAULT_SILENCE_MS = 60_000;
const CLOSE_MS = 1_000;

/** What of `pg` lies beneath the service: it offers neither backpressure nor a status of our own. */
interface Wire {
  readonly stream: Socket;
  sendCopyFromChunk(chunk: Buffer): void;
}

/**
 * One connection of the stream, from START_REPLICATION to its end; a second needs a new object, because a second
 * `subscribe` of the package starts at what it last *received* and so skips what was not acknowledged.
 *
 * The package's own acknowledgements are off: they acknowledge what was received, and its clock is seven days
 * off. The standby status is ours: on its own timer (so a paused socket still answers), at once when asked.
 */
export class ReplicationConnection {
  readonly #options: ConnectionOptions;
  readonly #service: LogicalReplicationService;
  readonly #inbox: Inbox;
  #flushed: Lsn;
  /** The end of WAL as the server last said. */
  #walEnd: Lsn = ZERO_LSN;
  #lastReceivedMs = Date.now();
  #timer: NodeJS.Timeout | null = null;
  #silenceMs: number;
  #closed = false;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#flushed = (options.acknowledged + 1n) as Lsn;
    this.#silenceMs = options.silenceMs ?? DEFAULT_SILENCE_MS;
    this.#service = new LogicalReplicationService(
      {
        connectionString: options.databaseUrl,
        application_name: `weir/${options.slot}`,
        keepAlive: true,
        keepAliveInitialDelayMillis: 5_000,
        connectionTimeoutMillis: 10_000,
      },
      { acknowledge: { auto: false, timeoutSeconds: 0 }, flowControl: { enabled: false } },
    );
    const valve = { pause: () => this.#wire()?.stream.pause(), resume: () => this.#resume() };
    this.#inbox = new Inbox(valve, options.bufferBytes ?? DEFAULT_BUFFER_BYTES);
  }

  /** Resolves when the slot is ours; SQLSTATE 55006 says that another holds it. */
  static async open(options: ConnectionOptions): Promise<ReplicationConnection> {
    const connection = new ReplicationConnection(options);
    try {
      await connection.#start();
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** The end of WAL, as far as the server has said. */
  get walEnd(): Lsn {
    return this.#walEnd;
  }

  get paused(): boolean {
    return this.#inbox.paused;
  }

  /** What has arrived; waits for it. Not to take is what pauses the socket. null: the server has ended the stream. */
  take(): Promise<Received | null> {
    return this.#inbox.take();
  }

  /** Gives whoever waits in `take` what there is, be it nothing. */
  interrupt(): void {
    this.#inbox.interrupt();
  }

  /** A crash here leaves the slot behind the record, never ahead of it: the record is written before. */
  acknowledge(lsn: Lsn): void {
    if (lsn + 1n <= this.#flushed) return;
    this.#flushed = (lsn + 1n) as Lsn;
    this.#sendStatus(false);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#inbox.end(null);
    const stream = this.#wire()?.stream;
    // A paused socket never sees its end; one that hangs is cut.
    stream?.resume();
    const cut = setTimeout(() => stream?.destroy(), CLOSE_MS);
    await this.#service.destroy().catch(() => undefined);
    clearTimeout(cut);
  }

  async #start(): Promise<void> {
    const { slot, acknowledged } = this.#options;
    const plugin = new Tap(this.#options.publications, {
      session: async (client) => this.#session(client),
      change: (change, bytes) => this.#received(change, bytes),
      malformed: (error) => this.#inbox.end(error),
    });
    this.#service.on('heartbeat', (lsn, _time, replyAtOnce) => this.#keepalive(parseLsn(lsn), replyAtOnce));
    this.#service.on('error', (error) => this.#inbox.end(error));
    const started = new Promise<void>((resolve) => {
      this.#service.on('start', resolve);
    });
    const stream = this.#service.subscribe(plugin, slot, formatLsn((acknowledged + 1n) as Lsn));
    const ended = stream.then(
      () => this.#inbox.end(this.#closed ? null : new Error('the server ended the replication stream')),
      (error: Error) => {
        this.#inbox.end(error);
        throw error;
      },
    );
    await Promise.race([started, ended]);
    // From here on the inbox tells it.
    ended.catch(() => undefined);
    this.#sendStatus(false);
  }

  /** How often the server must hear of us, asked of the connection itself: a role may have its own setting. */
  async #session(client: Client): Promise<void> {
    const shown = await client.query("SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout'");
    const timeoutMs = Number((shown.rows as { setting: string }[])[0]?.setting ?? 0);
    const everyMs = timeoutMs > 0 ? Math.min(MAX_STATUS_MS, timeoutMs / 3) : MAX_STATUS_MS;
    this.#silenceMs = this.#options.silenceMs ?? Math.max(DEFAULT_SILENCE_MS, 2 * timeoutMs);
    this.#timer = setInterval(() => this.#tick(), everyMs);
  }

  #received(change: Change, bytes: number): void {
    this.#lastReceivedMs = Date.now();
    this.#inbox.push(change, bytes);
  }

  #keepalive(walEnd: Lsn, replyAtOnce: boolean): void {
    this.#lastReceivedMs = Date.now();
    if (walEnd > this.#walEnd) this.#walEnd = walEnd;
    if (replyAtOnce) this.#sendStatus(false);
  }

  #tick(): void {
    const silentMs = Date.now() - this.#lastReceivedMs;
    if (!this.#inbox.paused && silentMs > this.#silenceMs) {
      this.#inbox.end(new Error(`PostgreSQL has been silent for ${Math.round(silentMs / 1000)} s`));
      return;
    }
    this.#sendStatus(true);
  }

  #sendStatus(ping: boolean): void {
    if (this.#closed) return;
    const status = standbyStatus({ received: this.#walEnd, flushed: this.#flushed, nowMs: Date.now(), ping });
    this.#wire()?.sendCopyFromChunk(status);
  }

  #resume(): void {
    // While it was paused nothing could be received: the silence was ours.
    this.#lastReceivedMs = Date.now();
    this.#wire()?.stream.resume();
  }

  #wire(): Wire | null {
    return (this.#service as unknown as { readonly _connection: Wire | null })._connection;
  }
}

interface TapHandlers {
  readonly session: (client: Client) => Promise<void>;
  readonly change: (change: Change, bytes: number) => void;
  readonly malformed: (error: Error) => void;
}

/** The plugin, with its changes taken where they arise: with their size, and with errors that end the stream. */
class Tap implements AbstractPlugin<PgoutputPlugin['options']> {
  readonly #plugin: PgoutputPlugin;
  readonly #handlers: TapHandlers;

  constructor(publications: readonly string[], handlers: TapHandlers) {
    this.#plugin = new PgoutputPlugin({ publications, messages: true });
    this.#handlers = handlers;
  }

  get name(): string {
    return this.#plugin.name;
  }

  get options(): PgoutputPlugin['options'] {
    return this.#plugin.options;
  }

  async start(client: Client, slotName: string, lastLsn: string): Promise<unknown> {
    await this.#handlers.session(client);
    return this.#plugin.start(client, slotName, lastLsn);
  }

  /** Called inside the socket's `data` event, where a throw would end the process. */
  parse(buffer: Buffer): undefined {
    try {
      this.#handlers.change(this.#plugin.parse(buffer), buffer.length);
    } catch (error) {
      this.#handlers.malformed(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
