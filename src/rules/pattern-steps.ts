import { type EventInfo, unknownEvent } from './check-events.ts';
import type { Draft } from './draft.ts';
import type { Quantifier } from './pattern-plan.ts';
import { formatPlace, type Place } from './problem.ts';
import type { Part } from './rule-set.ts';
import type { PatternSpec } from './schema.ts';
import type { StepEntry, StepSpec } from './schema-patterns.ts';
import type { Spot } from './yaml-document.ts';

interface Named {
  readonly name: string;
  readonly spec: StepSpec;
  readonly spot: Spot;
}

/** A step or an absence: it has a number. */
export interface StepNode extends Named {
  readonly kind: 'step' | 'absence';
  readonly step: number;
  readonly event: EventInfo;
  readonly quantifier: Quantifier;
  /** A group around it is. */
  readonly repeated: boolean;
  /** It takes one event at most. */
  readonly single: boolean;
}

export interface GroupNode extends Named {
  readonly kind: 'group';
  readonly elements: readonly PatternNode[];
  readonly quantifier: Quantifier;
}

export type PatternNode = StepNode | GroupNode;

/** The steps of a pattern as written, numbered. */
export interface StepTree {
  readonly elements: readonly PatternNode[];
  /** By number. */
  readonly steps: readonly StepNode[];
  readonly groups: readonly GroupNode[];
  /** Names of steps that cannot be understood, which is told: what mentions them is not judged. */
  readonly broken: ReadonlySet<string>;
  /** No step is missing here. */
  readonly complete: boolean;
}

const GROUP_KEYS = ['steps', 'times', 'optional', 'contiguity', 'loop', 'until', 'description'];

export function readSteps(draft: Draft, part: Part<PatternSpec>): StepTree {
  const reader = new Reader(draft);
  const elements = reader.list(part.spec.steps, part.spot.in('steps'), false);
  const { steps, groups, broken, complete } = reader;
  return { elements, steps, groups, broken, complete };
}

class Reader {
  readonly steps: StepNode[] = [];
  readonly groups: GroupNode[] = [];
  readonly broken = new Set<string>();
  complete = true;
  readonly #draft: Draft;
  readonly #places = new Map<string, Place>();

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  list(entries: readonly StepEntry[], spot: Spot, repeated: boolean): PatternNode[] {
    return entries.flatMap((entry, index) => this.#entry(entry, spot.in(index), repeated) ?? []);
  }

  #entry(entry: StepEntry, spot: Spot, repeated: boolean): PatternNode | null {
    const [only, ...more] = Object.entries(entry);
    if (only === undefined || more.length > 0) {
      // A name or a step that was taken out is told.
      const names = spot.keys;
      if (names.length !== 1) {
        const message = `a step is a map of one name, and this has ${names.length}`;
        this.#draft.problems.error(spot.place, message, 'write: - login: { event: login }');
      }
      return this.#drop(...names);
    }
    const [name, spec] = only;
    const named = { name, spec, spot: spot.in(name) };
    this.#once(named);
    const group = spec.steps !== undefined || named.spot.keys.includes('steps');
    return group ? this.#group(named, repeated) : this.#step(named, repeated);
  }

  #once({ name, spot }: Named): void {
    const other = this.#places.get(name);
    if (other === undefined) {
      this.#places.set(name, spot.key);
      return;
    }
    const message = `step "${name}" is also at ${formatPlace(other)}: a name means one thing`;
    this.#draft.problems.error(spot.key, message, 'give it another name');
    this.broken.add(name);
  }

  #group(named: Named, repeated: boolean): GroupNode | null {
    const { spec, spot, name } = named;
    for (const key of Object.keys(spec).filter((one) => !GROUP_KEYS.includes(one))) {
      const hint = `a group takes times, optional, contiguity, loop and until: write "${key}" on its steps`;
      this.#draft.problems.error(spot.in(key).key, `"${key}" on the group ${name}`, hint);
    }
    const quantifier = this.#quantifier(named);
    const inside = repeated || quantifier.max !== 1;
    const elements = this.list(spec.steps ?? [], spot.in('steps'), inside);
    if (spec.steps === undefined) return this.#drop(name);
    const group: GroupNode = { kind: 'group', ...named, elements, quantifier };
    this.groups.push(group);
    return group;
  }

  #step(named: Named, repeated: boolean): StepNode | null {
    const { name, spec, spot } = named;
    const { world, problems } = this.#draft;
    const quantifier = this.#quantifier(named);
    if (spec.event === undefined) {
      if (!spot.keys.includes('event')) {
        problems.error(spot.key, `step "${name}" has no event`, 'write event: NAME, or steps: […]');
      }
      return this.#drop(name);
    }
    const event = world.events.get(spec.event);
    if (event === undefined) {
      unknownEvent(spec.event, spot.in('event').place, { ...world, problems });
      return this.#drop(name);
    }
    const kind = spec.not === true ? 'absence' : 'step';
    const single = kind === 'step' && !repeated && quantifier.max === 1;
    const step: StepNode = { kind, ...named, step: this.steps.length, event, quantifier, repeated, single };
    this.steps.push(step);
    return step;
  }

  #quantifier({ spec, spot }: Named): Quantifier {
    const { min, max } = timesOf(spec.times);
    const at = spot.in('times');
    if (min < 1) {
      const hint = 'optional: true allows none';
      this.#draft.problems.error(at.place, `times counts from 1, and this is ${spec.times}`, hint);
    } else if (max !== null && max < min) {
      this.#draft.problems.error(at.place, `this range ends before it begins`, `write ${max}..${min}`);
    }
    return {
      min,
      max,
      skippable: spec.optional === true,
      greedy: spec.greedy === true,
      loop: spec.loop ?? 'relaxed',
    };
  }

  #drop(...names: readonly string[]): null {
    for (const name of names) this.broken.add(name);
    this.complete = false;
    return null;
  }
}

function timesOf(times: StepSpec['times']): { readonly min: number; readonly max: number | null } {
  if (times === undefined) return { min: 1, max: 1 };
  if (typeof times === 'number') return { min: times, max: times };
  const [from = '', to] = times.replace('+', '').split('..');
  return { min: Number(from), max: times.endsWith('+') ? null : Number(to) };
}

/** A key that is written, whether or not its value passed. */
export function says({ spec, spot }: Pick<StepNode, 'spec' | 'spot'>, key: keyof StepSpec): boolean {
  return spec[key] !== undefined || spot.keys.includes(key);
}
