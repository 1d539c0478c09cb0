import type { SourceIdentity } from '../store/control.ts';

/** Two Weirs on one server never meet: system, database and slot are in the names of the queues. */
export function queueInstance({
  systemIdentifier,
  database,
  slot,
}: Pick<SourceIdentity, 'systemIdentifier' | 'database' | 'slot'>): string {
  return `${systemIdentifier}-${database}-${slot}`;
}
