import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Definition } from '../../../../src/engine/cep/definition.ts';
import { type SavedLane, snapshot, takeDelta } from '../../../../src/engine/cep/journal.ts';
import type { Lane } from '../../../../src/engine/cep/lane.ts';
import { loadLane } from '../../../../src/engine/cep/load.ts';
import { asSet, Lanes, type Line, type Options, type Steps } from './support/lanes.ts';

/** See README.md beside the cases in shared/cep-cases. */
interface Case {
  readonly id: string;
  readonly rules: string;
  readonly events: readonly Line[];
  readonly flush: boolean;
  readonly expected: readonly Steps[];
  readonly timeouts?: readonly Steps[];
  readonly late?: readonly number[];
  readonly error?: string;
  readonly oddity?: boolean;
}

const folder = new URL('../../../fixtures/cep-cases/', import.meta.url);
const cases = ['suite', 'generated'].flatMap(
  (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Case[],
);
const agreeing = cases.filter(({ error, oddity }) => error === undefined && oddity !== true);

function agrees(flink: Case, options: Options = {}): void {
  const lanes = new Lanes(flink.rules, options).play(flink.events, flink);
  expect([flink.id, asSet(lanes.matches)]).toEqual([flink.id, once(asSet(flink.expected))]);
  expect([flink.id, asSet(lanes.timeouts)]).toEqual([flink.id, once(asSet(flink.timeouts ?? []))]);
  expect([flink.id, lanes.late]).toEqual([flink.id, flink.late ?? []]);
  expect([flink.id, lanes.failures]).toEqual([flink.id, []]);
}

describe('the cases made with Flink', () => {
  test('give the same matches, each once, the same timeouts and the same late rows', () => {
    expect(agreeing.length).toBeGreaterThan(600);
    for (const flink of agreeing) agrees(flink);
  });

  test('give the same when lanes are saved as snapshots and loaded before every row', () => {
    for (const flink of agreeing) agrees(flink, { between: throughSnapshot });
  });

  test('give the same when lanes are loaded from deltas before every row, and these make the same snapshot', () => {
    for (const flink of agreeing) agrees(flink, { between: throughDeltas() });
  });
});

/** The cases are sets, though some name a match as often as Flink gives it. */
function once(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function throughSnapshot(lane: Lane, _key: string, definition: Definition): Lane {
  const saved = snapshot(lane);
  return loadLane(definition, saved === null ? [] : [parsed(saved)]);
}

function throughDeltas(): NonNullable<Options['between']> {
  const journals = new Map<string, SavedLane[]>();
  return (lane, key, definition) => {
    const pieces = journals.get(key) ?? [];
    journals.set(key, pieces);
    const delta = takeDelta(lane);
    if (delta !== null) pieces.push(parsed(delta));
    expect(takeDelta(lane)).toBeNull();
    const loaded = loadLane(definition, pieces);
    expect(snapshot(loaded)).toEqual(snapshot(lane));
    return loaded;
  };
}

function parsed(saved: SavedLane): SavedLane {
  return JSON.parse(JSON.stringify(saved)) as SavedLane;
}
