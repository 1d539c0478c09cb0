import { expect, test } from 'vitest';
import { deadLettersCommand } from '../../../src/cli/dead-letters.ts';
import { EXIT } from '../../../src/errors.ts';
import { runCaptured } from './run-captured.ts';

const run = (...args: readonly string[]) => runCaptured([deadLettersCommand], ['dead-letters', ...args]);

test.each([
  [['retry'], 'there is no action "retry"', 'list, or replay'],
  [['replay'], 'replay which?', '--rule ID'],
  [['replay', '7', 'seven'], '"seven" is no id of a dead letter', 'weir dead-letters list'],
  [['replay', '7', '--wait', 'long'], '--wait long is no number of seconds', '--wait 30'],
] as const)('weir dead-letters %j is refused before anything is asked for', async (args, message, hint) => {
  const { exit, stderr, stdout } = await run(...args);
  expect([exit, stdout]).toEqual([EXIT.usage, '']);
  expect(stderr).toContain(message);
  expect(stderr).toContain(hint);
  expect(stderr).toContain('WEIR_DEAD_LETTERS');
});
