import type { EventInfo } from './check-events.ts';
import type { Draft } from './draft.ts';
import { nearest } from './nearest.ts';
import type { MessageTemplate } from './plan-parts.ts';
import { didYouMean } from './problem.ts';
import type { Spot } from './yaml-document.ts';

export type Piece = MessageTemplate[number];

export interface MessageParts {
  readonly spot: Spot;
  /** What stands between braces, and its offset in the text; null: told. */
  readonly piece: (name: string, offset: number) => Piece | null;
}

/** `{name}` is a column or a `let` of a rule. */
export function checkMessage(
  draft: Draft,
  text: string,
  { event, lets, spot }: { readonly event: EventInfo; readonly lets: readonly string[]; readonly spot: Spot },
): MessageTemplate {
  const piece = (name: string, offset: number) =>
    value(draft, name, { event, lets, place: () => spot.within(offset), spot });
  return checkTemplate(draft, text, { spot, piece });
}

/** `{…}` is a value; `{{` and `}}` are braces. */
export function checkTemplate(draft: Draft, text: string, { spot, piece }: MessageParts): MessageTemplate {
  const pieces: Piece[] = [];
  let literal = '';
  let end = 0;
  const flush = () => {
    if (literal !== '') pieces.push({ kind: 'text', text: literal });
    literal = '';
  };
  for (const match of text.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g)) {
    literal += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '{{' || match[0] === '}}') literal += match[0][0];
    else if (match[1] === undefined) {
      draft.problems.error(
        spot.within(match.index),
        `"${match[0]}" in a message stands alone`,
        `write ${match[0]}${match[0]}`,
      );
    } else {
      flush();
      const found = piece(match[1].trim(), match.index + 1 + (match[1].length - match[1].trimStart().length));
      if (found !== null) pieces.push(found);
    }
  }
  literal += text.slice(end);
  flush();
  return pieces;
}

interface ValueParts {
  readonly event: EventInfo;
  readonly lets: readonly string[];
  readonly place: () => ReturnType<Spot['within']>;
  readonly spot: Spot;
}

function value(draft: Draft, name: string, { event, lets, place, spot }: ValueParts): Piece | null {
  const index = lets.indexOf(name);
  if (index >= 0) return { kind: 'let', index };
  if (event.table.columns.has(name)) {
    return { kind: 'column', column: draft.column(event.table, name, spot) ?? 0 };
  }
  if (/^old\./.test(name)) {
    const hint = `name it in the rule's let, as in let: { before: ${name} }, and write {before}`;
    draft.problems.error(place(), `"{${name}}": a message names columns and lets`, hint);
    return null;
  }
  const near = nearest(name, [...lets, ...event.table.columns.keys()]);
  draft.problems.error(
    place(),
    `"{${name}}" is neither a column of ${event.name} nor a let of this rule`,
    didYouMean(near),
  );
  return null;
}
