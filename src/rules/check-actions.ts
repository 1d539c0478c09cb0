import { checkColumns, planBy } from './check-by.ts';
import type { EventInfo } from './check-events.ts';
import type { Draft } from './draft.ts';
import { parseDuration } from './duration.ts';
import { nearest } from './nearest.ts';
import type { Action, BlockPlan } from './plan-parts.ts';
import { didYouMean } from './problem.ts';
import type { Spot } from './yaml-document.ts';

/** Each action once, webhooks looked up among those of weir.yaml (where it is known). */
export function checkActions(draft: Draft, names: readonly string[], spot: Spot): Action[] {
  const { webhooks } = draft.world;
  return names.flatMap((name, index): Action[] => {
    if (names.indexOf(name) !== index) {
      draft.problems.error(spot.in(index).place, `action "${name}" is here twice`);
      return [];
    }
    if (name === 'alert' || name === 'flag' || name === 'block') return [{ kind: name }];
    const webhook = name.slice('webhook:'.length);
    if (webhooks !== null && !webhooks.includes(webhook)) {
      const hint =
        didYouMean(nearest(webhook, webhooks)) ??
        `write it there: webhooks: { ${webhook}: { url: …, secret: … } }`;
      draft.problems.error(spot.in(index).place, `weir.yaml has no webhook "${webhook}"`, hint);
      return [];
    }
    return [{ kind: 'webhook', name: webhook }];
  });
}

interface BlockSpec {
  readonly by: string | readonly string[];
  readonly for: string;
}

interface BlockParts {
  readonly event: EventInfo;
  /** Where `block:` is, or would be. */
  readonly spot: Spot;
  /** Some action is `block`, at this place. */
  readonly action: Spot | null;
}

/** The action `block` needs to know who and how long; `block:` without the action does nothing. */
export function checkBlock(draft: Draft, spec: BlockSpec | undefined, parts: BlockParts): BlockPlan | null {
  const { event, spot, action } = parts;
  if (spec === undefined) {
    if (action !== null) {
      draft.problems.error(
        action.place,
        'the action block needs "block"',
        'write who and how long: block: { by: user_id, for: 24h }',
      );
    }
    return null;
  }
  if (action === null) {
    draft.problems.warning(
      spot.key,
      '"block" does nothing without the action block',
      'write actions: [block]',
    );
  }
  const names = checkColumns(draft, spec.by, { event, spot: spot.in('by') });
  if (names === null) return null;
  return { by: planBy(draft, event, names), forMicros: parseDuration(spec.for) ?? 0 };
}
