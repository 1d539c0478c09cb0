import type { ClientBase, QueryConfig } from 'pg';
import type { DeadLetter } from '../engine/outputs.ts';
import { add, insertAggregates } from './aggregate-rows.ts';
import { decide, insertDecisions } from './decision-rows.ts';
import { classify } from './fault.ts';
import { outputStatements } from './output-rows.ts';
import type { Writer } from './partition-commit.ts';
import { letterOf, plainLetter } from './refused-output.ts';
import { sendTogether } from './session.ts';
import { outputsOf, type Staged, stage } from './stage.ts';

/*
 * A crash here can leave nothing: all of it happens in a transaction that is always rolled back.
 */

/**
 * Finds the outputs that PostgreSQL refuses, by writing ever smaller halves of them, and puts dead letters in
 * their place. null: it refuses none of them.
 */
export async function isolatePoison(
  client: ClientBase,
  staged: Staged,
  writer: Writer,
): Promise<Staged | null> {
  const refused = new Map(staged.refused);
  const trial = new Trial(client, staged, writer);
  await client.query('begin');
  try {
    for (const { output, error } of await trial.bisect(outputsOf(staged))) {
      const letter = letterOf(staged.commits, output, error);
      refused.set(output, (await trial.refusesLetter(letter)) ? plainLetter(letter) : letter);
    }
  } finally {
    await client.query('rollback');
  }
  if (refused.size === staged.refused.size) return null;
  return stage(staged.commits, { refused, notify: staged.notify });
}

interface Refusal {
  readonly output: object;
  readonly error: Error;
}

class Trial {
  readonly #client: ClientBase;
  readonly #staged: Staged;
  readonly #writer: Writer;

  constructor(client: ClientBase, staged: Staged, writer: Writer) {
    this.#client = client;
    this.#staged = staged;
    this.#writer = writer;
  }

  async bisect(outputs: readonly object[]): Promise<readonly Refusal[]> {
    if (outputs.length === 0) return [];
    const error = await this.#refusal(this.#statementsOf(outputs));
    if (error === null) return [];
    const [output] = outputs;
    if (outputs.length === 1 && output !== undefined) return [{ output, error }];
    const half = outputs.length >> 1;
    const first = await this.bisect(outputs.slice(0, half));
    return [...first, ...(await this.bisect(outputs.slice(half)))];
  }

  async refusesLetter(letter: DeadLetter): Promise<boolean> {
    const rows = { alerts: [], blocks: [], late: [], deadLetters: [letter], replays: [] };
    return (await this.#refusal(outputStatements(rows, this.#writer.processorId, false))) !== null;
  }

  #statementsOf(outputs: readonly object[]): readonly QueryConfig[] {
    const { processorId } = this.#writer;
    const part = stage(this.#staged.commits, { refused: new Map(), notify: false, only: new Set(outputs) });
    const decided = part.decisions.map((group) => decide(group, null));
    const rows = {
      ...part,
      alerts: [...part.alerts, ...decided.flatMap((one) => one.alerts)],
      blocks: [...part.blocks, ...decided.flatMap((one) => one.blocks)],
    };
    const added = part.aggregates.map((group) => add(group, null, group.bucket));
    return [
      ...(decided.length === 0 ? [] : [insertDecisions(decided, processorId)]),
      ...(added.length === 0 ? [] : [insertAggregates(added, processorId)]),
      ...outputStatements(rows, processorId, false),
    ];
  }

  /** The error of class 22, 23 or 54 with which PostgreSQL refuses the statements; null: it takes them. */
  async #refusal(statements: readonly QueryConfig[]): Promise<Error | null> {
    await this.#client.query('savepoint trial');
    try {
      await sendTogether(this.#client, statements);
      return null;
    } catch (error) {
      if (classify(error).kind !== 'poison' || !(error instanceof Error)) throw error;
      return error;
    } finally {
      await this.#client.query('rollback to savepoint trial');
    }
  }
}
