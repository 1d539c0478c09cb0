import type { Row } from '../events/row.ts';
import { encodeRowChange } from '../events/row-change.ts';
import { rowJson } from './evidence.ts';
import type { DeadLetter, Outputs } from './outputs.ts';
import type { TableProgram } from './program.ts';
import { cutMessage } from './text.ts';

/** What a rule, or a pattern, failed on. */
export interface Failed {
  readonly rule: string;
  readonly event: string;
  readonly error: unknown;
}

interface FailedOn {
  readonly table: TableProgram;
  readonly row: Row;
}

/** A rule that fails on a row stops nobody: the row is kept for it, once a rule. */
export function bury(failed: Failed, on: FailedOn, { deadLetters }: Pick<Outputs, 'deadLetters'>): void {
  const { position } = on.row;
  // They are in the order of their rows, but for a few.
  for (let i = deadLetters.length - 1; i >= 0; i--) {
    const letter = deadLetters[i] as DeadLetter;
    if (letter.position < position) break;
    if (letter.rule === failed.rule && letter.position === position) return;
  }
  deadLetters.push(letterOf(failed, on));
}

export function letterOf({ rule, event, error }: Failed, { table, row }: FailedOn): DeadLetter {
  return {
    rule,
    event,
    position: row.position,
    error: cutMessage(error instanceof Error ? error.message : String(error)),
    eventJson: rowJson(table.plan, row),
    changeJson: encodeRowChange(table.plan, row),
  };
}
