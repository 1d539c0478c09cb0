import { CommanderError } from 'commander';
import { EXIT, type ExitCode, WeirError } from '../errors.ts';
import { withoutPasswords } from './redact.ts';

/** An error as a person reads it, and the exit code that goes with it: the one place that decides. */
export interface ExplainedError {
  readonly exit: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** System errors that say that something is not there, or not now. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'EPIPE',
]);

/** For a person; passwords are struck out. */
export function errorAsText({ message, hint, code }: ExplainedError): string {
  const fix = hint === null ? '' : `\n  fix: ${withoutPasswords(hint)}`;
  return `error: ${message}${fix}\n  (${code})\n`;
}

/** For a program that asked with --json: one line. */
export function errorAsJson({ code, message, hint }: ExplainedError): string {
  const shown = hint === null ? null : withoutPasswords(hint);
  return `${JSON.stringify({ error: { code, message, hint: shown } })}\n`;
}

export function explainError(error: unknown): ExplainedError {
  const known =
    ofWeir(error) ?? ofCommander(error) ?? ofPostgres(error) ?? ofRedis(error) ?? ofNetwork(error) ?? null;
  if (known !== null) return { ...known, message: withoutPasswords(known.message) };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    exit: EXIT.bug,
    code: 'WEIR_BUG',
    message: `this is a bug: ${withoutPasswords(text)}`,
    hint: 'run again with LOG_LEVEL=debug for the stack, and report it',
  };
}

function ofWeir(error: unknown): ExplainedError | null {
  if (!(error instanceof WeirError)) return null;
  return { exit: error.exit, code: error.code, message: error.message, hint: error.hint ?? null };
}

const NO_COMMAND = 'commander.help';

/** Exit code 0: help or the version was asked for. */
function ofCommander(error: unknown): ExplainedError | null {
  if (!(error instanceof CommanderError)) return null;
  const exit = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const [said = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
  return {
    exit,
    code: 'WEIR_USAGE',
    message: error.code === NO_COMMAND ? 'no command is given' : said,
    hint:
      /^\((.*)\)$/.exec(suggestion)?.[1] ?? 'weir --help lists the commands, weir COMMAND --help its options',
  };
}

interface PostgresCase {
  readonly matches: RegExp;
  readonly exit: ExitCode;
  readonly code: string;
  readonly hint: string;
}

/** By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRES: readonly PostgresCase[] = [
  {
    matches: /^28/,
    exit: EXIT.usage,
    code: 'WEIR_POSTGRES_AUTH',
    hint: 'check user and password of the URL, and pg_hba.conf of the server',
  },
  {
    matches: /^3D000$/,
    exit: EXIT.usage,
    code: 'WEIR_POSTGRES_NO_DATABASE',
    hint: 'check the database in the URL; `weir init` prints the SQL that makes what Weir needs',
  },
  {
    matches: /^42501$/,
    exit: EXIT.usage,
    code: 'WEIR_POSTGRES_FORBIDDEN',
    hint: '`weir init` prints the SQL that grants what Weir needs, for a DBA to run',
  },
  {
    matches: /^55006$/,
    exit: EXIT.usage,
    code: 'WEIR_POSTGRES_IN_USE',
    hint: 'stop what uses it (a Weir that runs?), and try again',
  },
  {
    matches: /^2BP01$/,
    exit: EXIT.usage,
    code: 'WEIR_POSTGRES_DEPENDENT',
    hint: 'drop what depends on it first, or give it another owner',
  },
  {
    matches: /^(08|57P0[1-3]|53)/,
    exit: EXIT.unreachable,
    code: 'WEIR_POSTGRES_UNREACHABLE',
    hint: 'PostgreSQL is there and does not serve now: see its log, and try again',
  },
];

function ofPostgres(error: unknown): ExplainedError | null {
  if (!(error instanceof Error)) return null;
  const sqlstate = codeOf(error);
  const found = POSTGRES.find(({ matches }) => sqlstate.length === 5 && matches.test(sqlstate));
  if (found !== undefined)
    return {
      exit: found.exit,
      code: found.code,
      message: `PostgreSQL says: ${error.message} (SQLSTATE ${sqlstate})${detailOf(error)}`,
      hint: found.hint,
    };
  // node-postgres has no code for these.
  if (
    !/^(Connection terminated|timeout expired|Client has encountered a connection error)/.test(error.message)
  )
    return null;
  return unreachableError(`PostgreSQL: ${error.message}`);
}

function ofRedis(error: unknown): ExplainedError | null {
  if (!(error instanceof Error)) return null;
  if (error.name === 'MaxRetriesPerRequestError' || error.message === 'Connection is closed.')
    return unreachableError(`Redis: ${error.message}`);
  if (!/^(NOAUTH|WRONGPASS|NOPERM)/.test(error.message)) return null;
  return {
    exit: EXIT.usage,
    code: 'WEIR_REDIS_AUTH',
    message: `Redis says: ${error.message}`,
    hint: 'check user and password of REDIS_URL',
  };
}

function ofNetwork(error: unknown): ExplainedError | null {
  if (!(error instanceof Error) || !UNREACHABLE.has(codeOf(error))) return null;
  // Node tries every address of a name, and an AggregateError of them has no message of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return unreachableError(first instanceof Error ? first.message : codeOf(error));
}

function unreachableError(message: string): ExplainedError {
  return {
    exit: EXIT.unreachable,
    code: 'WEIR_UNREACHABLE',
    message,
    hint: 'check that it runs, and the host and port of its URL',
  };
}

function detailOf(error: Error): string {
  const detail: unknown = (error as { detail?: unknown }).detail;
  return typeof detail === 'string' ? `: ${detail}` : '';
}

function codeOf(error: Error): string {
  const code: unknown = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : '';
}
