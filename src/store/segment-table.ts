import { createHash } from 'node:crypto';

/** Qualified name of a segment table; the same as weir.segment_table of sql/001_control.sql. */
export function segmentTable(processorId: string, partition: number, generation: 0 | 1): string {
  return `weir.${segmentTableName(processorId, partition, generation)}`;
}

/** Slot names have only a-z, 0-9 and _, so that the name needs no quotes; 63 bytes at most. */
function segmentTableName(processorId: string, partition: number, generation: 0 | 1): string {
  if (!/^[a-z0-9_]{1,63}$/.test(processorId))
    throw new Error(`not a slot name: ${JSON.stringify(processorId)}`);
  const instance = processorId.length <= 40 ? processorId : `${processorId.slice(0, 31)}_${md5(processorId)}`;
  return `segments_${instance}_p${partition}_${generation}`;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex').slice(0, 8);
}
