import { styleText } from 'node:util';
import pg from 'pg';
import { describeFound, FOUND, type FoundRow } from './found.ts';

interface DecisionRow {
  readonly position: string;
  readonly updated_at: string;
  readonly band: string;
  readonly score: string;
  readonly rules: string;
  readonly row: string;
}

interface Numbers {
  readonly rows: string;
  readonly alerts: string;
  readonly flagged: string;
  readonly blocked: string;
  readonly users: string;
  readonly p50: number | null;
  readonly p99: number | null;
}

const LOOK_MS = 250;
/** Where the output is no terminal, a line of numbers now and then is enough. */
const NUMBERS_EVERY_MS = { terminal: 1_000, file: 10_000 } as const;

/** Shows what Weir decides, as any client of the database can read it, and what it adds up to. */
export class Terminal {
  readonly #client: pg.Client;
  readonly #out: NodeJS.WriteStream;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #since = '-infinity';
  #found: ReadonlySet<string> = new Set();
  #numbersMs = 0;
  #refusals = 0;
  readonly #told = new Set<string>();

  constructor(url: string, out: NodeJS.WriteStream = process.stdout) {
    this.#client = new pg.Client(url);
    this.#out = out;
  }

  async start(): Promise<void> {
    await this.#client.connect();
    this.#client.on('error', () => clearInterval(this.#timer)); // PostgreSQL ends before the terminal does
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look()).catch(() => undefined);
    }, LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#client.end().catch(() => undefined);
  }

  /** A visit that the guard has refused: shown once, however often its user tries. */
  refused(why: string): void {
    this.#refusals += 1;
    if (this.#told.has(why)) return;
    this.#told.add(why);
    const at = new Date().toISOString().slice(11, 19);
    this.#line([styleText('dim', at), styleText('red', 'refused: '), why.replace(/^weir: /, '')].join('  '));
  }

  async #look(): Promise<void> {
    const decided = await this.#client.query<DecisionRow>(DECISIONS, [this.#since]);
    for (const row of decided.rows) this.#line(describe(row));
    this.#since = decided.rows.at(-1)?.updated_at ?? this.#since;
    const found = await this.#findings();
    const everyMs = this.#out.isTTY ? NUMBERS_EVERY_MS.terminal : NUMBERS_EVERY_MS.file;
    if (Date.now() - this.#numbersMs < everyMs && decided.rows.length + found === 0) return;
    if (this.#out.isTTY || Date.now() - this.#numbersMs >= everyMs) await this.#numbers();
  }

  /** How many sequences were found since the last look; each is shown with its steps. */
  async #findings(): Promise<number> {
    const { rows } = await this.#client.query<FoundRow>(FOUND);
    const found = rows.filter(({ alert_id }) => !this.#found.has(alert_id));
    for (const row of found) for (const line of describeFound(row)) this.#line(line);
    this.#found = new Set(rows.map(({ alert_id }) => alert_id));
    return found.length;
  }

  async #numbers(): Promise<void> {
    this.#numbersMs = Date.now();
    const counted = await this.#client.query<Numbers>(NUMBERS);
    const n = counted.rows[0];
    if (n === undefined) return;
    const ms = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} ms`);
    const decisions = `${n.alerts} alerts · ${n.flagged} flagged · ${n.blocked} to block · ${n.users} users blocked · ${this.#refusals} payments refused`;
    const text = `${n.rows} payments · ${decisions} · commit to decision p50 ${ms(n.p50)}, p99 ${ms(n.p99)}`;
    this.#out.write(this.#out.isTTY ? `\r\u001b[2K${styleText('dim', text)}` : `${text}\n`);
  }

  #line(text: string): void {
    this.#out.write(`${this.#out.isTTY ? '\r\u001b[2K' : ''}${text}\n`);
  }
}

const DECISIONS = `
  select d.position, d.updated_at::text, d.band, trim_scale(d.score)::text as score,
         (select string_agg(r ->> 'rule', ' + ' order by r ->> 'rule') from jsonb_array_elements(d.reasons) r) as rules,
         format('user %s: %s of %s %s from %s', t.user_id, t.type, t.amount, t.currency, t.country) as row
  from weir.decisions d join transactions t on t.id = d.entity_id::bigint
  where d.mode = 'live' and d.band is not null and d.updated_at > $1::timestamptz
  order by d.updated_at`;

const NUMBERS = `
  select (select count(*) from transactions)::text as rows,
         (select count(*) from weir.alerts)::text as alerts,
         (select count(*) from weir.decisions where band = 'flag')::text as flagged,
         (select count(*) from weir.decisions where band = 'block')::text as blocked,
         (select count(*) from weir.blocks)::text as users,
         percentile_cont(0.5) within group (order by ms) as p50,
         percentile_cont(0.99) within group (order by ms) as p99
  from (select extract(epoch from decided_at - event_time)::float8 * 1000 as ms
        from weir.decisions d
        -- a sequence scores a row that was there before its last one
        where not exists (select from jsonb_array_elements(d.reasons) r
                          where r ->> 'rule' in (select rule_id from weir.alerts where kind = 'pattern'))
        order by decided_at desc limit 500) recent`;

function describe({ updated_at, band, score, rules, row }: DecisionRow): string {
  const color = band === 'block' ? 'red' : 'yellow';
  return [
    styleText('dim', updated_at.slice(11, 19)),
    styleText(color, `${band.padEnd(5)} ${score.padStart(3)}`),
    row,
    styleText('dim', rules),
  ].join('  ');
}
