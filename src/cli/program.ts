import { Command, CommanderError, Option } from 'commander';
import { EXIT, type ExitCode } from '../errors.ts';
import { KEYS, type KeyName } from './config-keys.ts';
import { attribute, type ConfigSources } from './config-reader.ts';
import { errorAsJson, errorAsText, explainError } from './explain-error.ts';
import { type CliIo, createLogger } from './io.ts';
import { VERSION } from './version.ts';

/** A command's work: its exit code is its result; what it throws is explained in one place. */
export type Action = (context: CommandContext) => Promise<ExitCode>;

export interface CommandContext {
  readonly io: CliIo;
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
  /** For `loadConfig`: of the flags only those that are settings (`--role` of init is another than that of run). */
  readonly sources: ConfigSources;
  readonly json: boolean;
}

/** One file a command exports one of these. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** Below the options in --help. */
  readonly details?: string;
  /** `<rules>`, with what it is. */
  readonly args?: readonly (readonly [name: string, meaning: string])[];
  readonly config?: readonly KeyName[];
  readonly options?: readonly Option[];
  readonly action: Action;
}

/** Runs one command line; never throws, never ends the process. */
export async function runCli(
  commands: readonly CommandSpec[],
  argv: readonly string[],
  io: CliIo,
): Promise<ExitCode> {
  const outcome: { exit: ExitCode } = { exit: EXIT.ok };
  const json = argv.includes('--json');
  // What commander says of a mistake is an error like others there, and told below.
  const stderr = json ? () => undefined : (text: string) => void io.stderr.write(text);
  const program = buildProgram(commands, { ...io, writeErr: stderr }, (exit) => {
    outcome.exit = exit;
  });
  try {
    await program.parseAsync(misnamed(commands, argv) ?? argv, { from: 'user' });
    return outcome.exit;
  } catch (error) {
    return report(error, io, json);
  }
}

/** `weir nosuch --help` would be the help of weir: of a name that no command has, nothing else is looked at. */
function misnamed(commands: readonly CommandSpec[], argv: readonly string[]): readonly string[] | null {
  const name = argv[0] === 'help' ? argv[1] : argv[0];
  if (name === undefined || name.startsWith('-') || name === 'help') return null;
  return commands.some((spec) => spec.name === name) ? null : [name];
}

type ProgramIo = CliIo & { readonly writeErr: (text: string) => void };

function buildProgram(
  commands: readonly CommandSpec[],
  io: ProgramIo,
  ended: (exit: ExitCode) => void,
): Command {
  const program = new Command('weir')
    .description('Complex event processing and risk scoring on the WAL of PostgreSQL, exactly once.')
    .version(VERSION)
    .showHelpAfterError('(weir --help lists the commands)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: io.writeErr,
    });
  for (const spec of commands) addCommand(program, spec, io, ended);
  return program;
}

function addCommand(program: Command, spec: CommandSpec, io: CliIo, ended: (exit: ExitCode) => void): void {
  const command = program.command(spec.name).description(spec.summary);
  for (const [name, meaning] of spec.args ?? []) command.argument(name, meaning);
  if (spec.config !== undefined)
    command.option('--config <file>', 'settings (default: weir.yaml, when it is there)');
  for (const name of spec.config ?? []) command.addOption(configOption(name));
  for (const option of spec.options ?? []) command.addOption(option);
  command.option('--json', 'JSON on stdout, and JSON logs and errors on stderr');
  if (spec.details !== undefined) command.addHelpText('after', `\n${spec.details}`);
  command.action(async () => {
    const flags = command.opts<Record<string, unknown>>();
    const sources = { flags: settingsOf(flags, spec), env: io.env, cwd: io.cwd };
    ended(await spec.action({ io, args: command.args, flags, sources, json: flags['json'] === true }));
  });
}

function settingsOf(flags: Readonly<Record<string, unknown>>, spec: CommandSpec): Record<string, unknown> {
  const names = new Set(['config', ...(spec.config ?? []).map((name) => attribute(KEYS[name].flag ?? ''))]);
  return Object.fromEntries(Object.entries(flags).filter(([name]) => names.has(name)));
}

function configOption(name: KeyName): Option {
  const { flag, meaning, env, default: fallback } = KEYS[name];
  if (flag === null) throw new Error(`${name} has no flag`);
  const from = env === null ? '' : `, or ${env}`;
  return new Option(flag, `${meaning} (default: ${fallback}${from})`);
}

/** The error for a person, or as JSON; its stack at debug level. */
function report(error: unknown, io: CliIo, json: boolean): ExitCode {
  const explained = explainError(error);
  const { exit } = explained;
  // Of a wrong command line commander has told already, for a person.
  const told = exit === EXIT.ok || (!json && error instanceof CommanderError);
  if (!told) io.stderr.write(json ? errorAsJson(explained) : errorAsText(explained));
  const level =
    io.env['LOG_LEVEL'] === 'trace' ? 'trace' : io.env['LOG_LEVEL'] === 'debug' ? 'debug' : 'info';
  createLogger(io, { level, json }).debug({ err: error }, 'where the error came from');
  return exit;
}
