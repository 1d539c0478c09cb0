import type { AggregateDelta, Alert, Block, Contribution, DeadLetter, LateEvent } from '../engine/outputs.ts';
import type { PartitionCommit } from './partition-commit.ts';
import { asciiText, cutText } from './text.ts';

/** Enough to recognise an output by; what PostgreSQL refused may be of any size. */
const MAX_PAYLOAD = 8_000;
const MAX_NAME = 200;

/** The dead letter of an output that PostgreSQL refused. */
export function letterOf(commits: readonly PartitionCommit[], output: object, error: Error): DeadLetter {
  const found = identify(commits, output);
  return {
    rule: cutText(found.rule, MAX_NAME),
    event: cutText(found.event, MAX_NAME),
    position: found.position,
    error: cutText(`PostgreSQL refused the ${found.kind}: ${error.message}`, 1_000),
    eventJson: JSON.stringify({ kind: found.kind, refused: cutText(JSON.stringify(output), MAX_PAYLOAD) }),
    changeJson: null,
  };
}

/** The same in what any database can hold, whatever its encoding. */
export function plainLetter(letter: DeadLetter): DeadLetter {
  return {
    rule: asciiText(letter.rule),
    event: asciiText(letter.event),
    position: asciiText(letter.position),
    error: asciiText(letter.error),
    eventJson: JSON.stringify({ refused: asciiText(letter.eventJson) }),
    changeJson: null,
  };
}

interface Identity {
  readonly kind: string;
  readonly rule: string;
  readonly event: string;
  readonly position: string;
}

/** Which output of which commit it is: the object itself, not one like it. */
function identify(commits: readonly PartitionCommit[], output: object): Identity {
  for (const { outputs, to } of commits) {
    const found =
      outputs.alerts.filter((a) => a === output).map(alertIdentity)[0] ??
      outputs.decisions.filter((d) => d === output).map(decisionIdentity)[0] ??
      outputs.aggregates.filter((a) => a === output).map((a) => aggregateIdentity(a, to))[0] ??
      outputs.blocks.filter((b) => b === output).map((b) => blockIdentity(b, to))[0] ??
      outputs.late.filter((l) => l === output).map(lateIdentity)[0] ??
      outputs.deadLetters.filter((d) => d === output).map(letterIdentity)[0];
    if (found !== undefined) return found;
  }
  throw new Error('an output that is of no commit');
}

function alertIdentity({ rule, kind, position }: Alert): Identity {
  return { kind: 'alert', rule, event: kind, position };
}

function decisionIdentity({ reasons, event, position }: Contribution): Identity {
  return { kind: 'decision', rule: reasons.map((reason) => reason.rule).join(', '), event, position };
}

function aggregateIdentity({ aggregate, group }: AggregateDelta, position: string): Identity {
  return { kind: 'aggregate', rule: aggregate, event: JSON.stringify(group), position };
}

function blockIdentity({ reason, key }: Block, position: string): Identity {
  return { kind: 'block', rule: reason, event: key, position };
}

function lateIdentity({ event, position }: LateEvent): Identity {
  return { kind: 'late event', rule: '', event, position };
}

function letterIdentity({ rule, event, position }: DeadLetter): Identity {
  return { kind: 'dead letter', rule, event, position };
}
