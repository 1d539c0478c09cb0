import { positionText } from '../src/events/position.ts';
import { type Row, SECOND } from '../src/events/row.ts';
import { compileRules } from '../src/rules/compile-rules.ts';
import type { Plan } from '../src/rules/plan.ts';

const START = Date.UTC(2026, 0, 1) * 1000;

const HEAD = `version: 1
events:
  transaction:
    table: public.transactions
    id: id
    columns: { id: int8, user_id: int8, amount: numeric, country: text, device: text }
scoring:
  transaction: { combine: sum, bands: { flag: 50, block: 100 } }
rules:
`;

/** What windows are of, each `by: user_id`. */
export const SUMS = ['count: transaction', 'sum: amount', 'avg: amount', 'max: amount', 'min: amount'];
const PLAIN = [...SUMS, 'distinct: country', 'distinct: device'];
export const ALL = [...PLAIN, 'stddev: amount', 'percentile: [amount, 95]', 'first_seen: device'];

/** Two rules that look at the row alone, after each round of those with a window; these fire never. */
export function ruleTexts(rules: number, over: (rule: number) => string): string[] {
  const lets = [...PLAIN.map((of) => `{ ${of}, by: user_id, over: OVER }`), CURRENT];
  return Array.from({ length: rules }, (_, i) => {
    const window = lets[i % (lets.length + 2)];
    return window === undefined
      ? '    when: country != "DE" && amount > 9990\n'
      : `    let: { a: ${window.replace('OVER', over(i))} }\n    when: a > 1000000000 && amount > 10\n`;
  });
}
const CURRENT = '{ count: transaction, by: user_id, over: OVER, current: false }';

/** A rule a window of these, all over the same. */
export function windowTexts(functions: readonly string[], over: string): string[] {
  return functions.map(
    (of) => `    let: { a: { ${of}, by: user_id, over: ${over} } }\n    when: is_null(amount)\n`,
  );
}

export function planOf(rules: readonly string[]): Plan {
  const heads = rules.map(
    (text, i) => `  - id: r${i}\n    event: transaction\n    score: 10\n    actions: [alert]\n${text}`,
  );
  const { plan, problems } = compileRules([{ name: 'bench.yaml', text: HEAD + heads.join('') }], null);
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

export interface Traffic {
  readonly users: number;
  readonly perSecond: number;
  /** Rows are up to so much older than those before. */
  readonly jitter?: number;
  /** User after user, and not at random. */
  readonly inTurn?: boolean;
}

export function rowsOf(plan: Plan, count: number, traffic: Traffic): Row[] {
  const names = plan.tables[0]?.columns.map(({ name }) => name) ?? [];
  const random = randoms();
  const roles = 1 | ((plan.tables[0]?.keys.length ?? 0) > 0 ? 2 : 0);
  const jitter = traffic.jitter ?? 0;
  return Array.from({ length: count }, (_, i): Row => {
    const commitAt = START + Math.floor((i / traffic.perSecond) * SECOND);
    const cells: Record<string, string> = {
      id: String(i),
      user_id: String(traffic.inTurn === true ? i % traffic.users : random(traffic.users)),
      amount: `${random(10_000)}.${10 + random(90)}`,
      country: ['DE', 'FR', 'PL', 'US'][random(4)] ?? 'DE',
      device: `d${random(50)}`,
    };
    return {
      table: 0,
      op: 'insert',
      cells: names.map((name) => cells[name] ?? null),
      old: null,
      position: positionText('0000000000000001', i),
      at: commitAt - (jitter === 0 ? 0 : random(jitter)),
      commitAt,
      watermark: commitAt - jitter - 1,
      late: false,
      roles,
    };
  });
}

/** The same numbers in each run. */
function randoms(): (below: number) => number {
  let seed = 1;
  return (below) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((seed / 0x8000_0000) * below);
  };
}
