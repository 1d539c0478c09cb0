import { createHash } from 'node:crypto';
import { WeirError } from '../errors.ts';
import { compileRules } from './compile-rules.ts';
import type { Plan } from './plan.ts';
import { formatProblem } from './problem.ts';
import { readContent } from './stored-content.ts';

/** The plan of a rule set from the store: the same in every process. Its version is the hash of its content. */
export function compileStored(content: string): Plan {
  const version = createHash('sha256').update(content).digest('hex');
  const { files, catalog } = read(content, version);
  const { plan, problems } = compileRules(files, catalog, { stored: true });
  if (plan !== null) return { ...plan, version };
  const errors = problems.filter(({ severity }) => severity === 'error').map(formatProblem);
  throw unfit(version, `this Weir cannot compile it:\n${errors.join('\n')}`);
}

function read(content: string, version: string): ReturnType<typeof readContent> {
  try {
    return readContent(content);
  } catch (cause) {
    throw unfit(version, 'it is not a stored rule set of this Weir', cause);
  }
}

function unfit(version: string, why: string, cause?: unknown): WeirError {
  return new WeirError({
    code: 'WEIR_RULES_STORED',
    message: `rule set ${version} of weir.rule_versions is of no use: ${why}`,
    hint: 'run the version of Weir that stored it, or start with rules that this one takes',
    retry: 'after-operator',
    cause,
  });
}
