import { type AggregateSpec, startAggregate } from './aggregate.ts';
import type { Entries, Follower } from './entries.ts';

/** The aggregate that follows a key's entries, which begins when it is first asked for. */
export function followerOf(
  entries: Entries,
  specs: readonly AggregateSpec[],
  aggregate: number,
): Follower | undefined {
  const spec = specs[aggregate];
  if (spec === undefined) return undefined;
  if (entries.followers?.specs !== specs) entries.followers = { specs, list: specs.map(() => null) };
  const { list } = entries.followers;
  const follower = list[aggregate] ?? startAggregate(spec);
  list[aggregate] = follower;
  return follower;
}
