import { rowToJson } from '../events/cell-json.ts';
import { boundedKey } from '../events/keys.ts';
import type { Micros, Row } from '../events/row.ts';
import type { PatternSubject } from '../rules/pattern-plan.ts';
import type { Action, Frame, MessageTemplate, Severity, Value } from '../rules/plan-parts.ts';
import type { Json } from '../rules/value-format.ts';
import type { Took } from './cep/sink.ts';
import type { ScoredHit, ScoredRow } from './contributions.ts';
import { alertIdOf, eventJson } from './evidence.ts';
import { alertWebhooks, messageText, toldLets } from './message.ts';
import type { Alert, Block, PatternOutput } from './outputs.ts';
import type { PatternProgram, TableProgram } from './program.ts';
import { cutMessage } from './text.ts';

/** A match, or a partial match that ran out of time, with all that its outputs are made of. */
export interface Ended {
  readonly kind: 'match' | 'timeout';
  readonly pattern: PatternProgram;
  readonly tables: readonly TableProgram[];
  readonly key: string;
  readonly takes: readonly Took[];
  readonly lets: readonly Value[];
  readonly at: Micros;
  readonly silenced: boolean;
}

export function patternOutputOf(ended: Ended): PatternOutput {
  const { kind, pattern, key, takes, at, silenced } = ended;
  const { id, mode, by, steps } = pattern.plan;
  return {
    kind,
    pattern: id,
    mode,
    key: by === null ? null : key,
    at,
    takes: takes.map(({ step, row }) => ({ step: steps[step]?.name ?? '', position: row.position })),
    let: letOf(ended),
    silenced,
  };
}

/** What it does when it ends so. */
function doing({ kind, pattern: { plan } }: Ended): {
  readonly severity: Severity;
  readonly actions: readonly Action[];
  readonly message: MessageTemplate | null;
} {
  return kind === 'timeout' && plan.onTimeout !== null ? plan.onTimeout : plan;
}

/** null where there is none to make. */
export function patternAlertOf(ended: Ended): Alert | null {
  const { kind, pattern, key, takes, at } = ended;
  const { plan } = pattern;
  const { severity, actions, message } = doing(ended);
  const webhooks = alertWebhooks(actions);
  if (webhooks === null) return null;
  const last = lastRow(ended);
  const positions = takes.map(({ step, row }) => `${step} ${row.position}`).join();
  const frame = frameOf(ended);
  return {
    // A match and a partial match that times out may have taken the same rows.
    alertId: alertIdOf({ rule: plan.id, key, position: `${kind} ${positions}`, mode: plan.mode }),
    rule: plan.id,
    kind: 'pattern',
    severity,
    subjectJson: subjectOf(ended),
    message:
      message === null
        ? cutMessage(plan.description ?? plan.id)
        : messageText(message, frame, { plans: plan.lets, values: toldValues(ended) }),
    at,
    commitAt: last.commitAt,
    position: last.position,
    eventsJson: `[${takes.map((take) => takeJson(ended, take)).join()}]`,
    detailsJson: JSON.stringify({
      kind,
      score: kind === 'match' ? plan.score : 0,
      key: plan.by === null ? null : key,
      let: letOf(ended),
    }),
    mode: plan.mode,
    webhooks: plan.mode === 'live' ? webhooks : [],
  };
}

/** null where there is none to make. */
export function patternBlockOf(ended: Ended): Block | null {
  const { plan } = ended.pattern;
  const { block } = plan;
  if (plan.mode !== 'live' || block === null) return null;
  if (!doing(ended).actions.some(({ kind }) => kind === 'block')) return null;
  const value = subjectText(block, ended);
  if (value === null) return null;
  // An absence is found long after the last row: it is from then on that its subject is blocked.
  const since = Math.max(lastRow(ended).commitAt, Number.isFinite(ended.at) ? ended.at : -Infinity);
  return { key: block.names.join(), value, until: since + block.forMicros, reason: plan.id };
}

/** The columns as one text, as a key is; null where one is unknown. */
export function subjectText(subject: PatternSubject, ended: Ended): string | null {
  const frame = frameOf(ended);
  const texts: string[] = [];
  for (const value of subject.values) {
    const text = value(frame);
    if (text === null) return null;
    texts.push(String(text));
  }
  return boundedKey(texts.length === 1 ? (texts[0] as string) : JSON.stringify(texts));
}

/** The row whose decision the score is added to: the last that a scoring step took; null: there is none. */
export function scoredRow({ kind, pattern, tables, takes }: Ended): ScoredRow | null {
  if (kind === 'timeout') return null;
  const take = takes.findLast(({ step }) => pattern.plan.scoreOn.includes(step));
  const table = take === undefined ? undefined : tables[take.row.table];
  return take === undefined || table === undefined ? null : { row: take.row, table };
}

export function scoredHitOf(ended: Ended): ScoredHit {
  const { id, score, mode, actions } = ended.pattern.plan;
  const flags = !ended.silenced && actions.some(({ kind }) => kind === 'flag');
  return { rule: id, score, mode, let: letOf(ended), flags };
}

function letOf(ended: Ended): Record<string, Json> {
  return ended.kind === 'timeout' ? {} : toldLets(ended.pattern.plan.lets, toldValues(ended));
}

/** Conditions see doubles; people are told sums with every digit. */
function toldValues(ended: Ended): readonly Value[] {
  const { kind, pattern, lets } = ended;
  if (kind === 'timeout') return lets;
  const frame = frameOf(ended);
  return pattern.plan.lets.map((plan, index) => {
    return plan.kind === 'cel' && plan.told !== null ? plan.told(frame) : (lets[index] ?? null);
  });
}

function frameOf(ended: Ended): Frame {
  const { match, asked } = ended.pattern.definition;
  return { row: lastRow(ended), lets: ended.lets, lists: asked.lists, match };
}

function takeJson({ pattern, tables }: Ended, { step, row }: Took): string {
  const plan = pattern.plan.steps[step];
  const table = tables[row.table];
  if (plan === undefined || table === undefined) throw new Error(`no step ${step} in ${pattern.plan.id}`);
  const event = table.plan.events[plan.eventIndex]?.name ?? table.plan.event;
  return eventJson(table.plan, { step: plan.name, event }, row);
}

/** The key's columns; of a pattern without `by`, what the last row is. */
function subjectOf(ended: Ended): string {
  const { pattern, tables, takes } = ended;
  const { by, inputs } = pattern.plan;
  const last = takes.at(-1) as Took;
  const table = (tables[last.row.table] as TableProgram).plan;
  const input = inputs.find((one) => one.table === last.row.table && one.steps.includes(last.step));
  const columns = by === null ? table.id : (input?.by ?? []);
  const named = columns.flatMap((column, i) => {
    const plan = table.columns[column];
    return plan === undefined ? [] : [{ ...plan, name: by?.[i] ?? plan.name }];
  });
  return rowToJson(
    named,
    columns.map((column) => last.row.cells[column] ?? null),
  );
}

function lastRow({ takes }: Ended): Row {
  return (takes.at(-1) as Took).row;
}
