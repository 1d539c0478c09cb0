import { z } from 'zod';
import { type Batch, batchSchema } from '../events/batch.ts';
import type { BatchReport } from './queue.ts';

/** The only name of our jobs. */
export const JOB_NAME = 'batch';
/** Finished jobs that the board can show, by partition; without their rows (see `BatchSummary`). */
export const KEEP_FINISHED = 100;

/** What a finished job keeps in place of its batch, and its return value: all that the board shows of it. */
export interface BatchSummary extends BatchReport {
  readonly epoch: number;
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  readonly bytes: number;
  readonly rules: string;
}

export function summarize(batch: Batch, report: BatchReport): BatchSummary {
  const { epoch, from, to, rows, bytes, rules } = batch;
  return { ...report, epoch, from, to, rows, bytes, rules };
}

/** Queue names are unique to an instance, so that two Weirs on one server never meet. */
export function queueName(instance: string, partition: number): string {
  return `weir-${safeName(instance)}-p${partition}`;
}

/** As a part of a queue's name: BullMQ refuses `:` there, and the board decodes `%` once too often. */
export function safeName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_.-]/gu, (char) => `~${char.codePointAt(0)?.toString(16)}~`);
}

/**
 * Rows are checked for being arrays, and no deeper: `batchSchema` looks at each cell, which costs as much
 * as parsing the JSON did, and `decodeRow` refuses what it cannot read.
 */
const envelopeSchema = batchSchema.extend({
  events: z.custom<Batch['events']>((value) => Array.isArray(value) && value.every(Array.isArray)),
});

const summarySchema = z.object({
  outcome: z.enum(['committed', 'no-op', 'stale-epoch', 'gap', 'lost']),
  hits: z.int(),
  alerts: z.int(),
  deadLetters: z.int(),
  epoch: z.int(),
  from: z.string(),
  to: z.string(),
  rows: z.int(),
  bytes: z.int(),
  rules: z.string(),
});

export type JobData =
  | { readonly kind: 'batch'; readonly batch: Batch }
  /** The batch was handled, but its completion never arrived: there is nothing left to do. */
  | { readonly kind: 'handled'; readonly summary: BatchSummary }
  | { readonly kind: 'malformed'; readonly reason: string };

/** A job's data is bytes from outside until this has looked at it. */
export function decodeJobData(data: unknown): JobData {
  const batch = envelopeSchema.safeParse(data);
  if (batch.success) return { kind: 'batch', batch: batch.data };
  const summary = summarySchema.safeParse(data);
  if (summary.success) return { kind: 'handled', summary: summary.data };
  return { kind: 'malformed', reason: z.prettifyError(batch.error) };
}
