import { bucketOf, keyText } from '../events/keys.ts';
import { type Micros, NO_ROW, type Row } from '../events/row.ts';
import type { Frame, Lists, Value } from '../rules/plan-parts.ts';
import type { Bucket } from './bucket.ts';
import type {
  Lookup,
  Program,
  RoutingKey,
  RuleProgram,
  StoreProgram,
  TableProgram,
  WindowProgram,
} from './program.ts';
import { keptCell } from './value.ts';
import { Entries } from './windows/entries.ts';
import { emptyValue, evaluateWindow } from './windows/evaluate.ts';
import { paneCells } from './windows/panes.ts';
import type { Question } from './windows/question.ts';

/** What a row needs of the state of its partition. */
export interface BucketAccess {
  /** An installed bucket. */
  bucket(number: number): Bucket;
  /** Something in it has changed. */
  touch(bucket: Bucket): void;
  /** The least W of the rows that look into the store. */
  watermarkOfStore(store: StoreProgram): Micros;
}

export interface ReusedFrame extends Frame {
  row: Row;
  readonly lets: Value[];
  lists: Lists;
}

function newFrame(lets: number): ReusedFrame {
  return { row: NO_ROW, lets: new Array<Value>(lets).fill(null), lists: [] };
}

/** Of a key that a store does not know; never appended to. */
const NO_ENTRIES = new Entries(0);

/** undefined: not asked yet. */
type Memo<T> = (T | undefined)[];

/** What has been found out about the row at hand: each thing at most once, whatever asks for it. */
export class RowContext {
  row: Row;
  table: TableProgram;
  /** As of the batch at hand. */
  lists: Lists = [];
  readonly #state: BucketAccess;
  readonly #program: Program;
  /** One object for millions of windows. */
  readonly #question: Question;
  readonly #keys: Memo<string | null> = [];
  readonly #buckets: Memo<number> = [];
  readonly #bears: Memo<boolean> = [];
  readonly #failures: Memo<unknown> = [];
  readonly #entries: Memo<Entries | null> = [];
  readonly #windows: Memo<Value> = [];
  readonly #frames: readonly (readonly ReusedFrame[])[];
  /** By store: the entries that the row went into. */
  readonly #appended: Memo<Entries> = [];
  /** By rule: for how many rows the list of a window did not hold all of its values. */
  readonly cutLists = new Map<string, number>();

  constructor(state: BucketAccess, program: Program, followFrom: number) {
    this.#state = state;
    this.#program = program;
    this.#question = {
      row: NO_ROW,
      entries: NO_ENTRIES,
      own: false,
      specs: [],
      followFrom,
      range: { lo: 0, hi: 0, lower: null },
      cut: ({ rule }) => this.cutLists.set(rule, (this.cutLists.get(rule) ?? 0) + 1),
    };
    this.#frames = program.tables.map(({ rules }) => rules.map(({ plan }) => newFrame(plan.lets.length)));
    this.row = NO_ROW;
    this.table = program.tables[0] as TableProgram;
  }

  start(row: Row): void {
    const table = this.#program.tables[row.table];
    if (table === undefined)
      throw new Error(`row ${row.position} is of table ${row.table}, which the plan lacks`);
    this.row = row;
    this.table = table;
    forget(this.#keys, table.keys.length);
    forget(this.#buckets, table.keys.length);
    forget(this.#bears, table.plan.events.length);
    forget(this.#failures, table.plan.events.length);
    forget(this.#entries, table.lookups.length);
    forget(this.#windows, table.windows.length);
    forget(this.#appended, this.#program.stores.length);
    for (const routing of table.routing) {
      // A bucket that is missing is a bug of the caller: it must not pass for a rule that fails.
      if (this.livesHere(routing) && this.key(routing.slot) !== null) this.bucket(routing);
    }
  }

  touch(bucket: Bucket): void {
    this.#state.touch(bucket);
  }

  /** The frame of a rule on the row at hand: it and its `lets` are used again for the next row. */
  frame(rule: RuleProgram): ReusedFrame {
    const frame = this.#frames[this.table.index]?.[rule.index];
    if (frame === undefined) throw new Error(`rule ${rule.plan.id} is not one of the table's`);
    frame.row = this.row;
    frame.lets.fill(null);
    frame.lists = this.lists;
    return frame;
  }

  /** For a condition on the row alone. */
  bare(): Frame {
    return { row: this.row, lets: [], lists: this.lists };
  }

  key(slot: number): string | null {
    const known = this.#keys[slot];
    if (known !== undefined) return known;
    const key = keyText(this.row.cells, this.table.keys[slot] ?? []);
    this.#keys[slot] = key;
    return key;
  }

  /** The bucket of a routing key that is not NULL and lives here. */
  bucket({ slot }: RoutingKey): Bucket {
    let number = this.#buckets[slot];
    if (number === undefined) {
      number = bucketOf(this.key(slot) ?? '');
      this.#buckets[slot] = number;
    }
    return this.#state.bucket(number);
  }

  livesHere({ bit }: RoutingKey): boolean {
    return (this.row.roles & bit) !== 0;
  }

  /** Whether the row bears the name. Throws, each time it is asked, what the name's condition throws. */
  bears(event: number): boolean {
    const known = this.#bears[event];
    if (known !== undefined) return known;
    if (this.#failures[event] !== undefined) throw this.#failures[event];
    const { when } = this.table.plan.events[event] ?? { when: null };
    try {
      const bears = when === null || when(this.bare()) === true;
      this.#bears[event] = bears;
      return bears;
    } catch (error) {
      this.#failures[event] = error;
      throw error;
    }
  }

  append(store: StoreProgram): void {
    const key = this.key(store.bySlot);
    if (key === null) return;
    const { row } = this;
    const bucket = this.bucket(store.routing);
    const keyed = bucket.store(store);
    const { values, panes } = store.plan;
    const kept: (string | null)[] = [];
    for (const { column, pgType } of values) kept.push(keptCell(row.cells[column], pgType));
    const cells = panes === null ? kept : paneCells(panes, kept);
    const watermark = this.#state.watermarkOfStore(store);
    this.#appended[store.index] = keyed.append(key, { time: row.at, cells, watermark });
    this.#state.touch(bucket);
  }

  /** null where its key is NULL: the window is unknown. */
  window(window: WindowProgram): Value {
    const known = this.#windows[window.index];
    if (known !== undefined) return known;
    const value = this.#evaluate(window);
    this.#windows[window.index] = value;
    return value;
  }

  /** The text of the cell that `first`, `last` or `previous` found; null: none, or NULL. */
  foundCell(window: WindowProgram): string | null {
    const found = this.#evaluate({ ...window, read: (text) => text });
    return typeof found === 'string' ? found : null;
  }

  #evaluate(window: WindowProgram): Value {
    const { lookup } = window;
    const key = this.key(lookup.bySlot);
    if (key === null) return null;
    let entries = this.#entries[lookup.index];
    if (entries === undefined) {
      entries = this.#appendedTo(lookup, key) ?? this.#existing(lookup, key);
      this.#entries[lookup.index] = entries;
    }
    if (entries === null && window.plan.fn !== 'first_seen') return emptyValue(window);
    const question = this.#question;
    question.row = this.row;
    question.entries = entries ?? NO_ENTRIES;
    const store = this.#program.stores[lookup.store] as StoreProgram;
    const cameBefore = this.row.letter !== undefined && this.#isLastOfItsTime(store, question.entries);
    question.own = cameBefore || this.#appended[lookup.store] === entries;
    question.specs = store.aggregates;
    return evaluateWindow(window, question);
  }

  /** A dead letter's row went into its windows when it came first: it is told by its time and values. */
  #isLastOfItsTime({ plan }: StoreProgram, entries: Entries): boolean {
    const { row } = this;
    const last = entries.upper(row.at) - 1;
    if (plan.table !== row.table || last < entries.head || entries.times[last] !== row.at) return false;
    return plan.values.every(
      ({ column, pgType }, value) => entries.cell(last, value) === keptCell(row.cells[column], pgType),
    );
  }

  /** The entries that the row at hand went into, if the lookup is of their key. */
  #appendedTo({ store }: Lookup, key: string): Entries | undefined {
    const appended = this.#appended[store];
    if (appended === undefined) return undefined;
    return this.key((this.#program.stores[store] as StoreProgram).bySlot) === key ? appended : undefined;
  }

  #existing({ routing, store }: Lookup, key: string): Entries | null {
    return this.bucket(routing).existing(store)?.entries(key) ?? null;
  }
}

function forget(memo: Memo<unknown>, length: number): void {
  for (let i = 0; i < length; i++) memo[i] = undefined;
}
