import { z } from 'zod';
import { column, columns, id, name, positiveDuration, strict } from './schema-parts.ts';

/** `aggregates:` of the rule language (shared/spec/rules.md, "Real-time data"). */

export const MEASURES = ['sum', 'avg', 'min', 'max'] as const;

const A_MEASURE = `a measure is count, latency, effect_latency, or one of ${MEASURES.join(', ')} of a column, as in { avg: amount }`;

const measureSchema = z.union(
  [
    z.enum(['count', 'latency', 'effect_latency']),
    strict({
      sum: column.optional(),
      avg: column.optional(),
      min: column.optional(),
      max: column.optional(),
    }),
  ],
  { error: A_MEASURE },
);

export const aggregationSchema = strict({
  id,
  description: z.string().optional(),
  event: z.union([z.literal('*'), name], { error: "expected an event, or '*' for every captured row" }),
  by: columns.optional(),
  every: positiveDuration,
  keep: positiveDuration.optional(),
  measures: z
    .record(name, measureSchema, { error: 'expected a map of names and their measures' })
    .refine((measures) => Object.keys(measures).length > 0, { error: 'there are no measures' }),
});

export type AggregationSpec = z.infer<typeof aggregationSchema>;
export type MeasureSpec = z.infer<typeof measureSchema>;
