import { InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config.ts';
import { runDemo } from '../demo/demo.ts';
import { EXIT } from '../errors.ts';
import { installGuard } from './guard-install.ts';
import { withInitSteps } from './init.ts';
import { createLogger } from './io.ts';
import { loadSettings } from './load-config.ts';
import type { CommandSpec } from './program.ts';
import { stopSignals } from './stop-signals.ts';

export const demoCommand: CommandSpec = {
  name: 'demo',
  summary: 'Watch it: a PostgreSQL of its own, customers and thieves, and what fires',
  config: ['http', 'logLevel'],
  options: [
    new Option('--rate <visits>', 'visits of customers a second').default(40).argParser((text) => {
      const rate = Number(text);
      if (rate > 0 && rate <= 10_000) return rate;
      throw new InvalidArgumentError('a number above 0, at most 10000');
    }),
  ],
  action: async ({ io, flags, sources, json }) => {
    const settings = loadSettings(sources);
    const asked = io.env['LOG_LEVEL'] ?? sources.flags['logLevel'];
    const level = asked === undefined ? 'warn' : settings.logLevel;
    const logger = createLogger(io, { level, json });
    const say = (line: string): void => void io.stdout.write(`${line}\n`);
    await runDemo({
      logger,
      http: settings.http,
      rate: flags['rate'] as number,
      initialise: (config) => initialise(config, io.cwd, say),
      guard: (config) =>
        installGuard({ config, cwd: io.cwd, table: { schema: 'public', name: 'transactions' } }),
      say,
      signal: stopSignals(() => say('\nstopping …')),
    });
    return EXIT.ok;
  },
};

/** `weir init --apply`, without its progress. */
function initialise(config: Config, cwd: string, tell: (line: string) => void): Promise<void> {
  return withInitSteps(config, { role: null, cwd, tell }, async (steps) => {
    for (const step of steps) await step.run();
  });
}
