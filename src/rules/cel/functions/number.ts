import { type Signature, signature, strict } from '../signature.ts';

/** The mean radius of the Earth (IUGG), in kilometres. */
const EARTH_RADIUS_KM = 6371.0088;

/** By haversine, in kilometres; arguments in degrees. */
export function distanceKm(...[lat1, lon1, lat2, lon2]: [number, number, number, number]): number {
  const radians = Math.PI / 180;
  const byLatitude = Math.sin(((lat2 - lat1) * radians) / 2) ** 2;
  const byLongitude = Math.sin(((lon2 - lon1) * radians) / 2) ** 2;
  const h = byLatitude + Math.cos(lat1 * radians) * Math.cos(lat2 * radians) * byLongitude;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Halves go away from zero, as PostgreSQL's numeric. */
function round(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/** CEL has no functions of any number of arguments. */
const MOST_ARGUMENTS = 16;

function variadic(name: string, apply: (...values: number[]) => number): Signature[] {
  return Array.from({ length: MOST_ARGUMENTS - 1 }, (_, index) =>
    signature(
      `${name}(${Array(index + 2)
        .fill('double')
        .join(', ')}): double`,
      strict(apply),
      { own: true },
    ),
  );
}

export const NUMBER_FUNCTIONS: readonly Signature[] = [
  signature('distance_km(double, double, double, double): double', strict(distanceKm), { own: true }),
  signature(
    'abs(double): double',
    strict((value: number) => Math.abs(value)),
    { own: true },
  ),
  signature('round(double): double', strict(round), { own: true }),
  ...variadic('min', Math.min),
  ...variadic('max', Math.max),
];
