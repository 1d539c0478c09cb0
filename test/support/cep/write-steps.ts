import type { Drawn, DrawnAbsence, DrawnGroup, DrawnStep } from './drawn-steps.ts';
import { conditionOf, untilOf } from './write-condition.ts';

/** A step as a rule file has it: a map of one name. */
export type WrittenStep = Readonly<Record<string, Body>>;
type Body = Readonly<Record<string, unknown>>;

export interface Written {
  readonly steps: readonly WrittenStep[];
  /** Steps that take events, in order. */
  readonly names: readonly string[];
  /** A relaxed absence is at the end, and has no `within` of its own. */
  readonly needsWithin: boolean;
}

interface Place {
  /** The element before, as it was written; null: it is the first of its list. */
  readonly before: Body | null;
  /** No element follows it in the pattern. */
  readonly last: boolean;
}

/**
 * Writes steps that the loader accepts, and leaves out what it refuses. They are named s1, s2, …, absences n1, …,
 * groups g1, …. No step has a `within` above `whole`.
 */
export function writeSteps(elements: readonly Drawn[], whole: number | null): Written {
  const names: string[] = [];
  let named = 0;
  let needsWithin = false;
  const steps = list(trimmed(elements, 1), true);
  return { steps, names, needsWithin };

  function list(drawn: readonly Drawn[], isWhole: boolean): WrittenStep[] {
    const written: WrittenStep[] = [];
    let before: Body | null = null;
    for (const [index, element] of drawn.entries()) {
      const one = write(element, { before, last: isWhole && index === drawn.length - 1 });
      if (one === null) continue;
      written.push(one);
      before = Object.values(one)[0] ?? null;
    }
    return written;
  }

  function write(element: Drawn, place: Place): WrittenStep | null {
    if (element.kind === 'absence') return absence(element, place);
    return element.kind === 'group' ? group(element, place) : step(element, place);
  }

  /** It is judged after an event: never first, nor after what may not be there. */
  function absence(drawn: DrawnAbsence, { before, last }: Place): WrittenStep | null {
    if (before === null || before['optional'] === true) return null;
    const when = conditionOf(drawn, names);
    const strict = drawn.contiguity === 'strict';
    const within = last && !strict ? inWhole(drawn.within) : {};
    if (last && !strict && drawn.within === null) needsWithin = true;
    named++;
    const body = { event: 'e', not: true, ...bond(drawn.contiguity), ...when, ...within };
    return { [`n${named}`]: body };
  }

  function step(drawn: DrawnStep, { before }: Place): WrittenStep {
    const name = `s${++named}`;
    const loops = drawn.times !== null;
    const first = names.length === 0;
    const body = {
      event: drawn.event,
      ...conditionOf(drawn, loops ? [...names, name] : names, name),
      ...(before === null ? {} : bond(drawn.contiguity)),
      ...repetition(drawn, before),
      ...(loops && drawn.greedy && drawn.loop !== 'any' ? { greedy: true } : {}),
      ...(loops ? inWhole(drawn.gap, 'gap') : {}),
      ...(isEndless(drawn.times) ? untilOf(drawn.until, [...names, name]) : {}),
      ...(first ? {} : inWhole(drawn.within)),
    };
    names.push(name);
    return { [name]: body };
  }

  function group(drawn: DrawnGroup, { before }: Place): WrittenStep {
    const name = `g${++named}`;
    const inner = list(drawn.elements, false);
    const empty = inner.every((element) => canBeEmpty(Object.values(element)[0] ?? {}));
    const times = empty ? null : drawn.times;
    const body = {
      steps: inner,
      ...(before === null ? {} : bond(drawn.contiguity)),
      ...repetition({ ...drawn, times }, before),
      ...(isEndless(times) ? untilOf(drawn.until, []) : {}),
    };
    return { [name]: body };
  }

  function inWhole(millis: number | null, key = 'within'): Body {
    return millis === null ? {} : { [key]: `${Math.min(millis, whole ?? millis)}ms` };
  }
}

/** Absences end no group, and a pattern only one of them. What is empty then is left out. */
function trimmed(elements: readonly Drawn[], atEnd: 0 | 1): readonly Drawn[] {
  const full = elements
    .map((element) =>
      element.kind === 'group' ? { ...element, elements: trimmed(element.elements, 0) } : element,
    )
    .filter((element) => element.kind !== 'group' || element.elements.length > 0);
  const taking = full.findLastIndex(({ kind }) => kind !== 'absence') + 1;
  return taking === 0 ? [] : [...full.slice(0, taking), ...full.slice(taking).slice(0, atEnd)];
}

function bond(contiguity: string | null): Body {
  return contiguity === null ? {} : { contiguity };
}

/** After a greedy loop nothing is optional. */
function repetition(
  { times, optional, loop }: Pick<DrawnStep, 'times' | 'optional' | 'loop'>,
  before: Body | null,
): Body {
  return {
    ...(times === null ? {} : { times, ...(loop === null ? {} : { loop }) }),
    ...(optional && before?.['greedy'] !== true ? { optional: true } : {}),
  };
}

function isEndless(times: number | string | null): boolean {
  return typeof times === 'string' && times.endsWith('+');
}

function canBeEmpty(body: Body): boolean {
  if (body['not'] === true || body['optional'] === true) return true;
  const steps = body['steps'] as readonly WrittenStep[] | undefined;
  return steps?.every((step) => canBeEmpty(Object.values(step)[0] ?? {})) ?? false;
}
