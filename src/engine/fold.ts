import type { Micros, Row } from '../events/row.ts';
import type { Plan } from '../rules/plan.ts';
import { contributionsOf, type ScoredHit } from './contributions.ts';
import { rowJson } from './evidence.ts';
import { alertOf, hitOf, ruleBlockOf } from './hit-outputs.ts';
import { isHere, type Judgement, judge } from './judge.ts';
import type { Outputs } from './outputs.ts';
import type { PartitionState } from './partition-state.ts';
import type { StoreProgram } from './program.ts';
import type { RowContext } from './row-context.ts';
import { cutMessage } from './text.ts';

export interface FoldBatch {
  readonly rows: readonly Row[];
  /** W of each table's event at the end of the batch. */
  readonly watermarks: readonly Micros[];
  /** The monotone commit time at the end of the batch. */
  readonly commitAt: Micros;
}

export interface Folded {
  readonly outputs: Outputs;
  /** By bucket: what of its state the batch appended or changed, as JSON. */
  readonly delta: ReadonlyMap<number, string>;
}

const HOME = 1;

/**
 * Folds a batch into the state of its partition, row by row. Every bucket of `state.neededBuckets` must be
 * installed. Where a stream is split into batches shows neither in the outputs nor in the state.
 */
export function fold(plan: Plan, state: PartitionState, batch: FoldBatch): Folded {
  if (plan !== state.plan)
    throw new Error(`batch of rules ${plan.version} on state of ${state.plan.version}`);
  const outputs: Outputs = { hits: [], decisions: [], alerts: [], blocks: [], late: [], deadLetters: [] };
  const { context } = state;
  for (const row of batch.rows) {
    context.start(row);
    foldRow(context, outputs);
    state.advance(row.table, row.watermark);
  }
  batch.watermarks.forEach((watermark, table) => {
    state.advance(table, watermark);
  });
  return { outputs, delta: state.takeDeltas() };
}

function foldRow(context: RowContext, outputs: Outputs): void {
  const { row, table } = context;
  if (row.late) reportLate(context, outputs);
  else for (const store of table.appends) appendTo(store, context, outputs);
  const hits: ScoredHit[] = [];
  for (const rule of table.rules) {
    if (!isHere(rule, context)) continue;
    try {
      const judgement = judge(rule, context);
      if (judgement !== null) hits.push(act(judgement, context, outputs));
    } catch (error) {
      bury(rule.plan, error, { context, outputs });
    }
  }
  if (hits.length > 0) outputs.decisions.push(...contributionsOf(hits, context));
}

/** Into a store whose routing key lives here, if the row bears the event and the store's condition is true. */
function appendTo(store: StoreProgram, context: RowContext, outputs: Outputs): void {
  if (!context.livesHere(store.routing)) return;
  const { eventIndex, when } = store.plan;
  try {
    if (!context.bears(eventIndex) || (when !== null && when({ row: context.row, lets: [] }) !== true))
      return;
  } catch (error) {
    const event = context.table.plan.events[eventIndex]?.name ?? context.table.plan.event;
    bury({ id: store.firstRule, event }, error, { context, outputs });
    return;
  }
  context.append(store);
}

function act(judgement: Judgement, context: RowContext, outputs: Outputs): ScoredHit {
  const hit = hitOf(judgement, context);
  outputs.hits.push(hit);
  if (hit.silenced) return { ...hit, flags: false };
  const alert = alertOf(judgement, context);
  if (alert !== null) outputs.alerts.push(alert);
  const block = ruleBlockOf(judgement, context);
  if (block !== null) outputs.blocks.push(block);
  return { ...hit, flags: judgement.rule.plan.actions.some(({ kind }) => kind === 'flag') };
}

function reportLate({ row, table }: RowContext, outputs: Outputs): void {
  if ((row.roles & HOME) === 0) return;
  const { position, at, watermark } = row;
  const eventJson = rowJson(table.plan, row);
  outputs.late.push({ event: table.plan.event, position, at, watermark, eventJson });
}

/** A rule that fails on a row stops nobody: the row is kept for it, once a rule. */
function bury(
  rule: { readonly id: string; readonly event: string },
  error: unknown,
  { context, outputs }: { context: RowContext; outputs: Outputs },
): void {
  const { row, table } = context;
  const ofRow = outputs.deadLetters.slice(
    outputs.deadLetters.findLastIndex((l) => l.position !== row.position) + 1,
  );
  if (ofRow.some((letter) => letter.rule === rule.id)) return;
  outputs.deadLetters.push({
    rule: rule.id,
    event: rule.event,
    position: row.position,
    error: cutMessage(error instanceof Error ? error.message : String(error)),
    eventJson: rowJson(table.plan, row),
  });
}
