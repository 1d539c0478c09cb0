import type { Cell } from '../../events/row.ts';
import { distanceKm } from '../../rules/cel/functions/number.ts';
import type { WindowProgram } from '../program.ts';
import type { Question } from './question.ts';

const HOUR = 3_600_000_000;

/**
 * From the place of an entry to that of the row, in km/h: 0 where they are one place, infinite where they are two at one
 * time. null: one of them is not known.
 */
export function speedFrom(index: number, { plan }: WindowProgram, { row, entries }: Question): number | null {
  const [latitude = 0, longitude = 0] = plan.values;
  const [ownLatitude = 0, ownLongitude = 0] = plan.own;
  const from = place(entries.cell(index, latitude), entries.cell(index, longitude));
  const to = place(row.cells[ownLatitude], row.cells[ownLongitude]);
  if (from === null || to === null) return null;
  const distance = distanceKm(...from, ...to);
  return distance === 0 ? 0 : distance / ((row.at - (entries.times[index] as number)) / HOUR);
}

function place(latitude: Cell | undefined, longitude: Cell | undefined): [number, number] | null {
  if (typeof latitude !== 'string' || typeof longitude !== 'string') return null;
  const [lat, lon] = [Number(latitude), Number(longitude)];
  return Number.isFinite(lat) && Number.isFinite(lon) ? [lat, lon] : null;
}
