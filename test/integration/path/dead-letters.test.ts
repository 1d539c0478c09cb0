import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failpoint } from '../../../src/failpoint.ts';
import { Site } from '../../support/site.ts';
import { until } from '../../support/until.ts';
import type { WeirProcess } from '../../support/weir-process.ts';
import { SHOP_SCHEMA } from './shop.ts';

/** `held` fails on what is no duration. */
const rules = (when: string) => `version: 1
events: { transaction: { table: public.transactions } }
rules:
  - { id: held, event: transaction, when: '${when}', score: 60, actions: [alert] }
  - { id: large, event: transaction, when: amount > 100, score: 10, actions: [alert] }
scoring: { transaction: { bands: { flag: 50 } } }
`;
const BROKEN = rules('duration(type) > duration("1h")');
const MENDED = rules('type == "forever" || (type != "never" && duration(type) > duration("1h"))');

/** By row: its letters, its alerts, its decision. */
const STATE = `
select t.id::int as row,
  (select array_agg(coalesce(d.outcome, 'open') order by dead_letter_id) from weir.dead_letters d
    where d.payload ->> 'id' = t.id::text) as letters,
  (select array_agg(rule_id order by rule_id) from weir.alerts a where a.events -> 0 -> 'columns' ->> 'id' = t.id::text) as alerts,
  (select array_agg(concat_ws(' ', score, band, (select string_agg(r ->> 'rule', ' ') from jsonb_array_elements(reasons) r)))
    from weir.decisions where entity_id = t.id::text) as decisions
from transactions t where $1::int[] is null or t.id = any ($1) order by t.id`;
const HIT = { letters: ['hit'], alerts: ['held', 'large'], decisions: ['70 flag held large'] };
const OPEN = { letters: ['open'], alerts: ['large'], decisions: ['10 large'] };

let site: Site;
let weir: WeirProcess;
let mended: string;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'weir-letters-'));
  await writeFile(join(root, 'broken.yaml'), BROKEN);
  mended = join(root, 'mended.yaml');
  await writeFile(mended, MENDED);
  const broken = join(root, 'broken.yaml');
  site = await Site.open({ version: 18, queue: 'redis', schema: SHOP_SCHEMA, rules: broken });
  weir = await site.weir('weir', ['run']);
  weir.start();
  await weir.ready();
  const types = ['2h', 'forever', 'never', 'junk', 'forever', 'forever'];
  await site.rows(
    'insert into transactions (user_id, amount, type) select 1, 200, type from unnest($1::text[]) type',
    [types],
  );
  await until('the rule has failed on five rows', async () => (await letters()).length === 5);
});

afterAll(() => site?.close());

async function letters(): Promise<readonly { id: string; row: { id: number } }[]> {
  return JSON.parse(await site.command('dead-letters', 'list', '--json'));
}

/** What the command prints, and how it ends. */
async function replay(...args: readonly string[]): Promise<{ exit: number | null; told: Told[] }> {
  const cli = await site.weir('replay', ['dead-letters', 'replay', ...args, '--json']);
  cli.start();
  await cli.ended();
  return { exit: cli.exitCode, told: JSON.parse(cli.stdout) as Told[] };
}

interface Told {
  readonly id: string;
  readonly outcome: string | null;
  readonly left: string | null;
}

const state = (...rows: readonly number[]) => site.rows(STATE, [rows.length === 0 ? null : rows]);

describe('a dead letter', () => {
  it('is kept beside what the other rules say of its row, and is listed', async () => {
    expect(await state(1, 2)).toEqual([
      { row: 1, letters: null, alerts: ['held', 'large'], decisions: ['70 flag held large'] },
      { row: 2, ...OPEN },
    ]);
    const shown = await site.command('dead-letters', 'list', '--rule', 'held');
    expect(shown.split('\n').slice(0, 2).join('\n')).toMatch(
      /^id +rule +event +written +state +error\n1 +held +transaction +\d+ s ago +open +\S/,
    );
    expect(await site.command('dead-letters', 'list', '--rule', 'large')).toBe('no dead letters\n');
  });

  it('that fails again is another one', async () => {
    const [id] = await idsOf(4);
    expect(await replay(id)).toEqual({
      exit: 1,
      told: [{ id, rule: 'held', outcome: 'failed again', left: null }],
    });
    expect(await state(4)).toEqual([{ row: 4, ...OPEN, letters: ['failed again', 'open'] }]);
  });

  it('is judged by the rules that were mended: a hit is what it would have been, once', async () => {
    await weir.end('SIGTERM');
    weir.start({ WEIR_RULES: mended });
    await weir.ready();
    const [forever] = await idsOf(2);
    const [never] = await idsOf(3);
    const { exit, told } = await replay(forever, never);
    expect([exit, told.map(({ outcome }) => outcome).sort()]).toEqual([0, ['hit', 'no hit']]);
    expect(await state(2, 3)).toEqual([
      { row: 2, ...HIT },
      { row: 3, ...OPEN, letters: ['no hit'] },
    ]);
    const [reason] = await site.rows(
      `select r from weir.decisions, jsonb_array_elements(reasons) r where entity_id = '2' and r ->> 'rule' = 'held'`,
    );
    expect(reason).toEqual({ r: { rule: 'held', score: 60, let: {}, late: true } });
    const again = await replay(forever, '99');
    expect(again).toEqual({
      exit: 1,
      told: [
        { id: forever, rule: 'held', outcome: null, left: 'it has been judged again: hit' },
        { id: '99', rule: null, outcome: null, left: 'there is no such dead letter' },
      ],
    });
  });

  it.each([
    ['commit.before', 5],
    ['commit.after', 6],
  ] as const satisfies readonly (readonly [Failpoint, number])[])(
    'is judged once by a Weir that dies at %s',
    async (failpoint, row) => {
      await weir.end('SIGKILL');
      const [id] = await idsOf(row);
      expect(await replay(id, '--wait', '0')).toMatchObject({
        exit: 1,
        told: [{ outcome: null, left: null }],
      });
      const twice = JSON.stringify({ kind: 'letters', ids: [id] });
      await site.rows(`select pg_logical_emit_message(true, 'weir/weir', $1)`, [twice]);
      weir.start({ WEIR_RULES: mended, WEIR_FAILPOINT: failpoint });
      await until(`it dies at ${failpoint}`, () => !weir.running, 30_000);
      expect(weir.signalCode, await weir.log()).toBe('SIGKILL');
      expect(await state(row)).toEqual([{ row, ...(failpoint === 'commit.after' ? HIT : OPEN) }]);
      weir.start({ WEIR_RULES: mended });
      await site.caughtUp(30_000);
      expect(await state(row)).toEqual([{ row, ...HIT }]);
    },
  );

  it('of another kind is left as it is, with the reason', async () => {
    await site.rows(
      `insert into weir.dead_letters (rule_id, event, position, error, payload, processor_id)
       values ('held', 'alert', '0', 'PostgreSQL refused the alert', '{}', 'weir')`,
    );
    const { exit, told } = await replay('--rule', 'held');
    expect([exit, told.map(({ outcome, left }) => outcome ?? left)]).toEqual([
      1,
      ['failed again', 'an output that PostgreSQL refused: there is no row to judge again'],
    ]);
  });
});

/** Of the letters of a row, the last first. */
async function idsOf(row: number): Promise<[string]> {
  const found = await site.rows<{ id: string }>(
    `select dead_letter_id::text as id from weir.dead_letters where payload ->> 'id' = $1 order by dead_letter_id desc`,
    [String(row)],
  );
  return [found[0]?.id ?? 'none'];
}
