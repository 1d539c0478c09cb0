import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VersionedList } from '../../../src/store/versioned-list.ts';

/** What is put in or taken out, revision by revision: of a value that is in the list, that it is taken out. */
const edits = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });

/** What is in the list after each revision; the first is before any. */
function statesOf(values: readonly string[]): ReadonlySet<string>[] {
  const states = [new Set<string>()];
  for (const value of values) {
    const next = new Set(states.at(-1));
    if (!next.delete(value)) next.add(value);
    states.push(next);
  }
  return states;
}

function toggleOf(states: readonly ReadonlySet<string>[], revision: number, value: string): number {
  return states[revision]?.has(value) === true ? revision : -revision;
}

function expectToBe(list: VersionedList, states: readonly ReadonlySet<string>[], from: number): void {
  for (let revision = from; revision < states.length; revision++) {
    const at = list.at(revision);
    for (const value of ['a', 'b', 'c', 'd', 'e'])
      expect(at?.has(value), `${value} at ${revision}`).toBe(states[revision]?.has(value));
    expect([...(at?.values() ?? [])].sort()).toEqual([...(states[revision] ?? [])].sort());
  }
}

describe('a list with its past', () => {
  test('is at each revision what the changes up to there add up to, wherever it was loaded and forgets', () => {
    const drawn = fc.record({ values: edits, base: fc.nat(30), loadedAt: fc.nat(30), forgotten: fc.nat(30) });
    fc.assert(
      fc.property(drawn, ({ values, base, loadedAt, forgotten }) => {
        const states = statesOf(values);
        const last = values.length;
        const loaded = Math.min(loadedAt, last);
        const from = Math.min(base, loaded);
        const list = new VersionedList(0, states[loaded]);
        const changes = values.map((value, i) => ({ value, toggle: toggleOf(states, i + 1, value) }));
        for (const { value, toggle } of changes.slice(from, loaded)) list.rewind(value, toggle);
        for (const { value, toggle } of changes.slice(loaded)) list.change(value, toggle);
        expectToBe(list, states, from);
        list.forgetBefore(Math.max(from, Math.min(forgotten, last)));
        expectToBe(list, states, Math.max(from, Math.min(forgotten, last)));
      }),
    );
  });

  test('takes a change that is told again as one', () => {
    const list = new VersionedList(0);
    for (let round = 0; round < 2; round++) for (const toggle of [1, -2, 3]) list.change('a', toggle);
    expect([0, 1, 2, 3].map((revision) => list.at(revision)?.has('a'))).toEqual([false, true, false, true]);
    list.forgetBefore(3);
    expect([...(list.at(3)?.values() ?? [])]).toEqual(['a']);
  });

  test('is nobody’s business before it was made', () => {
    const list = new VersionedList(5, ['a']);
    expect([list.at(4), list.at(5)?.has('a')]).toEqual([null, true]);
  });
});
