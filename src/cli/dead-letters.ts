import { Option } from 'commander';
import { EXIT, type ExitCode, WeirError } from '../errors.ts';
import { findLetters, type LetterRow } from './dead-letter-rows.ts';
import { print } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandContext, CommandSpec } from './program.ts';
import { type Asked, MOST_REPLAYED, replayLetters } from './replay-letters.ts';
import { shownAge, textTable } from './text-table.ts';
import { type Here, withInstance } from './with-instance.ts';

const MOST_LISTED = 100;

export const deadLettersCommand: CommandSpec = {
  name: 'dead-letters',
  summary: 'Rows that a rule failed on: list them, or have the rule judge them again',
  args: [
    ['<action>', 'list or replay'],
    ['[ids...]', 'dead letters, as list shows them; none: those of --rule'],
  ],
  config: ['slot'],
  options: [
    new Option('--rule <id>', 'of this rule only'),
    new Option('--all', 'list: also those that somebody has seen to'),
    new Option('--wait <seconds>', 'replay: so long for the outcomes').default('30'),
  ],
  details: `list shows the ${MOST_LISTED} oldest that are open. replay has the rule that is in force now judge the row again, in the
stream of a running Weir, and shows what came of it: hit, silenced (a hit within a cooldown), no hit, forgotten (no hit,
but its windows had lost rows), failed again (a new dead letter says why). Twice is as good as once. It takes
the ${MOST_REPLAYED} oldest at a time.
Exit codes: 0 all of it is well, 1 something was not judged or has failed again, 2 usage, 3 a server does not answer.`,
  action: async (context) => {
    const [action = '', ...ids] = context.args;
    const rule = context.flags['rule'] === undefined ? null : String(context.flags['rule']);
    const asked = { ids: ids.map(idOf), rule };
    const waitMs = waitOf(context);
    if (action !== 'list' && action !== 'replay')
      throw unusable(`there is no action ${JSON.stringify(action)}`, 'list, or replay');
    if (action === 'replay' && ids.length === 0 && rule === null)
      throw unusable('replay which?', 'name ids, or --rule ID for all of a rule');
    return withInstance(loadConfig(context.sources), (here) =>
      action === 'list' ? list(context, here, asked) : replayLetters(context, { ...here, ...asked, waitMs }),
    );
  },
};

async function list(
  { io, flags, json }: CommandContext,
  { store, instance }: Here,
  asked: Asked,
): Promise<ExitCode> {
  const resolved = flags['all'] === true || asked.ids.length > 0;
  const wanted = { ...asked, instance: instance.processorId, resolved, limit: MOST_LISTED };
  const letters = await findLetters(store, wanted);
  await print(io, json ? `${JSON.stringify(letters, null, 2)}\n` : shown(letters));
  return EXIT.ok;
}

function shown(letters: readonly LetterRow[]): string {
  if (letters.length === 0) return 'no dead letters\n';
  const now = Date.now();
  const rows = letters.map((letter) => [
    ...[letter.id, letter.rule, letter.event, `${shownAge(now - letter.at.getTime())} ago`],
    ...[letter.outcome ?? (letter.resolvedAt === null ? 'open' : 'resolved'), letter.error],
  ]);
  return textTable([['id', 'rule', 'event', 'written', 'state', 'error'], ...rows]);
}

/** A bigint of PostgreSQL's. */
function idOf(text: string): string {
  if (/^[1-9]\d{0,17}$/.test(text)) return text;
  throw unusable(`${JSON.stringify(text)} is no id of a dead letter`, 'weir dead-letters list shows them');
}

function waitOf({ flags }: CommandContext): number {
  const seconds = Number(flags['wait']);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1_000;
  throw unusable(`--wait ${String(flags['wait'])} is no number of seconds`, 'as in --wait 30');
}

function unusable(message: string, hint: string): WeirError {
  return new WeirError({ code: 'WEIR_DEAD_LETTERS', message, hint, exit: EXIT.usage });
}
