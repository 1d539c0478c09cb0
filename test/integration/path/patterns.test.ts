import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';
import { SHOP_SCHEMA } from './shop.ts';

const RULES = join(import.meta.dirname, 'pattern-rules');
const SCHEMA = `${SHOP_SCHEMA}
create table public.visits (
  id bigint generated always as identity primary key, user_id bigint not null, kind text not null, country text
);
create table public.payments (
  id bigint generated always as identity primary key, user_id bigint not null, paid_at timestamptz not null
);`;

/** By a server's clock, on a machine that does other things too: commit to effect, and the step of the heartbeat. */
const SOON_SECONDS = 1.5;
const BEAT_SECONDS = 2;

describe.each(['redis', 'postgres'] as const)('patterns on PostgreSQL 18, queue on %s', (queue) => {
  let site: Site;
  let weir: WeirProcess;

  beforeAll(async () => {
    site = await Site.open({ version: 18, queue, schema: SCHEMA, rules: RULES });
    weir = await site.weir('weir', ['run']);
    weir.start();
    await weir.ready();
  });

  afterAll(() => site?.close());

  it('tells of a fraud sequence within about a second of its last commit, with every event of every step', async () => {
    const events = [
      await visit(site, 1, 'login'),
      await transfer(site, 1, 2_000),
      await visit(site, 1, 'login'),
      await transfer(site, 1, 500),
      await transfer(site, 1, 1_500),
      await transfer(site, 1, 1_501.5, 'BR'),
      await visit(site, 1, 'logout'),
    ];
    const alert = await told(site, 'fraud', 1);
    expect(alert).toMatchObject({
      severity: 'high',
      subject: { user_id: 1 },
      message: '5001.5 moved by 1',
      details: { kind: 'match', score: 80, let: { total: 5001.5, elsewhere: true } },
    });
    expect(alert.events.map(({ step, event, columns }) => [step, event, columns['id']])).toEqual([
      ['login', 'login', events[0]],
      ['moved', 'large_transfer', events[1]],
      ['moved', 'large_transfer', events[4]],
      ['moved', 'large_transfer', events[5]],
      ['logout', 'logout', events[6]],
    ]);
    for (const { position } of alert.events) expect(position).toMatch(/^[0-9A-F]{16}\.[0-9A-F]{12}$/);
    expect(alert.seconds).toBeGreaterThanOrEqual(0);
    expect(alert.seconds).toBeLessThan(SOON_SECONDS);
    expect(
      await site.rows(`select entity_id, score, band, reasons -> 0 ->> 'rule' as rule from weir.decisions`),
    ).toEqual([{ entity_id: String(events[5]), score: '80', band: 'flag', rule: 'fraud' }]);
  });

  it('tells of an absence at its time, although no further row comes at all', async () => {
    const hold = await visit(site, 2, 'hold');
    const alert = await told(site, 'held', 2);
    expect(alert.events.map(({ step, columns }) => [step, columns['id']])).toEqual([['hold', hold]]);
    expect(alert.lasted).toBe('00:00:02');
    expect(alert.seconds).toBeGreaterThanOrEqual(0);
    expect(alert.seconds).toBeLessThan(BEAT_SECONDS);
  });

  it('tells of no absence where the row came, be it of another table', async () => {
    await visit(site, 3, 'hold');
    await transfer(site, 3, 1);
    await visit(site, 4, 'hold');
    await told(site, 'held', 4);
    expect(await alertsOf(site, 'held', 3)).toEqual([]);
  });

  it('tells once, after the restart, of an absence whose deadline passed while it was stopped', async () => {
    const question = await visit(site, 5, 'question');
    await site.caughtUp(20_000);
    await weir.end('SIGKILL');
    expect(await alertsOf(site, 'unanswered', 5)).toEqual([]);
    await site.rows('select pg_sleep(6.5)');
    weir.start();
    const alert = await told(site, 'unanswered', 5);
    expect(alert.events.map(({ step, columns }) => [step, columns['id']])).toEqual([['question', question]]);
    expect(alert.lasted).toBe('00:00:06');
    await weir.end('SIGKILL');
    weir.start();
    await site.caughtUp(30_000);
    expect(await alertsOf(site, 'unanswered', 5)).toHaveLength(1);
    expect(await site.rows('select from weir.dead_letters')).toEqual([]);
  });

  it('keeps partial matches over a change of another rule, and of what is done with a match', async () => {
    await visit(site, 6, 'login');
    await transfer(site, 6, 4_000);
    await restart({ 'amount > 1000000': 'amount > 2000000', 'score: 80': 'score: 81' });
    await transfer(site, 6, 4_000, 'BR');
    await visit(site, 6, 'logout');
    const alert = await told(site, 'fraud', 6);
    expect(alert.events).toHaveLength(4);
    expect(alert.details).toMatchObject({ score: 81 });
  });

  it('begins anew where the steps of the pattern have changed', async () => {
    await visit(site, 7, 'login');
    await transfer(site, 7, 4_000);
    await visit(site, 7, 'question');
    await restart({ 'amount > 1000 }': 'amount > 900 }' });
    await transfer(site, 7, 4_000, 'BR');
    await visit(site, 7, 'logout');
    await visit(site, 8, 'login');
    await transfer(site, 8, 950);
    await transfer(site, 8, 4_951, 'BR');
    await visit(site, 8, 'logout');
    expect((await told(site, 'fraud', 8)).events).toHaveLength(4);
    await site.caughtUp(20_000);
    expect(await alertsOf(site, 'fraud', 7)).toEqual([]);
    // Another pattern's partial match lived on.
    await told(site, 'unanswered', 7);
  });

  it('counts and keeps late rows, which match nothing', async () => {
    await pay(site, 9, 0);
    const late = await pay(site, 9, -600);
    await pay(site, 10, 1);
    const early = await pay(site, 9, -2);
    await told(site, 'twice', 9);
    const [alert] = await alertsOf(site, 'twice', 9);
    // In the order of their own time.
    expect(alert?.events.map(({ step, columns }) => [step, columns['id']])).toEqual([
      ['one', early],
      ['two', early - 3],
    ]);
    expect(
      await site.rows(
        `select event, (payload ->> 'id')::int as id, event_time < watermark as behind from weir.late_events`,
      ),
    ).toEqual([{ event: 'payment', id: late, behind: true }]);
    expect(await weir.metric('weir_late_events_total')).toBe(1);
  });

  /** Other rules, from now on. */
  async function restart(changes: Readonly<Record<string, string>>): Promise<void> {
    await site.caughtUp(20_000);
    const directory = join(site.directory, `rules-${Object.values(changes).join('-').replace(/\W+/g, '-')}`);
    await cp(RULES, directory, { recursive: true });
    const file = join(directory, 'patterns.yaml');
    let text = await readFile(file, 'utf8');
    for (const [before, after] of Object.entries(changes)) {
      expect(text).toContain(before);
      text = text.replace(before, after);
    }
    await writeFile(file, text);
    await weir.end('SIGTERM');
    weir.start({ WEIR_RULES: directory });
    await weir.ready();
  }
});

interface Told {
  readonly severity: string;
  readonly subject: Readonly<Record<string, unknown>>;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly events: readonly {
    readonly step: string;
    readonly event: string;
    readonly position: string;
    readonly columns: Readonly<Record<string, unknown>>;
  }[];
  /** From its own time until it was written. */
  readonly seconds: number;
  /** From its last event to its own time. */
  readonly lasted: string;
}

function alertsOf(site: Site, rule: string, user: number): Promise<Told[]> {
  return site.rows<Told>(
    `select severity, subject, message, details, events,
       extract(epoch from detected_at - event_time)::float8 as seconds,
       (event_time - (events -> -1 ->> 'at')::timestamptz)::text as lasted
     from weir.alerts where rule_id = $1 and (subject ->> 'user_id')::int = $2`,
    [rule, user],
  );
}

async function told(site: Site, rule: string, user: number): Promise<Told> {
  let alerts: Told[] = [];
  await until(
    `${rule} is told of user ${user}`,
    async () => {
      alerts = await alertsOf(site, rule, user);
      return alerts.length > 0;
    },
    20_000,
  );
  expect(alerts).toHaveLength(1);
  return alerts[0] as Told;
}

async function visit(site: Site, user: number, kind: string): Promise<number> {
  return inserted(site, `insert into visits (user_id, kind, country) values ($1, $2, 'DE')`, [user, kind]);
}

async function transfer(site: Site, user: number, amount: number, country = 'DE'): Promise<number> {
  return inserted(
    site,
    `insert into transactions (user_id, amount, type, country) values ($1, $2, 'transfer', $3)`,
    [user, amount, country],
  );
}

/** So many seconds from now. */
async function pay(site: Site, user: number, seconds: number): Promise<number> {
  return inserted(
    site,
    `insert into payments (user_id, paid_at) values ($1, clock_timestamp() + make_interval(secs => $2))`,
    [user, seconds],
  );
}

async function inserted(site: Site, sql: string, values: readonly unknown[]): Promise<number> {
  const [row] = await site.rows<{ id: number }>(`${sql} returning id::int`, values);
  return row?.id ?? 0;
}
