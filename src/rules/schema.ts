import { z } from 'zod';
import {
  action,
  blockSchema,
  column,
  columns,
  condition,
  duration,
  effectShape,
  id,
  name,
  notYet,
  positiveDuration,
  score,
  strict,
} from './schema-parts.ts';
import { patternShape } from './schema-patterns.ts';
import { aggregationSchema } from './schema-realtime.ts';
import { windowSchema } from './schema-windows.ts';

/** The rule language (shared/spec/rules.md) as far as this version has it. Types come from here, and `weir schema`. */

const OPS = ['insert', 'update', 'delete', 'truncate'] as const;

const columnType = z.union(
  [
    z.string({ error: 'a column type is text, as in int8' }).min(1, { error: 'this type is empty' }),
    strict({ type: z.string().min(1), pii: z.enum(['mask', 'hash', 'drop']).optional() }),
  ],
  { error: 'expected a PostgreSQL type, or { type: …, pii: mask | hash | drop }' },
);

export const eventSchema = strict({
  table: z.string({ error: 'a table is named by text, as in public.orders' }).min(1).optional(),
  from: name.optional(),
  when: condition.optional(),
  ops: z.array(z.enum(OPS)).min(1, { error: 'this list of operations is empty' }).optional(),
  time: column.optional(),
  lateness: duration.optional(),
  ahead: duration.optional(),
  idle: positiveDuration.optional(),
  id: columns.optional(),
  columns: z
    .record(z.string(), columnType, { error: 'expected a map of columns and their types' })
    .optional(),
  description: z.string().optional(),
});

const listEntries = z.array(
  z.union([z.string(), z.number(), z.boolean()], { error: 'an entry is text or a number' }),
);

export const listSchema = strict({
  values: listEntries,
  description: z.string().optional(),
});

const letSchema = z.record(
  name,
  z.union([condition, windowSchema], {
    error: 'expected a window ({ count: …, by: …, over: … }) or CEL as text',
  }),
  { error: 'expected a map of names and their windows' },
);

const count = z.int({ error: 'expected a whole number' }).min(0, { error: 'expected 0 or more' });
const counts = z.union([count, z.record(z.string(), count)], {
  error: 'expected a number, or a map of rules and numbers',
});
const instant = z.union([z.string(), z.number()], { error: 'expected an offset (20s) or a timestamp' });

const expectedRow = strict({
  hits: counts.optional(),
  alerts: counts.optional(),
  score: z.number().optional(),
  band: z.string().nullable().optional(),
});

const testSchema = strict({
  name: z.string({ error: 'a test has a name' }),
  event: name.optional(),
  /** In place of what the lists of the files hold at first. */
  lists: z.record(name, listEntries).optional(),
  events: z
    .array(
      z.looseObject({
        event: name.optional(),
        at: instant.optional(),
        repeat: z.int({ error: 'expected a whole number' }).min(1).max(1_000_000).optional(),
        every: duration.optional(),
        op: z.enum(OPS).optional(),
        old: z.looseObject({}).optional(),
      }),
      { error: 'expected a list of rows' },
    )
    .min(1, { error: 'a test has at least one event' }),
  expect: strict({
    hits: counts.optional(),
    alerts: counts.optional(),
    score: z.number().optional(),
    band: z.string().nullable().optional(),
    first_at: instant.optional(),
    at: z
      .record(
        z.string().regex(/^[1-9]\d*$/, { error: 'rows are named by their numbers, from 1' }),
        expectedRow,
      )
      .optional(),
    timeouts: counts.optional(),
  }),
});

export const ruleSchema = strict({
  id,
  description: z.string().optional(),
  event: name,
  key: columns.optional(),
  let: letSchema.optional(),
  when: condition.optional(),
  unless: condition.optional(),
  score,
  ...effectShape,
  guard: z.boolean({ error: 'guard is true or false' }).optional(),
  tests: z.array(testSchema, { error: 'expected a list of tests' }).optional(),
});

export const scoringSchema = strict({
  combine: z.enum(['sum', 'max']).optional(),
  bands: z.record(
    name,
    z.number({ error: 'a bound is a number' }).min(0, { error: 'a bound is 0 or more' }),
    {
      error: 'expected a map of bands and their bounds',
    },
  ),
  actions: z.record(z.string(), z.array(action)).optional(),
  block: blockSchema.optional(),
  description: z.string().optional(),
});

/** A pattern with its tests, whose rows are those of rules. */
const testedPattern = strict({
  ...patternShape,
  tests: z.array(testSchema, { error: 'expected a list of tests' }).optional(),
});

export const sections = {
  events: z.record(name, eventSchema),
  lists: z.record(name, listSchema),
  rules: z.array(ruleSchema),
  patterns: z.array(testedPattern),
  scoring: z.record(name, scoringSchema),
  aggregates: z.array(aggregationSchema),
  tests: z.array(testSchema),
};

export const LATER_SECTIONS = ['rankings', 'correlations', 'anomalies'] as const;

const ruleFileSchema = strict({
  version: z.literal(1, { error: 'this version reads version: 1' }),
  events: sections.events.optional(),
  lists: sections.lists.optional(),
  rules: sections.rules.optional(),
  patterns: sections.patterns.optional(),
  scoring: sections.scoring.optional(),
  tests: sections.tests.optional(),
  aggregates: sections.aggregates.optional(),
  rankings: notYet('rankings'),
  correlations: notYet('correlations'),
  anomalies: notYet('anomalies'),
});

export type EventSpec = z.infer<typeof eventSchema>;
export type ListSpec = z.infer<typeof listSchema>;
export type RuleSpec = z.infer<typeof ruleSchema>;
export type PatternSpec = z.infer<typeof testedPattern>;
export type ScoringSpec = z.infer<typeof scoringSchema>;
export type TestSpec = z.infer<typeof testSchema>;

export { ruleFileSchema, testSchema };

/** What `weir schema` prints: JSON Schema draft-07, for editors. */
export function ruleSchemaJson(): Record<string, unknown> {
  const schema = z.toJSONSchema(ruleFileSchema, { target: 'draft-7', io: 'output', unrepresentable: 'any' });
  return { ...schema, title: 'Weir rules' };
}
