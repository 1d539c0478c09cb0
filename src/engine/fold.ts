import type { Micros, Row } from '../events/row.ts';
import type { Plan } from '../rules/plan.ts';
import type { Lists } from '../rules/plan-parts.ts';
import { AggregationFold } from './aggregations/aggregation-fold.ts';
import { contributionsOf, type ScoredHit } from './contributions.ts';
import { bury } from './dead-letters.ts';
import { rowJson } from './evidence.ts';
import { act } from './hit-outputs.ts';
import { isHere, judge } from './judge.ts';
import { judgeAgain } from './judge-again.ts';
import { noOutputs, type Outputs } from './outputs.ts';
import type { PartitionState } from './partition-state.ts';
import { PatternFold } from './pattern-fold.ts';
import type { StoreProgram } from './program.ts';
import type { RowContext } from './row-context.ts';

export interface FoldBatch {
  readonly rows: readonly Row[];
  /** W of each table's event at the end of the batch. */
  readonly watermarks: readonly Micros[];
  /** The monotone commit time at the end of the batch. */
  readonly commitAt: Micros;
  /** As of these rows, in the order of `Plan.lists`; absent: as the rule files have them. */
  readonly lists?: Lists;
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
  const outputs = noOutputs();
  const { context } = state;
  context.lists = batch.lists ?? [...plan.lists.values()];
  const patterns = new PatternFold(state, outputs);
  const aggregates = new AggregationFold(outputs);
  for (const row of batch.rows) {
    context.start(row);
    if (row.letter !== undefined) {
      judgeAgain(row.letter, context, outputs);
      continue;
    }
    foldRow(context, outputs);
    state.arrived(row);
    if (row.late) continue;
    patterns.enter(context);
    aggregates.enter(context);
  }
  batch.watermarks.forEach((watermark, table) => {
    state.advance(table, watermark);
  });
  patterns.moveTime();
  for (const [rule, rows] of context.cutLists) outputs.cutLists.push({ rule, rows });
  context.cutLists.clear();
  aggregates.end();
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
      bury({ rule: rule.plan.id, event: rule.plan.event, error }, context, outputs);
    }
  }
  if (hits.length > 0) outputs.decisions.push(...contributionsOf(hits, context));
}

/** Into a store whose routing key lives here, if the row bears the event and the store's condition is true. */
function appendTo(store: StoreProgram, context: RowContext, outputs: Outputs): void {
  if (!context.livesHere(store.routing)) return;
  const { eventIndex, when } = store.plan;
  try {
    if (!context.bears(eventIndex) || (when !== null && when(context.bare()) !== true)) return;
  } catch (error) {
    const event = context.table.plan.events[eventIndex]?.name ?? context.table.plan.event;
    bury({ rule: store.firstRule, event, error }, context, outputs);
    return;
  }
  context.append(store);
}

function reportLate({ row, table }: RowContext, outputs: Outputs): void {
  if ((row.roles & HOME) === 0) return;
  const { position, at, watermark } = row;
  const eventJson = rowJson(table.plan, row);
  outputs.late.push({ event: table.plan.event, position, at, watermark, eventJson });
}
