import { expect, test } from 'vitest';
import { definitionOf } from '../../../../src/engine/cep/definition.ts';
import { type SavedLane, snapshot, takeDelta } from '../../../../src/engine/cep/journal.ts';
import type { Lane } from '../../../../src/engine/cep/lane.ts';
import { loadLane } from '../../../../src/engine/cep/load.ts';
import { play, rulesOf, told } from './support/letters.ts';

const steps = [{ a: {} }, { b: { contiguity: 'any' } }, { c: {} }];

function onlyLane(lanes: ReadonlyMap<string, Lane>): Lane {
  const [lane] = lanes.values();
  if (lane === undefined) throw new Error('there is no lane');
  return lane;
}

test('a row that several partial matches have taken is saved once', () => {
  const rules = rulesOf(steps);
  const saved = snapshot(onlyLane(play(rules, 'a1 a2 a3 b4').lanes));
  const text = JSON.stringify(saved);
  expect(text.match(/"00[0-9A-F.]{27}"/g)).toHaveLength(4);
  // Three a, and three that have taken b.
  expect(saved?.length === 10 ? saved[4].length / 5 : 0).toBe(6);
});

test('a delta follows what changed, not what the key holds', () => {
  const rules = rulesOf(steps);
  const text = (count: number) => Array.from({ length: count }, (_, i) => `a${i + 1}`).join(' ');
  const lanes = play(rules, text(500));
  const lane = onlyLane(lanes.lanes);
  expect(JSON.stringify(takeDelta(lane)).length).toBeGreaterThan(20_000);
  expect(takeDelta(lane)).toBeNull();
  lanes.play([{ event: 'e', at: 600, name: 'x', price: '1', key: '' }], { flush: false });
  expect(takeDelta(lane)).toBeNull();
  lanes.play([{ event: 'e', at: 601, name: 'a', price: '1', key: '' }], { flush: false });
  expect(JSON.stringify(takeDelta(lane)).length).toBeLessThan(250);
});

test('a lane that has come to nothing is saved as nothing, and starts again from the beginning', () => {
  const rules = rulesOf([{ a: {} }, { b: {} }]);
  const lanes = play(rules, 'a1');
  const lane = onlyLane(lanes.lanes);
  const first = takeDelta(lane) as SavedLane;
  lanes.play([{ event: 'e', at: 2, name: 'b', price: '1', key: '' }], { flush: false });
  expect([lane.empty, snapshot(lane)]).toEqual([true, null]);
  expect(takeDelta(lane)).toEqual([1, 1]);
  const loaded = loadLane(definitionOf(lanes.pattern), [first, [1, 1]]);
  expect([loaded.empty, loaded.nextId]).toEqual([true, 1]);
});

test('a lane of which nothing was ever saved leaves nothing behind', () => {
  const lane = onlyLane(play(rulesOf([{ a: {} }, { b: {} }]), 'a1 b2').lanes);
  expect([lane.empty, takeDelta(lane)]).toEqual([true, null]);
});

test('a new lane begins anew in saved state, whatever stood under its key before', () => {
  const rules = rulesOf([{ a: {} }, { b: {} }]);
  const older = takeDelta(onlyLane(play(rules, 'a1 a2').lanes)) as SavedLane;
  const lanes = play(rules, 'a3');
  const lane = onlyLane(lanes.lanes);
  const loaded = loadLane(definitionOf(lanes.pattern), [older, takeDelta(lane) as SavedLane]);
  expect(snapshot(loaded)).toEqual(snapshot(lane));
});

test('rows that wait and matches that wait are in saved state', () => {
  const rules = rulesOf([{ a: {} }, { b: { when: 'name == "b" && price == a.price' } }], {
    emit: 'in_order',
    events: { e: { table: 'e', time: 'at', lateness: '2ms', columns: { name: 'text', price: 'numeric' } } },
  });
  const between: NonNullable<Parameters<typeof play>[2]>['between'] = (lane, _key, definition) => {
    const saved = snapshot(lane);
    return loadLane(definition, saved === null ? [] : [JSON.parse(JSON.stringify(saved)) as SavedLane]);
  };
  const letters = 'a2/2 a1/1 b3/2 b4/1 x9 x10';
  const kept = told(play(rules, letters).matches);
  expect(kept).toEqual(['a:1 b:3', 'a:0 b:2']);
  expect(told(play(rules, letters, { between }).matches)).toEqual(kept);
});

test('state of another version is refused', () => {
  const { pattern } = play(rulesOf(steps), 'a1');
  const load = () => loadLane(definitionOf(pattern), [[2, 1]]);
  expect(load).toThrow('a saved lane has version 2, not 1');
});

test('over the cap the partial matches with the oldest first events go, and are counted', () => {
  const lanes = play(rulesOf([{ a: {} }, { b: {} }]), 'a1 a2 a3 a4 b5', { cap: 2 });
  expect([lanes.evicted, told(lanes.matches)]).toEqual([2, ['a:2 b:4', 'a:3 b:4']]);
});
