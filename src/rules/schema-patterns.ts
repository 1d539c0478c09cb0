import { z } from 'zod';
import {
  alertShape,
  column,
  columns,
  condition,
  effectShape,
  id,
  name,
  positiveDuration,
  score,
  strict,
} from './schema-parts.ts';

/** `patterns:` of the rule language (shared/spec/rules.md, "Patterns"). What the parts mean together is checked later. */

export const CONTIGUITIES = ['strict', 'relaxed', 'any'] as const;
const TIMES = 'times is a number (3), a range (2..4), or a number and more (1+)';

export interface StepSpec {
  readonly event?: string | undefined;
  readonly when?: string | undefined;
  readonly contiguity?: (typeof CONTIGUITIES)[number] | undefined;
  readonly times?: number | string | undefined;
  readonly optional?: boolean | undefined;
  readonly greedy?: boolean | undefined;
  readonly loop?: (typeof CONTIGUITIES)[number] | undefined;
  readonly gap?: string | undefined;
  readonly until?: string | undefined;
  readonly not?: boolean | undefined;
  readonly within?: string | undefined;
  readonly steps?: StepEntry[] | undefined;
  readonly description?: string | undefined;
}

/** A map of one name. */
export type StepEntry = Record<string, StepSpec>;

const times = z.union(
  [
    z.int({ error: TIMES }).min(1, {
      error: ({ input }) => `times counts from 1, and this is ${input}: optional: true allows none`,
    }),
    z.string({ error: TIMES }).regex(/^\d{1,9}(\+|\.\.\d{1,9})$/, { error: TIMES }),
  ],
  { error: TIMES },
);

const flag = (key: string) => z.boolean({ error: `${key} is true or false` }).optional();

const stepSchema: z.ZodType<StepSpec> = z.lazy(() => strict(stepShape));

const stepsSchema: z.ZodType<StepEntry[]> = z
  .lazy(() =>
    z
      .array(
        z
          .record(name, stepSchema, { error: 'a step is a map of its name: - login: { event: login }' })
          .meta({ minProperties: 1, maxProperties: 1 }),
        { error: 'expected a list of steps: begin each with a dash' },
      )
      .min(1, { error: 'this list of steps is empty' }),
  )
  .meta({ id: 'steps' });

export const stepShape = {
  event: name.optional(),
  when: condition.optional(),
  contiguity: z.enum(CONTIGUITIES).optional(),
  times: times.optional(),
  optional: flag('optional'),
  greedy: flag('greedy'),
  loop: z.enum(CONTIGUITIES).optional(),
  gap: positiveDuration.optional(),
  until: condition.optional(),
  not: flag('not'),
  within: positiveDuration.optional(),
  steps: stepsSchema.optional(),
  description: z.string().optional(),
};

const aggregateSchema = strict({
  sum: column.optional(),
  avg: column.optional(),
  min: column.optional(),
  max: column.optional(),
  distinct: column.optional(),
  count: name.optional(),
  changed: column.optional(),
});

const letSchema = z.record(
  name,
  z.union([condition, aggregateSchema], {
    error: 'expected { sum: STEP.column }, { count: STEP }, { changed: column }, or CEL as text',
  }),
  { error: 'expected a map of names and their values' },
);

const AFTER = 'no_skip, skip_to_next, skip_past_last, { skip_to_first: STEP } or { skip_to_last: STEP }';

const afterMatch = z.union(
  [
    z.enum(['no_skip', 'skip_to_next', 'skip_past_last']),
    strict({ skip_to_first: name.optional(), skip_to_last: name.optional() }),
  ],
  { error: `after_match is ${AFTER}` },
);

/** `tests` stand beside it in schema.ts. */
export const patternShape = {
  id,
  description: z.string().optional(),
  by: z
    .union([columns, z.record(name, columns)], {
      error: 'expected a column, a list of columns, or a map of steps and their columns',
    })
    .optional(),
  input: z.array(name).min(1, { error: 'this list of events is empty' }).optional(),
  steps: stepsSchema,
  within: positiveDuration.optional(),
  let: letSchema.optional(),
  when: condition.optional(),
  unless: condition.optional(),
  after_match: afterMatch.optional(),
  emit: z.enum(['at_once', 'in_order']).optional(),
  on_timeout: strict({
    ...alertShape,
  }).optional(),
  score,
  score_on: name.optional(),
  ...effectShape,
};

export type AggregateSpec = z.infer<typeof aggregateSchema>;
