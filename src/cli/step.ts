import { failpoint } from '../failpoint.ts';
import { type CliIo, print } from './io.ts';

/** One thing that `weir init` or `weir teardown` does: as a script for a DBA, or done by itself. */
export interface Step {
  readonly title: string;
  readonly why: string;
  /** Where the script is to be run: `database shop at db:5432`. */
  readonly where: string;
  /** SQL, or comments where SQL does not reach. */
  readonly script: string;
  /** Does it, whatever is done already, and says what it did. */
  run(): Promise<string>;
}

/** The script of what is as it should be already. */
export const THERE = '-- (there already)';

export async function printSteps(io: CliIo, steps: readonly Step[], options: Printed): Promise<void> {
  if (options.json) {
    const shown = steps.map(({ title, why, where, script }) => ({ title, why, where, script }));
    await print(io, `${JSON.stringify({ steps: shown }, null, 2)}\n`);
    return;
  }
  await print(io, commented(options.before));
  let where = '';
  for (const [index, step] of steps.entries()) {
    if (step.where !== where) await print(io, `\n-- ==== in ${step.where}\n`);
    where = step.where;
    await print(io, `\n-- ${index + 1}. ${step.title}\n${commented(step.why)}${step.script.trimEnd()}\n`);
  }
  await print(io, `\n${commented(options.after)}`);
}

export interface Printed {
  readonly json: boolean;
  readonly before: string;
  readonly after: string;
}

/** In order; what has been done stays done when one fails, and the next run goes on from there. */
export async function runSteps(io: CliIo, steps: readonly Step[], json: boolean): Promise<void> {
  const done: { title: string; outcome: string }[] = [];
  for (const [index, step] of steps.entries()) {
    if (!json) await print(io, `[${index + 1}/${steps.length}] ${step.title}: `);
    const outcome = await finish(io, step, json);
    failpoint('step.done');
    done.push({ title: step.title, outcome });
    if (!json) await print(io, `${outcome}\n`);
  }
  if (json) await print(io, `${JSON.stringify({ steps: done }, null, 2)}\n`);
}

async function finish(io: CliIo, step: Step, json: boolean): Promise<string> {
  try {
    return await step.run();
  } catch (error) {
    if (!json) await print(io, 'failed\n');
    throw error;
  }
}

function commented(text: string): string {
  return text === ''
    ? ''
    : text
        .split('\n')
        .map((line) => `-- ${line}`.trimEnd())
        .map((line) => `${line}\n`)
        .join('');
}
