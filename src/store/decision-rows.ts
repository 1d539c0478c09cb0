import type { QueryConfig } from 'pg';
import type { Block, Reason } from '../engine/outputs.ts';
import { bandActions } from '../engine/risk/band-actions.ts';
import { applyContribution, type DecisionState } from '../engine/risk/decision.ts';
import type { SharedTable } from './shared-rows.ts';
import { type DecisionGroup, decisionKey, type OwnedAlert } from './stage.ts';
import { cleanJson, cleanText } from './text.ts';

/** A row of weir.decisions, as far as it is read back. */
export interface DecisionRow {
  readonly event: string;
  readonly position: string;
  readonly mode: string;
  readonly score: string;
  readonly band: string | null;
  readonly reasons: string;
}

/** A decision with the group's parts added, and what the bands that it rose into do. */
export interface Decided {
  readonly group: DecisionGroup;
  readonly entityId: string;
  readonly at: number;
  readonly rulesVersion: string;
  readonly score: string;
  readonly band: string | null;
  readonly reasonsJson: string;
  readonly alerts: readonly OwnedAlert[];
  readonly blocks: readonly Block[];
}

export function decisionTable(processorId: string): SharedTable<DecisionGroup, DecisionRow, Decided> {
  return {
    keyOf: decisionKey,
    keyOfRow: decisionKey,
    add: decide,
    insert: (decided) => insertDecisions(decided, processorId),
    lock: (groups) => lockDecisions(groups, processorId),
    update: (decided) => updateDecisions(decided, processorId),
  };
}

/** Adds the group's parts to what is stored (null: nothing yet). */
export function decide(group: DecisionGroup, stored: DecisionRow | null): Decided {
  let state: DecisionState | null = stored === null ? null : stateOf(stored);
  const alerts: OwnedAlert[] = [];
  const blocks: Block[] = [];
  for (const { contribution, commit } of group.parts) {
    const scoring = commit.scoring.get(group.event);
    if (scoring === undefined)
      throw new Error(`no scoring of ${group.event} in rules ${commit.rulesVersion}`);
    const reached = applyContribution(scoring, state, contribution);
    const actions = bandActions(scoring, reached, contribution);
    const { rulesVersion, partition } = commit;
    alerts.push(...actions.alerts.map((alert) => ({ ...alert, rulesVersion, partition })));
    blocks.push(...actions.blocks);
    state = reached.after;
  }
  const last = group.parts.at(-1);
  if (state === null || last === undefined) throw new Error('a decision without a part');
  return {
    group,
    entityId: last.contribution.entityId,
    at: last.contribution.at,
    rulesVersion: last.commit.rulesVersion,
    score: String(state.score),
    band: state.band,
    reasonsJson: JSON.stringify(state.reasons),
    alerts,
    blocks,
  };
}

function stateOf(row: DecisionRow): DecisionState {
  return { score: Number(row.score), band: row.band, reasons: JSON.parse(row.reasons) as Reason[] };
}

/**
 * Takes the keys that nobody has and says which; for a key that another transaction is about to write it waits.
 * Sorted by primary key, like every statement here.
 */
const INSERT = `insert into weir.decisions
    (event, entity_id, position, score, band, reasons, event_time, rules_version, mode, processor_id)
  select event, entity_id, position, score, band, reasons, weir.at(event_time), rules_version, mode, $10
  from unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::text[], $6::jsonb[], $7::float8[], $8::text[], $9::text[])
    as d (event, entity_id, position, score, band, reasons, event_time, rules_version, mode)
  on conflict (event, position, mode, processor_id) do nothing
  returning event, position, mode`;

export function insertDecisions(decided: readonly Decided[], processorId: string): QueryConfig {
  return {
    name: 'weir_decisions_insert',
    text: INSERT,
    values: [
      decided.map((d) => d.group.event),
      decided.map((d) => cleanText(d.entityId)),
      decided.map((d) => d.group.position),
      decided.map((d) => d.score),
      decided.map((d) => d.band),
      decided.map((d) => cleanJson(d.reasonsJson)),
      decided.map((d) => d.at),
      decided.map((d) => d.rulesVersion),
      decided.map((d) => d.group.mode),
      processorId,
    ],
  };
}

const LOCK = `select d.event, d.position, d.mode, d.score, d.band, d.reasons::text as reasons
  from weir.decisions d
  join unnest($1::text[], $2::text[], $3::text[]) as k (event, position, mode)
    on d.event = k.event and d.position = k.position collate "C" and d.mode = k.mode
  where d.processor_id = $4
  order by d.event collate "C", d.position, d.mode collate "C"
  for update of d`;

/** Their contents after whoever wrote them last has committed. */
function lockDecisions(groups: readonly DecisionGroup[], processorId: string): QueryConfig {
  return {
    name: 'weir_decisions_lock',
    text: LOCK,
    values: [
      groups.map((group) => group.event),
      groups.map((group) => group.position),
      groups.map((group) => group.mode),
      processorId,
    ],
  };
}

const UPDATE = `update weir.decisions d
  set score = n.score, band = n.band, reasons = n.reasons, rules_version = n.rules_version, updated_at = clock_timestamp()
  from unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::text[], $6::jsonb[], $7::text[])
    as n (event, position, mode, score, band, reasons, rules_version)
  where d.event = n.event and d.position = n.position collate "C" and d.mode = n.mode and d.processor_id = $8`;

function updateDecisions(decided: readonly Decided[], processorId: string): QueryConfig {
  return {
    name: 'weir_decisions_update',
    text: UPDATE,
    values: [
      decided.map((d) => d.group.event),
      decided.map((d) => d.group.position),
      decided.map((d) => d.group.mode),
      decided.map((d) => d.score),
      decided.map((d) => d.band),
      decided.map((d) => cleanJson(d.reasonsJson)),
      decided.map((d) => d.rulesVersion),
      processorId,
    ],
  };
}
