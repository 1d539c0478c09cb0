/**
 * PostgreSQL's percentile_cont of sorted numbers: between the two values beside the place, in proportion. `percent` is
 * from 0 to 100; null without values.
 */
export function percentileOf(percent: number, size: number, at: (index: number) => number): number | null {
  if (size === 0) return null;
  const place = (percent / 100) * (size - 1);
  const below = Math.floor(place);
  const low = at(below);
  const above = Math.ceil(place);
  return above === below ? low : low + (place - below) * (at(above) - low);
}

/** -0 is 0, or which of the two a percentile is would depend on what came first. */
export function numberOf(text: string): number {
  return Number(text) + 0;
}

/** In PostgreSQL's order, NaN last. */
export function sortNumbers(values: number[]): number[] {
  return values.sort((a, b) => {
    if (a < b) return -1;
    if (a > b) return 1;
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  });
}
