import type { LooksBack, Wants } from './drawn-steps.ts';

/** `when`, or nothing. `steps` are those that it may look at, the last of them last; `own` may be one of them. */
export function conditionOf(
  { wants, looksBack }: { readonly wants: Wants | null; readonly looksBack: LooksBack | null },
  steps: readonly string[],
  own?: string,
): { readonly when?: string } {
  const parts = [
    wants === null ? [] : of(wants),
    looksBack === null ? [] : past(looksBack, steps, own),
  ].flat();
  return parts.length === 0 ? {} : { when: parts.join(' && ') };
}

export function untilOf(
  until: Wants | LooksBack | null,
  steps: readonly string[],
): { readonly until?: string } {
  if (until === null) return {};
  const text = typeof until === 'object' ? reached(until, steps) : of(until);
  return text === null ? {} : { until: text };
}

function of(wants: Wants): string {
  return typeof wants === 'string' ? `name == "${wants}"` : `price >= ${wants}.0`;
}

function past({ kind, of: back }: LooksBack, steps: readonly string[], own?: string): readonly string[] {
  const step = steps.at(-1 - back);
  if (step === undefined) return [];
  if (kind === 'sum') return [`sum(${step}.price) + price < 8.0`];
  if (kind === 'count') return [`count(${step}) < 2`];
  // Before its first take a step has no last one: nothing would ever be taken.
  if (step === own) return [];
  return [kind === 'price' ? `price >= ${step}.last.price` : `name != ${step}.first.name`];
}

function reached({ kind, of: back }: LooksBack, steps: readonly string[]): string | null {
  const step = steps.at(-1 - back);
  if (step === undefined) return null;
  if (kind === 'sum') return `sum(${step}.price) >= 4.0`;
  if (kind === 'count') return `count(${step}) >= 2`;
  return kind === 'price' ? `price < ${step}.last.price` : `name == ${step}.first.name`;
}
