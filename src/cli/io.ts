import { once } from 'node:events';
import type { Writable } from 'node:stream';
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import { withoutPasswords } from './redact.ts';

/** What a command sees of the process: so that a test can run one in its own. */
export interface CliIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** stderr is a terminal: logs are for people. */
  readonly terminal: boolean;
}

export function processIo(): CliIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    terminal: process.stderr.isTTY === true,
  };
}

/** Waits while the reader is slower than we are: `weir replay` of a large file runs in bounded memory. */
export async function print(io: CliIo, text: string): Promise<void> {
  if (!io.stdout.write(text)) await once(io.stdout, 'drain');
}

/** Logs go to stderr: pretty on a terminal, else JSON. Passwords are struck out of every line. */
export function createLogger(io: CliIo, options: { readonly level: string; readonly json: boolean }): Logger {
  const toStderr = { write: (line: string) => void io.stderr.write(line) };
  const destination =
    io.terminal && !options.json
      ? pretty({ destination: io.stderr, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' })
      : toStderr;
  return pino(
    {
      level: options.level,
      base: { name: 'weir', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: withoutPasswords },
    },
    destination,
  );
}
