/** A seeded generator: the same seed makes the same people in the demo, and the same schedule in a test. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** In [0, below), whole. */
  int(below: number): number;
  pick<T>(of: readonly T[]): T;
}

/** mulberry32 (public domain): small, fast, good enough for test schedules. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return { next, int, pick: (of) => of[int(of.length)] as (typeof of)[number] };
}
