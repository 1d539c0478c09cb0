import { runApp } from '../app.ts';
import { EXIT } from '../errors.ts';
import { growHeapSlowly } from './heap.ts';
import { createLogger } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandSpec } from './program.ts';
import { stopSignals } from './stop-signals.ts';

export const runCommand: CommandSpec = {
  name: 'run',
  summary: 'Read the WAL, judge, write alerts and decisions: source and workers in one process',
  config: ['rules', 'slot', 'partitions', 'role', 'columns', 'adoptSlot', 'http', 'allowActions', 'logLevel'],
  details: `SIGTERM or Ctrl-C drains: what was read is committed and acknowledged first. A second one exits at once.
--role source and --role worker run on many machines; a second source is a hot standby.`,
  action: async ({ io, sources, json }) => {
    growHeapSlowly();
    const config = loadConfig(sources);
    const logger = createLogger(io, { level: config.logLevel, json });
    const signal = stopSignals(() => logger.info('draining; once more to exit at once'));
    await runApp({
      config,
      logger,
      signal,
      onListening: (url) => logger.info({ url }, `board at ${url}/queues`),
    });
    return EXIT.ok;
  },
};
