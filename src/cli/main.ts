import { EXIT } from '../errors.ts';
import { COMMANDS } from './commands.ts';
import { explainError } from './explain-error.ts';
import { processIo } from './io.ts';
import { runCli } from './program.ts';

// `weir replay … | head`: the reader has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

/** What no one caught is a bug: the process ends, and is never continued. */
function crash(error: unknown): void {
  const { message, exit } = explainError(error);
  const stack = error instanceof Error && process.env['LOG_LEVEL'] === 'debug' ? `\n${error.stack}` : '';
  process.stderr.write(`error: ${message}${stack}\n`);
  process.exit(exit);
}
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

process.exitCode = await runCli(COMMANDS, process.argv.slice(2), processIo());
