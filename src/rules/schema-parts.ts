import { z } from 'zod';
import { DURATION, DURATION_HINT } from './duration.ts';
import { nearest } from './nearest.ts';
import { didYouMean } from './problem.ts';

/**
 * An object that takes the keys it knows and `x-…`, which are the user's own. The known keys travel in the message
 * of an unknown one: `schema-issues.ts` makes the nearest name of them.
 */
export function strict<T extends z.core.$ZodLooseShape>(shape: T) {
  const object = z
    .strictObject(shape, {
      error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
    })
    .meta({ patternProperties: { '^x-': {} } });
  return z.preprocess(withoutExtensions, object);
}

function withoutExtensions(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')));
}

/** A key of the language that a later version will have: refused, never ignored. */
export function notYet(what: string) {
  return z.never({ error: `this version does not have ${what} yet` }).optional();
}

export const name = z
  .string({ error: 'a name is text' })
  .regex(/^[A-Za-z_]\w*$/, { error: 'a name has letters, digits and "_", and begins with a letter' });

export const duration = z.string({ error: DURATION_HINT }).regex(DURATION, { error: DURATION_HINT });

export const positiveDuration = z
  .string({ error: DURATION_HINT })
  .regex(/^\d{0,11}[1-9]\d{0,11}(ms|s|m|h|d)$/, {
    error: (issue) => (DURATION.test(String(issue.input)) ? 'this duration must be above 0' : DURATION_HINT),
  });

export const condition = z
  .string({ error: 'a condition is text in CEL: quote it' })
  .min(1, { error: 'this condition is empty' });

export const column = z
  .string({ error: 'a column is named by text' })
  .min(1, { error: 'a column has a name' });

export const columns = z.union([column, z.array(column).min(1, { error: 'this list of columns is empty' })], {
  error: 'expected a column or a list of columns',
});

export const id = z.string({ error: 'an id is text' }).regex(/^[A-Za-z_][\w.-]*$/, {
  error: 'an id has letters, digits, "_", "-" and ".", and begins with a letter',
});

export const severity = z.enum(['info', 'warning', 'high', 'critical']);
export const mode = z.enum(['live', 'shadow', 'off']);

const ACTIONS = 'an action is alert, flag, block or webhook:NAME';

export const action = z.string({ error: ACTIONS }).regex(/^(alert|flag|block|webhook:[\w-]+)$/, {
  error: ({ input }) => {
    const near = didYouMean(nearest(String(input), ['alert', 'flag', 'block']));
    return `unknown action ${JSON.stringify(input)}: ${ACTIONS} (${near})`;
  },
});

export const blockSchema = strict({ by: columns, for: positiveDuration });

const actions = z.array(action, { error: 'expected a list of actions' }).optional();
const message = z.string({ error: 'a message is text: quote it' }).optional();

export const score = z
  .number({ error: 'a score is a number above 0' })
  .positive({ error: (issue) => `a score is above 0, and this is ${issue.input}` })
  .optional();

/** How what was found is told. */
export const alertShape = { severity: severity.optional(), actions, message };

/** What a hit of a rule, and a match of a pattern, does. */
export const effectShape = {
  severity: severity.optional(),
  actions,
  block: blockSchema.optional(),
  cooldown: strict({ by: columns, for: positiveDuration }).optional(),
  message,
  mode: mode.optional(),
};
