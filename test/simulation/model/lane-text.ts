import type { SavedLane } from '../../../src/engine/cep/journal.ts';

/**
 * A saved lane (a key stands for itself) in a form that its numbers do not show in: they depend on which rows had to
 * wait for W, and so on when a partition was told of it.
 */
export function laneText(saved: string | SavedLane): unknown {
  if (typeof saved === 'string' || saved.length === 2) return saved;
  const [, , , rows, partials, , pending, , finished] = saved;
  const positions = new Map(rows.map(([seq, table, , position]) => [seq, `${table} ${position}`]));
  const places = new Map<number, number>();
  const told: unknown[] = [];
  for (let i = 0; i < partials.length; i += 5) {
    const [id, parent, seq, step, stage] = partials.slice(i, i + 5) as [
      number,
      number,
      number,
      number,
      string,
    ];
    places.set(id, places.size + 1);
    told.push([places.get(parent) ?? 0, positions.get(seq), step, stage]);
  }
  const waiting: unknown[] = [];
  for (let i = 0; i < pending.length; i += 2)
    waiting.push([positions.get(pending[i] as number), pending[i + 1]]);
  return { told, waiting, finished: finished.map(([id, , at, lets]) => [places.get(id), at, lets]) };
}
