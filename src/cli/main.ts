import { EXIT } from '../errors.ts';
import { COMMANDS } from './commands.ts';
import { errorAsJson, errorAsText, explainError } from './explain-error.ts';
import { processIo } from './io.ts';
import { runCli } from './program.ts';
import { withoutPasswords } from './redact.ts';

// `weir replay … | head`: the reader has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

/** What no one caught is a bug: the process ends, and is never continued. */
function crash(error: unknown): void {
  const explained = explainError(error);
  const stack = error instanceof Error && process.env['LOG_LEVEL'] === 'debug' ? `${error.stack}\n` : '';
  const json = process.argv.includes('--json');
  process.stderr.write(json ? errorAsJson(explained) : errorAsText(explained));
  process.stderr.write(withoutPasswords(stack));
  process.exit(explained.exit);
}
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

/** A command that has ended leaves nothing open; should a library keep a socket, that is no reason to stay. */
const LINGER_MS = 5_000;

process.exitCode = await runCli(COMMANDS, process.argv.slice(2), processIo());
setTimeout(() => process.exit(), LINGER_MS).unref();
