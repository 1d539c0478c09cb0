import { z } from 'zod';
import { column, columns, condition, name, positiveDuration, strict } from './schema-parts.ts';

/** A window of rows that looks at more of them is a window of time. */
const MOST_ROWS = 10_000;

export const by = z.union([columns, z.record(z.string(), columns)], {
  error: 'expected a column, a list of columns, or a map of events and their columns',
});

/** Which of these go together is for `checkOver` to say. */
export const overShape = {
  tumbling: positiveDuration.optional(),
  hopping: positiveDuration.optional(),
  every: positiveDuration.optional(),
  session: positiveDuration.optional(),
  rows: z
    .int({ error: 'expected a whole number of rows' })
    .min(1, { error: 'a window of rows holds one at least' })
    .max(MOST_ROWS, { error: `a window holds ${MOST_ROWS} rows at the most: use a time` })
    .optional(),
  within: positiveDuration.optional(),
};

const over = z.union([positiveDuration, strict(overShape)], {
  error:
    'expected a duration (1h), or { tumbling: 1h }, { hopping: 10m, every: 1m }, { session: 30m }, { rows: 10 }',
});

const percent = z
  .number({ error: 'a percentile is a number from 0 to 100' })
  .min(0, { error: 'a percentile is a number from 0 to 100' })
  .max(100, { error: 'a percentile is a number from 0 to 100' });

/** By function; then what every window takes. */
export const windowShape = {
  count: name.optional(),
  sum: column.optional(),
  avg: column.optional(),
  stddev: column.optional(),
  min: column.optional(),
  max: column.optional(),
  percentile: z
    .tuple([column, percent], { error: 'a percentile is of a column and a number: [amount, 95]' })
    .optional(),
  distinct: column.optional(),
  first: column.optional(),
  last: column.optional(),
  previous: column.optional(),
  list: column.optional(),
  speed_kmh: z
    .tuple([column, column], { error: 'a speed is of two columns, in degrees: [latitude, longitude]' })
    .optional(),
  first_seen: column.optional(),
  by,
  over,
  when: condition.optional(),
  current: z.boolean({ error: 'current is true or false' }).optional(),
};

export const windowSchema = strict(windowShape);

export type BySpec = z.infer<typeof by>;
export type OverSpec = z.infer<typeof over>;
export type WindowSpec = z.infer<typeof windowSchema>;
