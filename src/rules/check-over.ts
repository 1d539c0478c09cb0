import type { Draft } from './draft.ts';
import { parseDuration } from './duration.ts';
import type { Over } from './over.ts';
import type { OverSpec } from './schema-windows.ts';
import type { Spot } from './yaml-document.ts';

type OverMap = Exclude<OverSpec, string>;

/** Every window has an extent: what those that are not bounded by a time of their own look back at the most. */
export const SESSION_WITHIN = '1d';
export const ROWS_WITHIN = '30d';

const KINDS = ['tumbling', 'hopping', 'session', 'rows'] as const;
/** What may stand beside the kind. */
const BESIDE: Readonly<Record<(typeof KINDS)[number], readonly string[]>> = {
  tumbling: [],
  hopping: ['every'],
  session: ['within'],
  rows: ['within'],
};
const FORMS =
  'write over: 1h, { tumbling: 1h }, { hopping: 10m, every: 1m }, { session: 30m } or { rows: 10 }';

/** What a window's `over` says; null: it has mistakes, which are told. */
export function checkOver(draft: Draft, spec: OverSpec, spot: Spot): Over | null {
  if (typeof spec === 'string') return { kind: 'sliding', over: micros(spec) };
  // Of what was taken out, for a mistake that is told, nothing more is said.
  if (!spot.keys.every((key) => key.startsWith('x-') || Object.hasOwn(spec, key))) return null;
  const [kind, other] = KINDS.filter((one) => spec[one] !== undefined);
  if (kind === undefined) {
    draft.problems.error(spot.place, '"over" does not say which rows', FORMS);
    return null;
  }
  const stray =
    other ?? spot.keys.find((key) => key !== kind && !key.startsWith('x-') && !BESIDE[kind].includes(key));
  if (stray === undefined) return ofKind(draft, kind, { spec, spot });
  draft.problems.error(spot.in(stray).key, `"${stray}" does not go with ${kind}`, FORMS);
  return null;
}

interface OverParts {
  readonly spec: OverMap;
  readonly spot: Spot;
}

function ofKind(draft: Draft, kind: (typeof KINDS)[number], parts: OverParts): Over | null {
  const { spec } = parts;
  switch (kind) {
    case 'tumbling': {
      const size = micros(spec.tumbling);
      return { kind: 'hopping', size, every: size };
    }
    case 'hopping':
      return hopping(draft, parts);
    case 'session':
      return session(draft, parts);
    case 'rows':
      return { kind: 'rows', rows: spec.rows ?? 1, within: micros(spec.within ?? ROWS_WITHIN) };
  }
}

function hopping(draft: Draft, { spec, spot }: OverParts): Over | null {
  if (spec.every === undefined) {
    draft.problems.error(spot.place, '"every" is missing', 'how often a window begins: every: 1m');
    return null;
  }
  const [size, every] = [micros(spec.hopping), micros(spec.every)];
  if (size % every === 0) return { kind: 'hopping', size, every };
  const message =
    every > size
      ? `windows of ${spec.hopping} every ${spec.every} would leave rows out between them`
      : `${spec.hopping} is not a whole number of times ${spec.every}`;
  draft.problems.error(spot.in('every').place, message, 'every window is made of whole steps of "every"');
  return null;
}

function session(draft: Draft, { spec, spot }: OverParts): Over | null {
  const [gap, within] = [micros(spec.session), micros(spec.within ?? SESSION_WITHIN)];
  if (gap < within) return { kind: 'session', gap, within };
  const [place, bound] =
    spec.within === undefined
      ? [
          spot.in('session').place,
          `${SESSION_WITHIN}, the most that a session holds unless "within" says more`,
        ]
      : [spot.in('within').place, `its "within", ${spec.within}`];
  const hint = 'write how long a session is at the most: { session: 2d, within: 30d }';
  draft.problems.error(place, `the gap of a session, ${spec.session}, is not below ${bound}`, hint);
  return null;
}

function micros(text: string | undefined): number {
  return parseDuration(text ?? '') ?? 0;
}
