import { styleText } from 'node:util';
import pg from 'pg';

interface AlertRow {
  readonly rule_id: string;
  readonly severity: string;
  readonly message: string;
  readonly event_time: Date;
  readonly score: string | null;
  readonly band: string | null;
}

interface Numbers {
  readonly rows: string;
  readonly alerts: string;
  readonly flagged: string;
  readonly blocked: string;
  readonly p50: number | null;
  readonly p99: number | null;
}

const COLORS = { info: 'cyan', warning: 'yellow', high: 'magenta', critical: 'red' } as const;

/** Shows what fires as PostgreSQL announces it (NOTIFY weir_alerts), and what it adds up to. */
export class Terminal {
  readonly #client: pg.Client;
  readonly #out: NodeJS.WriteStream;
  #timer: NodeJS.Timeout | undefined;
  #pending: Promise<void> = Promise.resolve();

  constructor(url: string, out: NodeJS.WriteStream = process.stdout) {
    this.#client = new pg.Client(url);
    this.#out = out;
  }

  async start(): Promise<void> {
    await this.#client.connect();
    this.#client.on('error', () => clearInterval(this.#timer)); // PostgreSQL ends before the terminal does
    this.#client.on('notification', ({ payload }) => this.#enqueue(() => this.#alert(payload ?? '')));
    await this.#client.query('listen weir_alerts');
    this.#timer = setInterval(() => this.#enqueue(() => this.#summary()), this.#out.isTTY ? 1_000 : 10_000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pending;
    await this.#client.end().catch(() => undefined);
  }

  #enqueue(show: () => Promise<void>): void {
    this.#pending = this.#pending.then(show).catch(() => undefined);
  }

  async #alert(payload: string): Promise<void> {
    const { alert_id } = JSON.parse(payload) as { alert_id: string };
    const found = await this.#client.query<AlertRow>(
      `select a.rule_id, a.severity, a.message, a.event_time, d.score::text, d.band
       from weir.alerts a
       left join weir.decisions d
         on d.mode = 'live' and d.event = a.events -> 0 ->> 'event' and d.position = a.events -> 0 ->> 'position'
       where a.alert_id = $1`,
      [alert_id],
    );
    for (const row of found.rows) this.#line(describe(row));
  }

  async #summary(): Promise<void> {
    const counted = await this.#client.query<Numbers>(SUMMARY);
    const n = counted.rows[0];
    if (n === undefined) return;
    const ms = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} ms`);
    const text = `${n.rows} rows · ${n.alerts} alerts · ${n.flagged} flagged · ${n.blocked} blocked · commit to alert p50 ${ms(n.p50)}, p99 ${ms(n.p99)}`;
    this.#out.write(this.#out.isTTY ? `\r\u001b[2K${styleText('dim', text)}` : `${text}\n`);
  }

  #line(text: string): void {
    this.#out.write(`${this.#out.isTTY ? '\r\u001b[2K' : ''}${text}\n`);
  }
}

const SUMMARY = `
  select (select count(*) from transactions)::text as rows,
         (select count(*) from weir.alerts)::text as alerts,
         (select count(*) from weir.decisions where band = 'flag')::text as flagged,
         (select count(*) from weir.decisions where band = 'block')::text as blocked,
         percentile_cont(0.5) within group (order by ms) as p50,
         percentile_cont(0.99) within group (order by ms) as p99
  from (select extract(epoch from detected_at - event_time)::float8 * 1000 as ms
        from weir.alerts order by detected_at desc limit 500) recent`;

function describe(row: AlertRow): string {
  const color = COLORS[row.severity as keyof typeof COLORS] ?? 'white';
  const time = row.event_time.toISOString().slice(11, 19);
  const decision =
    row.score === null ? '' : `  ${row.score} points${row.band === null ? '' : ` → ${row.band}`}`;
  return [
    styleText('dim', time),
    styleText(color, row.severity.padEnd(8)),
    styleText('bold', row.rule_id.padEnd(26)),
    `${row.message}${styleText('dim', decision)}`,
  ].join(' ');
}
