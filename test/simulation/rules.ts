import { compileRules } from '../../src/rules/compile-rules.ts';
import type { Plan } from '../../src/rules/plan.ts';
import { formatProblem } from '../../src/rules/problem.ts';
import { compileStored } from '../../src/rules/stored.ts';
import { RuleSets } from '../../src/store/rule-sets.ts';

/** What the rule files put into the list at first. */
export const SEED = ['2'] as const;

/**
 * Two tables, two key dimensions, one table with event time; scores of a row come from several partitions. Patterns
 * over both tables, so that rows wait for the other table's W; with an absence at the end; without `by`. A list, in a
 * view, in a rule, and where time alone makes a match.
 */
const EVENTS = `version: 1
events:
  transaction:
    table: public.transactions
    time: created_at
    lateness: 5s
    columns: { id: int8, user_id: int8, device_id: text, amount: numeric, country: text, created_at: timestamptz }
  login:
    table: public.logins
    columns: { id: int8, user_id: int8, device_id: text }
  watched_login: { from: login, when: user_id in lists.watched }
lists:
  watched: { values: [${SEED.map((value) => `"${value}"`)}] }
scoring:
  transaction:
    bands: { flag: 50, block: 100 }
    actions: { block: [alert, block] }
    block: { by: user_id, for: 1h }
rules:
  - id: large
    event: transaction
    when: amount > 100
    score: 60
    actions: [alert]
    message: "{amount} by {user_id}"
  - id: shared_device
    event: transaction
    let:
      users: { distinct: user_id, by: device_id, over: 2m }
      spent: { sum: amount, by: device_id, over: 30s }
    when: users > 1 && spent > 50
    score: 40.2
    actions: [block]
    block: { by: device_id, for: 10m }
  - id: after_logins
    event: transaction
    let: { logins: { count: login, by: user_id, over: 1m } }
    when: logins > 1
    score: 20
    severity: info
  - id: watched
    event: transaction
    let: { n: { count: watched_login, by: user_id, over: 1m } }
    when: n > 0 || user_id in lists.watched
    score: 5
    actions: [alert]
    message: "{n} logins of {user_id} while watched"
`;

const PATTERNS = `
patterns:
  - id: silent
    by: user_id
    within: 20s
    steps:
      - came: { event: login }
      - paid: { event: transaction, not: true }
    unless: user_id in lists.watched
    actions: [alert, block]
    block: { by: user_id, for: 5m }
    cooldown: { by: user_id, for: 30s }
    message: "nothing of {user_id}"
  - id: pairs
    within: 8s
    after_match: no_skip
    emit: in_order
    steps:
      - one: { event: login, when: device_id == "a" }
      - two: { event: login, contiguity: any, when: device_id != one.device_id }
    actions: [alert]
`;

const OLD = `${EVENTS}
  - id: frequent
    event: transaction
    let: { n: { count: transaction, by: user_id, over: 1m } }
    when: n > 2
    score: 30.1
    actions: [alert, flag]
    cooldown: { by: user_id, for: 20s }
    message: "{n} by {user_id}"
  - id: lately
    event: transaction
    let: { n: { count: transaction, by: user_id, over: 30s } }
    when: country != "DE" && duration(country) > duration("1h")
    score: 5
  - id: moved
    event: transaction
    let: { before: { previous: country, by: user_id, over: 10m } }
    when: country != before
    score: 25
    actions: [alert]
${PATTERNS}
${spree({ over: 100, score: 30, says: '{total}' })}
${abroad('30s')}
    cooldown: { by: device_id, for: 20s }
    on_timeout: { severity: info, actions: [alert] }
`;

/** Routes logins also by device, and scores otherwise. Of the patterns `spree` goes on, and `abroad` begins anew. */
const NEW = `${EVENTS}
  - id: frequent
    event: transaction
    let: { n: { count: transaction, by: user_id, over: 1m } }
    when: n > 1
    score: 35
    actions: [alert, flag]
    cooldown: { by: user_id, for: 20s }
    message: "{n} by {user_id}"
  - id: lately
    event: transaction
    let:
      n: { count: transaction, by: user_id, over: 1m }
      before: { previous: country, by: user_id, over: 2m }
    when: country != "DE" && n < 3 && (amount != 10 || duration(country) > duration("1h"))
    score: 45
    actions: [alert, block]
    block: { by: user_id, for: 1h }
    cooldown: { by: user_id, for: 10m }
  - id: crowd
    event: login
    let: { n: { count: login, by: device_id, over: 30s } }
    when: n > 2
    actions: [alert]
    cooldown: { by: device_id, for: 1m }
  - id: small_change
    event: transaction
    let: { least: { min: amount, by: user_id, over: 5m } }
    when: least < 50
    score: 10
    mode: shadow
${PATTERNS}
${spree({ over: 60, score: 70, says: 'now {total}' })}
${abroad('40s')}
`;

function contentOf(text: string): { readonly version: string; readonly content: string } {
  const { plan, problems, content } = compileRules([{ name: 'simulation.yaml', text }], null);
  if (plan === null) throw new Error(problems.map(formatProblem).join('\n'));
  return { version: plan.version, content };
}

const stored = [OLD, NEW].map(contentOf);

/** What weir.rule_versions holds. */
export const VERSIONS: readonly string[] = stored.map(({ version }) => version);

/** The workers' own way from a version to its plan; compiled once for all schedules. */
const getRules = async (version: string) => stored.find((set) => set.version === version)?.content ?? null;
export const plans = new RuleSets({ getRules }, compileStored);

export function planOf(version: string): Promise<Plan> {
  return plans.get(version);
}

/** Goes on where only what is made of a match changes. */
function spree({ over, score, says }: { over: number; score: number; says: string }): string {
  return `  - id: spree
    by: user_id
    within: 1m
    steps:
      - came: { event: login }
      - paid: { event: transaction, times: 1+, when: amount > 50, gap: 30s }
      - left: { event: login }
    let: { total: { sum: paid.amount } }
    when: total > ${over}
    score: ${score}
    actions: [alert]
    message: "${says} by {user_id}"
    on_timeout: { severity: info, actions: [alert], message: "{user_id} stays" }`;
}

/** Begins anew where a step changes. */
function abroad(within: string): string {
  return `  - id: abroad
    by: device_id
    after_match: skip_to_next
    steps:
      - here: { event: transaction, when: country == "DE" }
      - there: { event: transaction, within: ${within}, when: country == "BR" && amount > here.amount }
    score: 15
    actions: [alert, flag]`;
}
