import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SavedLane, snapshot, takeDelta } from '../../../../src/engine/cep/journal.ts';
import { loadLane } from '../../../../src/engine/cep/load.ts';
import { advance } from '../../../../src/engine/cep/receive.ts';
import {
  type Letter,
  letters,
  type PatternText,
  patternText,
  ruleFile,
} from '../../../support/cep/arbitrary.ts';
import { compiled } from '../../../support/cep/compiled.ts';
import { type EngineOptions, engineMatches } from '../../../support/cep/engine-adapter.ts';
import { type Line, rowsOf } from '../../../support/cep/rows.ts';
import { told } from '../../../support/cep/told.ts';

const numRuns = Number(process.env['WEIR_FUZZ_RUNS'] ?? 400);
/** Whether something happens: before each of eight rows, and at the end. */
const whether = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });

describe('the engine finds the same matches of a pattern', () => {
  test('when batches end anywhere, and other keys learn of a row’s time only then', () => {
    holds(whether, (run, ends) => run({ tells: (row) => ends[row] === true }));
  });

  test('when time moves anywhere between two rows', () => {
    const micros = fc.constantFrom(0, 1, 1000, 2000, 5000);
    holds(fc.array(micros, { minLength: 9, maxLength: 9 }), (run, moves) =>
      run({
        between: (lane, { row, definition, from, to, sink }) => {
          const watermark = Math.min(from + (moves[row] ?? 0), to);
          advance(definition, lane, { watermark, sink });
          return lane;
        },
      }),
    );
  });

  test('when state is saved as snapshots and loaded, anywhere', () => {
    holds(whether, (run, loads) =>
      run({
        between: (lane, { row, definition }) => {
          if (loads[row] !== true) return lane;
          const saved = snapshot(lane);
          return loadLane(definition, saved === null ? [] : [stored(saved)]);
        },
      }),
    );
  });

  test('when state is saved as deltas after each batch, and loaded anywhere', () => {
    holds(fc.tuple(whether, whether), (run, [saves, loads]) => {
      const journals = new Map<string, SavedLane[]>();
      return run({
        between: (lane, { row, key, definition }) => {
          if (saves[row] !== true) return lane;
          const journal = journals.get(key) ?? [];
          journals.set(key, journal);
          const delta = takeDelta(lane);
          if (delta !== null) journal.push(stored(delta));
          return loads[row] === true ? loadLane(definition, journal) : lane;
        },
      });
    });
  });

  test('when events that satisfy nothing are added to a pattern without strict contiguity', () => {
    const added = fc.array(fc.record({ after: fc.nat(7), key: fc.constantFrom('k', 'l') }), { maxLength: 5 });
    const pattern = patternText({ selective: true });
    const same = fc.property(pattern, letters(), added, fc.boolean(), (text, lines, more, flush) => {
      const numbered = lines.map((line, number) => ({ ...line, number }));
      const mixed = numbered.flatMap((line, index) => [
        line,
        ...more
          .filter(({ after }) => after % lines.length === index)
          .map(({ key }) => ({ at: line.at, name: 'x', price: 1, key, number: -1 })),
      ]);
      expect(matches(text, mixed, { flush })).toEqual(matches(text, numbered, { flush }));
    });
    fc.assert(same, { numRuns });
  });

  test('when keys have other names', () => {
    const names = fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 2 });
    const same = fc.property(patternText(), letters(), names, fc.boolean(), (text, lines, [k, l], flush) => {
      const numbered = lines.map((line, number) => ({ ...line, number }));
      const renamed = numbered.map((line) => ({ ...line, key: (line.key === 'k' ? k : l) ?? '' }));
      const plain = (all: readonly string[]) =>
        all.map((match) => match.slice(match.lastIndexOf(': ') + 2)).sort();
      expect(plain(matches(text, renamed, { flush }))).toEqual(plain(matches(text, numbered, { flush })));
    });
    fc.assert(same, { numRuns });
  });

  test('when rows of different times come out of order within lateness', () => {
    const lateness = fc.integer({ min: 1, max: 6 });
    const delays = fc.array(fc.nat(6), { minLength: 8, maxLength: 8 });
    const lines = letters({ distinct: true });
    const same = fc.property(patternText(), lines, lateness, delays, fc.boolean(), (...drawn) => {
      const [text, events, latenessMs, lags, flush] = drawn;
      const numbered = events.map((line, number) => ({ ...line, number }));
      const arrival = ({ at, number }: { at: number; number: number }) =>
        at + Math.min(lags[number] ?? 0, latenessMs);
      const shuffled = numbered.toSorted((a, b) => arrival(a) - arrival(b));
      expect(matches(text, shuffled, { flush }, latenessMs)).toEqual(matches(text, numbered, { flush }));
    });
    fc.assert(same, { numRuns });
  });
});

/** Whatever `how` does with what was drawn, the matches are those of a plain run. */
function holds<T>(
  arbitrary: fc.Arbitrary<T>,
  how: (run: (options: Omit<EngineOptions, 'flush'>) => readonly string[], drawn: T) => readonly string[],
): void {
  const same = fc.property(patternText(), letters(), arbitrary, fc.boolean(), (text, lines, drawn, flush) => {
    const numbered = lines.map((line, number) => ({ ...line, number }));
    const found = how((options) => matches(text, numbered, { ...options, flush }), drawn);
    expect(found).toEqual(matches(text, numbered, { flush }));
  });
  fc.assert(same, { numRuns });
}

type Numbered = Letter & { readonly number: number };

function matches(
  pattern: PatternText,
  lines: readonly Numbered[],
  options: EngineOptions,
  latenessMs = 0,
): readonly string[] {
  const rules = compiled(ruleFile(pattern, latenessMs));
  const found = engineMatches(rules, rowsOf(rules.plan, lines), options);
  return told(rules, { matches: found, lines }, (line: Line) => Number(line['number']));
}

function stored(saved: SavedLane): SavedLane {
  return JSON.parse(JSON.stringify(saved)) as SavedLane;
}
