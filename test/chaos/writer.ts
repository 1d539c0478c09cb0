import pg from 'pg';
import type { Random } from '../../src/demo/random.ts';
import { COLUMNS, USERS } from './schema.ts';
import { type Scene, Stories } from './stories.ts';

/** Out of the list who is in it, else into it; and what that was, for the oracle. */
const EDIT = `
with was as (select exists (select from weir.list_entries where list_name = 'watched' and value = $1::text) as there),
  removed as (delete from weir.list_entries where list_name = 'watched' and value = $1::text returning value),
  added as (insert into weir.list_entries (list_name, value) select 'watched', $1::text from was where not there returning value)
insert into list_edits (value, added) select $1::text, not there from was`;

type Row = readonly [number, string, string, string, string, string];

/** The host application: every way of writing that PostgreSQL has, at random, until it is told to stop. */
export class Writer {
  readonly #url: string;
  readonly #random: Random;
  readonly #pauseMs: number;
  readonly #clients: pg.Client[] = [];
  readonly #stories: Stories;
  rows = 0;
  bulk = 0;

  /** `pauseMs`: at most so long between two transactions. */
  constructor(url: string, random: Random, pauseMs = 30) {
    this.#url = url;
    this.#random = random;
    this.#pauseMs = pauseMs;
    this.#stories = new Stories(random);
  }

  /** A server that stops in immediate mode takes the transaction at hand with it; the writer goes on after. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#step();
        const scene = this.#stories.next(Date.now());
        if (scene !== null) await this.#play(scene);
        await pause(this.#random.int(this.#pauseMs));
      } catch {
        await this.#reconnectLater();
      }
    }
    await this.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.end().catch(() => undefined)));
  }

  async #step(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.45) return this.#single();
    if (dice < 0.65) return this.#multiRow();
    if (dice < 0.78) return this.#copyLike();
    if (dice < 0.85) return this.#savepoints();
    if (dice < 0.9) return this.#editList();
    return this.#adjacentCommits();
  }

  /** One transaction of so many rows: larger than any buffer. */
  async bulkTransaction(rows: number): Promise<void> {
    const client = await this.#client(0);
    await client.query(
      `insert into transactions ${COLUMNS}
       select 1 + (random() * ${USERS - 1})::int, (random() * 300)::numeric(12, 2), 'payment',
              (array['DE', 'FR'])[1 + (random() * 1.02)::int], 'device-' || (random() * 300)::int, 'bulk'
       from generate_series(1, $1)`,
      [rows],
    );
    this.rows += rows;
    this.bulk += 1;
  }

  async #single(): Promise<void> {
    await this.#insert(await this.#client(0), [this.#row()]);
  }

  async #multiRow(): Promise<void> {
    await this.#insert(await this.#client(0), this.#rows(2 + this.#random.int(40)));
  }

  /** A transaction of both tables, row by row. */
  async #play({ user, moves }: Scene): Promise<void> {
    const client = await this.#client(0);
    await client.query('begin');
    for (const move of moves) {
      if (typeof move === 'number')
        await this.#insert(client, [[user, move.toFixed(2), 'transfer', 'DE', `own-${user}`, '']]);
      else await client.query('insert into sessions (user_id, kind) values ($1, $2)', [user, move]);
    }
    await client.query('commit');
  }

  /** COPY puts many rows on one change LSN. */
  async #copyLike(): Promise<void> {
    const client = await this.#client(0);
    const rows = this.#rows(20 + this.#random.int(200));
    await copyIn(
      client,
      `copy transactions ${COLUMNS} from stdin`,
      rows.map((row) => `${row.join('\t')}\n`).join(''),
    );
    this.rows += rows.length;
  }

  async #savepoints(): Promise<void> {
    const client = await this.#client(0);
    await client.query('begin');
    await this.#insert(client, [this.#row()]);
    await client.query('savepoint a');
    await this.#insert(client, this.#rows(3));
    await client.query('rollback to a');
    await client.query('savepoint b');
    await this.#insert(client, this.#rows(2));
    await client.query('release b');
    await client.query(this.#random.next() < 0.15 ? 'rollback' : 'commit');
  }

  /** Who is watched changes, with rows of theirs around the edit; some edits are taken back. */
  async #editList(): Promise<void> {
    const [client, other] = [await this.#client(0), await this.#client(1)];
    const user = 1 + this.#random.int(8);
    const row: Row = [user, '301.00', 'payment', 'DE', `own-${user}`, ''];
    await client.query('begin');
    await this.#insert(client, [row]);
    await client.query('savepoint edit');
    await client.query(EDIT, [user]);
    if (this.#random.next() < 0.2) await client.query('rollback to edit');
    await this.#insert(client, [row]);
    await this.#insert(other, [row]);
    await client.query('commit');
    await this.#insert(other, [row]);
  }

  /** Two transactions whose rows interleave and whose commits stand side by side in the WAL. */
  async #adjacentCommits(): Promise<void> {
    const [a, b] = [await this.#client(0), await this.#client(1)];
    await Promise.all([a.query('begin'), b.query('begin')]);
    for (let i = 0; i < 3; i += 1) {
      await this.#insert(a, [this.#row()]);
      await this.#insert(b, [this.#row()]);
    }
    await Promise.all([a.query('commit'), b.query('commit')]);
  }

  async #insert(client: pg.Client, rows: readonly Row[]): Promise<void> {
    const columns = [0, 1, 2, 3, 4, 5].map((column) => rows.map((row) => row[column]));
    await client.query(
      `insert into transactions ${COLUMNS} select * from unnest($1::bigint[], $2::numeric[], $3::text[], $4::text[], $5::text[], $6::text[])`,
      columns,
    );
    this.rows += rows.length;
  }

  #rows(count: number): Row[] {
    return Array.from({ length: count }, () => this.#row());
  }

  /** A few users are much busier than the rest, some amounts are large, some countries and devices odd. */
  #row(): Row {
    const r = this.#random;
    const user = r.next() < 0.2 ? 1 + r.int(8) : 1 + r.int(USERS);
    const large = r.next() < 0.004;
    const amount = large ? 10_000 + r.int(4_000) + r.int(2) / 100 : r.int(60_000) / 100;
    const country = r.next() < 0.01 ? r.pick(['BR', 'VN', 'NG']) : 'DE';
    const type = r.next() < 0.08 ? 'transfer' : 'payment';
    return [user, amount.toFixed(2), type, country, `device-${r.int(300)}`, 'x'.repeat(r.int(60))];
  }

  async #client(index: number): Promise<pg.Client> {
    const open = this.#clients[index];
    if (open !== undefined) return open;
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    this.#clients[index] = client;
    return client;
  }

  async #reconnectLater(): Promise<void> {
    await this.close();
    await pause(100);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** COPY … FROM STDIN over pg's own protocol connection. */
function copyIn(client: pg.Client, sql: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const submittable = {
      submit: (connection: pg.Connection) => connection.query(sql),
      handleCopyInResponse: (connection: CopyConnection) => {
        connection.sendCopyFromChunk(Buffer.from(text));
        connection.endCopyFrom();
      },
      handleCommandComplete: () => undefined,
      handleError: (error: Error) => reject(error),
      handleReadyForQuery: () => resolve(),
      handleRowDescription: () => undefined,
      handleDataRow: () => undefined,
    };
    client.query(submittable as unknown as pg.Submittable);
  });
}

interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}
