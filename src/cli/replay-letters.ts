import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../errors.ts';
import { compileStored } from '../rules/stored.ts';
import { askForLetters, whyNotJudged } from '../source/asked-letters.ts';
import { openControl } from '../store/control-store.ts';
import { RuleSets } from '../store/rule-sets.ts';
import { withClient } from './connect.ts';
import { findLetters, type LetterRow, outcomesOf } from './dead-letter-rows.ts';
import { print } from './io.ts';
import type { CommandContext } from './program.ts';
import { textTable } from './text-table.ts';
import type { Here } from './with-instance.ts';

/** At a time: who has more runs it again. */
export const MOST_REPLAYED = 10_000;
const POLL_MS = 200;

export interface Asked {
  readonly ids: readonly string[];
  readonly rule: string | null;
}

interface Told {
  readonly id: string;
  readonly rule: string | null;
  /** null: it was asked for, and is not judged yet. */
  readonly outcome: string | null;
  /** Why it was not asked for. */
  readonly left: string | null;
}

/** Asks for the letters that the rules in force can judge, waits for what comes of them, and tells of all of them. */
export async function replayLetters(
  { io, json }: CommandContext,
  here: Here & Asked & { readonly waitMs: number },
): Promise<ExitCode> {
  const { config, ids } = here;
  const wanted = {
    ...here,
    instance: here.instance.processorId,
    resolved: ids.length > 0,
    limit: MOST_REPLAYED,
  };
  const letters = await findLetters(here.store, wanted);
  const left = await whyLeft(here, letters);
  const asked = letters.filter(({ id }) => !left.has(id)).map(({ id }) => id);
  const target = { url: config.databaseUrl, variable: 'DATABASE_URL', slot: config.slot };
  await withClient(target, (source) => askForLetters(source, config.slot, asked));
  const outcomes = await waitFor(here, asked);
  const told = letters.map(({ id, rule }): Told => {
    return { id, rule, outcome: outcomes.get(id) ?? null, left: left.get(id) ?? null };
  });
  const unknown = ids.filter((id) => !letters.some((letter) => letter.id === id));
  told.push(
    ...unknown.map((id): Told => ({ id, rule: null, outcome: null, left: 'there is no such dead letter' })),
  );
  await print(io, json ? `${JSON.stringify(told, null, 2)}\n` : shown(told));
  const well = told.every(({ outcome }) => outcome !== null && outcome !== 'failed again');
  return well ? EXIT.ok : EXIT.findings;
}

/** By the rules in force where the stream was acknowledged; the source judges once more, where the stream comes to it. */
async function whyLeft(
  { store, config, instance }: Here,
  letters: readonly LetterRow[],
): Promise<Map<string, string>> {
  const rules = new RuleSets(openControl(store, config.slot), compileStored);
  const plan = await rules.get(instance.ack.rules);
  return new Map(
    letters.flatMap((letter): [string, string][] => {
      const done = letter.replayedAt === null ? null : `it has been judged again: ${letter.outcome}`;
      const why = done ?? whyNotJudged(plan, letter);
      return why === null ? [] : [[letter.id, why]];
    }),
  );
}

async function waitFor(
  { store, instance, waitMs }: Here & { readonly waitMs: number },
  asked: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const outcomes = await outcomesOf(store, instance.processorId, asked);
    if (outcomes.size === asked.length || Date.now() >= deadline) return outcomes;
    await delay(POLL_MS);
  }
}

const NOT_YET = 'not judged yet: is weir run running? It judges them when it comes to them';

/** How many of each rule ended how. */
function shown(told: readonly Told[]): string {
  if (told.length === 0) return 'no dead letters\n';
  const counts = new Map<string, number>();
  for (const { id, rule, outcome, left } of told) {
    const row = [rule ?? id, left === null ? (outcome ?? NOT_YET) : `left: ${left}`];
    counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + 1);
  }
  const rows = [...counts].map(([row, count]) => [...(JSON.parse(row) as string[]), String(count)]);
  return textTable([['rule', 'outcome', 'letters'], ...rows]);
}
