import type { Block, DeadLetter, LateEvent } from '../../../src/engine/outputs.ts';
import { decodeRowChange } from '../../../src/events/row-change.ts';
import type { StoredLetter } from '../../../src/store/dead-letters.ts';
import { type DecisionRow, decide } from '../../../src/store/decision-rows.ts';
import type { AlertRow } from '../../../src/store/output-rows.ts';
import type { PartitionCommit } from '../../../src/store/partition-commit.ts';
import { type DecisionGroup, decisionKey, stage } from '../../../src/store/stage.ts';
import type { Bug } from '../bug.ts';

/** The tables that people read: decisions by adding, alerts and late events once, blocks only prolonged. */
export class Effects {
  readonly #bug: Bug | null;
  readonly alerts = new Map<string, AlertRow>();
  readonly decisions = new Map<string, DecisionRow>();
  readonly blocks = new Map<string, Block>();
  readonly late = new Map<string, LateEvent>();
  readonly deadLetters: DeadLetter[] = [];
  /** By the letter's id: what came of it when it was judged again. */
  readonly outcomes = new Map<string, string>();

  constructor(bug: Bug | null) {
    this.#bug = bug;
  }

  /** In one transaction. Returns how many alerts are new, by partition. */
  write(commits: readonly PartitionCommit[]): ReadonlyMap<number, number> {
    const staged = stage(commits);
    const decided = staged.decisions.map((group) => this.#decide(group));
    const fresh = new Map<number, number>();
    for (const alert of [...staged.alerts, ...decided.flatMap(({ alerts }) => alerts)]) {
      if (this.alerts.has(alert.alertId)) continue;
      this.alerts.set(alert.alertId, alert);
      fresh.set(alert.partition, (fresh.get(alert.partition) ?? 0) + 1);
    }
    for (const block of [...staged.blocks, ...decided.flatMap(({ blocks }) => blocks)]) this.#block(block);
    for (const late of staged.late) {
      const key = `${late.position} ${late.event}`;
      if (!this.late.has(key)) this.late.set(key, late);
    }
    this.deadLetters.push(...staged.deadLetters);
    for (const { letter, outcome } of staged.replays) {
      if (!this.outcomes.has(letter)) this.outcomes.set(letter, outcome);
    }
    return fresh;
  }

  /** In the order of writing, but those that have been judged again come last. */
  get letterIds(): readonly string[] {
    const ids = this.deadLetters.map((_, i) => String(i + 1));
    const isOpen = (id: string) => !this.outcomes.has(id);
    return [...ids.filter(isOpen), ...ids.filter((id) => !isOpen(id))];
  }

  /** But for those that have been judged again. */
  open(ids: readonly string[]): readonly StoredLetter[] {
    return this.letters(ids.filter((id) => !this.outcomes.has(id)));
  }

  /** As weir.dead_letters has them. */
  letters(ids: readonly string[]): readonly StoredLetter[] {
    return ids.flatMap((id): StoredLetter[] => {
      const letter = this.deadLetters[Number(id) - 1];
      if (letter === undefined) return [];
      const { rule, position, changeJson } = letter;
      return [{ id, rule, position, change: decodeRowChange(JSON.parse(changeJson ?? 'null')) }];
    });
  }

  #decide(group: DecisionGroup) {
    const key = decisionKey(group);
    const stored = this.#bug === 'overwrites decisions' ? undefined : this.decisions.get(key);
    const decided = decide(group, stored ?? null);
    const { event, position, mode } = group;
    const { score, band, reasonsJson: reasons } = decided;
    this.decisions.set(key, { event, position, mode, score, band, reasons });
    return decided;
  }

  #block(block: Block): void {
    const key = JSON.stringify([block.key, block.value]);
    const known = this.blocks.get(key);
    if (known === undefined || block.until > known.until) this.blocks.set(key, block);
  }

  /** All of it, sorted, without what depends on which partition was first to commit. */
  everything() {
    return {
      alerts: [...this.alerts.values()].map(lasting).sort(byJson),
      decisions: [...this.decisions.values()].sort(byJson),
      blocks: [...this.blocks.values()].map(({ key, value, until }) => ({ key, value, until })).sort(byJson),
      late: [...this.late.values()].sort(byJson),
      deadLetters: this.deadLetters.map(letterOf).sort(byJson),
      outcomes: [...this.outcomes].sort(byJson),
    };
  }
}

/** A band's alert tells the score that crossed its bound: that depends on which of the row's partitions was first. */
function lasting(alert: AlertRow) {
  const { alertId, rule, kind, severity, subjectJson, message, at, position, eventsJson, detailsJson, mode } =
    alert;
  const always = { position, rule, kind, alertId, severity, subjectJson, at, eventsJson, mode };
  return kind === 'decision' ? always : { ...always, message, detailsJson };
}

function letterOf({ rule, event, position, error, eventJson, changeJson }: DeadLetter): DeadLetter {
  return { rule, event, position, error, eventJson, changeJson };
}

function byJson(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
