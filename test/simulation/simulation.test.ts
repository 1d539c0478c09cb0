import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUGS, type Bug } from './bug.ts';
import { runSchedule, tell } from './run-schedule.ts';
import { type Schedule, schedules } from './schedule.ts';

/** `WEIR_SIMULATION_RUNS=200000 npx vitest run test/simulation` for longer; `WEIR_SIMULATION_SEED=7` for the same again. */
const RUNS = Number(process.env['WEIR_SIMULATION_RUNS'] ?? 3_000);
const SEED = process.env['WEIR_SIMULATION_SEED'];
/** Some 5 ms a schedule, on a machine that does other things too; then so long for shrinking one. */
const LIMIT_MS = 60_000 + RUNS * 50;
/** Of the tests of the simulation itself: they find what they look for, or never do. */
const FIXED = { seed: 1, numRuns: 3_000 } as const;

function check(bug: Bug | null, parameters: fc.Parameters<[Schedule]>): Promise<fc.RunDetails<[Schedule]>> {
  const property = fc.asyncProperty(schedules, async (schedule) => {
    await runSchedule(schedule, bug);
  });
  return fc.check(property, parameters);
}

describe('whatever crashes, is lost, doubled or late', () => {
  it('outputs and state are those of an uninterrupted run, and nothing is acknowledged too soon', {
    timeout: LIMIT_MS + 10_000,
  }, async () => {
    const seed = SEED === undefined ? {} : { seed: Number(SEED) };
    const found = await check(null, { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS, ...seed });
    if (found.failed && found.counterexample !== null) {
      const [schedule] = found.counterexample;
      throw new Error(`WEIR_SIMULATION_SEED=${found.seed}, shrunk to:\n${await tell(schedule)}`);
    }
    expect(found).toMatchObject({ failed: false, interrupted: false, numRuns: RUNS });
  });
});

describe('the simulation', () => {
  it.each(BUGS)('notices: %s', async (bug) => {
    const { failed } = await check(bug, { ...FIXED, endOnFailure: true });
    expect(failed).toBe(true);
  });

  it('shrinks what it has found to a few steps', async () => {
    const { counterexample } = await check('acknowledges too far', FIXED);
    const [schedule = []] = counterexample ?? [];
    expect(schedule.length).toBeLessThan(5);
    expect(await tell(schedule, 'acknowledges too far')).toMatch(
      /the slot is acknowledged up to .* stands at/,
    );
  });

  it('meets everything that may become of a batch and of a row', async () => {
    const outcomes = new Set<string>();
    const met = {
      alerts: 0,
      blocked: 0,
      added: 0,
      late: 0,
      snapshots: 0,
      epochs: 0,
      scored: 0,
      shardings: 0,
    };
    const letters = new Map<string, number>();
    const patterns = new Map<string, number>();
    for (const schedule of fc.sample(schedules, { seed: 1, numRuns: 700 })) {
      const { outcomes: own, store } = await runSchedule(schedule);
      for (const outcome of own) outcomes.add(outcome);
      const decisions = [...store.effects.decisions.values()];
      met.alerts += store.effects.alerts.size;
      met.blocked += decisions.filter(({ band }) => band === 'block').length;
      met.added += decisions.filter(({ reasons }) =>
        /shared_device.*frequent|frequent.*shared_device/.test(reasons),
      ).length;
      met.late += store.effects.late.size;
      met.snapshots += store.checkpoints.filter(({ snapshots }) => snapshots.size > 0).length;
      met.epochs += store.epoch;
      met.shardings += store.shardings;
      for (const { kind, rule, detailsJson } of store.effects.alerts.values()) {
        if (kind !== 'pattern') continue;
        const ended = `${rule} ${(JSON.parse(detailsJson) as { kind: string }).kind}`;
        patterns.set(ended, (patterns.get(ended) ?? 0) + 1);
      }
      for (const outcome of store.effects.outcomes.values())
        letters.set(outcome, (letters.get(outcome) ?? 0) + 1);
      met.scored += decisions.filter(({ reasons }) => /abroad|spree/.test(reasons)).length;
    }
    expect([...outcomes].sort()).toEqual(['committed', 'gap', 'lost', 'no-op', 'stale-epoch']);
    for (const outcome of ['failed again', 'hit']) expect(letters.get(outcome), outcome).toBeGreaterThan(2);
    for (const [what, count] of Object.entries(met)) expect(count, what).toBeGreaterThan(20);
    expect([...patterns.keys()].sort()).toEqual([
      ...['abroad match', 'abroad timeout', 'pairs match', 'silent match', 'spree match', 'spree timeout'],
    ]);
    for (const [what, count] of patterns) expect(count, what).toBeGreaterThan(10);
  });

  it('does the same again from the same seed', async () => {
    const [schedule = []] = fc.sample(schedules, { seed: 3, numRuns: 1 });
    expect(schedule.length).toBeGreaterThan(0);
    expect(await tell(schedule)).toBe(await tell(schedule));
  });
});
