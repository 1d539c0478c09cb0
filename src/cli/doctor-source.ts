import type pg from 'pg';
import type { Config } from '../config.ts';
import { readGuards } from '../guard/guard-state.ts';
import { staleGuards } from '../guard/refresh-guards.ts';
import { tellsZoneless } from '../rules/check-tables.ts';
import type { Plan } from '../rules/plan.ts';
import { formatProblem } from '../rules/problem.ts';
import { compileStored } from '../rules/stored.ts';
import { readCatalog } from '../source/catalog.ts';
import { readFacts } from '../source/facts.ts';
import { type Finding, failed, passed } from '../source/finding.ts';
import { judge } from '../source/preflight.ts';
import { judgeServer, judgeTables, readServer } from '../source/requirements.ts';
import { judgeTimes, readTimeZone } from '../source/time-zone.ts';
import type { Instance } from '../store/control.ts';
import { openControl } from '../store/control-store.ts';
import { openPool } from '../store/session.ts';
import { readRules } from './read-rules.ts';

/** The checks that a start makes too, and those that it does not need. */
export async function examineSource(config: Config, source: pg.Client): Promise<readonly Finding[]> {
  const { instance, plans } = await recorded(config);
  const facts = await readFacts(config.databaseUrl, config.slot);
  const server = judgeServer(await readServer(source, config.slot));
  const seen = new Set(server.filter(({ ok }) => !ok).map(({ id }) => id));
  // The same lack, found by another way, is told once.
  return [...server, ...judge(config.slot, facts, { instance, plans }).filter(({ id }) => !seen.has(id))];
}

/** null: the store cannot say, which its own checks tell. */
async function recorded(config: Config): Promise<Parameters<typeof judge>[2]> {
  const pool = openPool({ url: config.storeUrl, slot: config.slot, max: 1 });
  try {
    const control = openControl(pool, config.slot);
    const instance: Instance | null = await control.instance().catch(() => null);
    const content = instance === null ? null : await control.getRules(instance.ack.rules);
    return { instance, plans: content === null ? [] : [compileStored(content)] };
  } finally {
    await pool.end();
  }
}

/** The rules on disk, against the tables as they are. */
export async function examineRules(
  config: Config,
  { source, cwd }: { readonly source: pg.Client; readonly cwd: string },
): Promise<readonly Finding[]> {
  const webhooks = Object.keys(config.webhooks);
  const { plan, problems } = await readRules({ path: config.rulesPath, cwd, source, webhooks });
  const why = 'a rule set is taken whole, or not at all';
  const warnings = problems.filter((problem) => problem.severity === 'warning' && !tellsZoneless(problem));
  const told = warnings.map((problem) =>
    failed({
      id: 'rules-warning',
      severity: 'warning',
      measured: formatProblem(problem),
      why: 'see weir check',
      fix: '',
    }),
  );
  if (plan === null) {
    const errors = problems.filter(({ severity }) => severity === 'error').map(formatProblem);
    const fix = 'mend the rules; `weir check` shows the same';
    return [failed({ id: 'rules', measured: errors.join('; '), why, fix }), ...told];
  }
  const { tables } = await readCatalog(source, plan.tables);
  const measured = `${plan.rules.length} rules over ${plan.tables.length} tables are valid`;
  const times = judgeTimes(plan.tables, await readTimeZone(source));
  const guards = await examineGuards(source, config.slot, plan);
  return [passed('rules', measured, why), ...told, ...times, ...judgeTables(plan, tables), ...guards];
}

/** Whether the guards in the database are what the rules on disk say. */
async function examineGuards(source: pg.Client, slot: string, plan: Plan): Promise<readonly Finding[]> {
  const guards = await readGuards(source, slot);
  const stale = await staleGuards(source, slot, plan);
  return guards.map((guard) => {
    const table = `${guard.schema}.${guard.name}`;
    const why = 'a guard refuses by the rules that it was made of';
    if (!guard.enabled) {
      const fix = `\`ALTER TABLE ${table} ENABLE TRIGGER ALL\``;
      return failed({
        id: 'guard',
        severity: 'warning',
        measured: `the guard of ${table} is disabled`,
        why,
        fix,
      });
    }
    if (stale.some((one) => one.guard.fn === guard.fn)) {
      const measured = `the guard of ${table} is not that of the rules on disk`;
      return failed({
        id: 'guard',
        severity: 'warning',
        measured,
        why,
        fix: `\`weir guard install ${table} --apply\``,
      });
    }
    return passed('guard', `the guard of ${table} is that of the rules on disk`, why);
  });
}
